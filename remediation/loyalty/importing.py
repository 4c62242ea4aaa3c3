"""Takes answers and unsubscriptions into the ledger: the same file again changes nothing, nor does another order.

The last answer of a customer counts, since people correct themselves; of two from
the same moment the lower one does. The audit log tells that somebody answered, never
what: it outlives the answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

from sqlalchemy import Connection, Engine, and_, or_, select, update
from sqlalchemy import Row as SqlRow

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.forgotten import REFUSED, forgotten_among
from remediation.ledger.sql import CHUNK_KEYS
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import OUTBOX
from remediation.loyalty.links import Tokens
from remediation.loyalty.replies import Answer, Unsubscription
from remediation.mail import ERASED
from remediation.outbox.claims import SURVEY, cancel, is_put_off, item_of
from remediation.outbox.states import State
from remediation.rows import RowReject, parsed_rows

ACTOR: Final = "replies"
AHEAD_MS: Final = 300_000
"""Clocks of two machines may differ by so much: five minutes."""

_FOREIGN: Final = "unknown_token: no survey of this ledger has this token under the keys that are set"
_UNSENT: Final = "unsent_survey: this survey was not sent, so that nobody can reply to it"
_OVER: Final = "too_late: what is replied to this survey is not kept any more"
_BEFORE: Final = "before_asking: nobody replies before being asked"
_AHEAD: Final = "ahead_of_clock: this moment has not come yet"


@dataclass(frozen=True, slots=True)
class Replied:
    """What became of one file: `taken` rows changed the ledger, the others are known, superseded or in `rejects`."""

    rows: int
    taken: int
    rejects: tuple[RowReject, ...]

    @property
    def known(self) -> int:
        """Rows that brought nothing new."""
        return self.rows - self.taken - len(self.rejects)


@dataclass(frozen=True, slots=True)
class _Reply:
    """One row. Without a score it is an unsubscription."""

    line: int
    token: str
    at: int
    score: int | None = None


def import_answers(engine: Engine, stream: BinaryIO, source: str, tokens: Tokens, now: int) -> Replied:
    """Imports answers; `source` is the name that rejects carry, `now` is milliseconds since the epoch.

    Raises:
      OSError: The stream cannot be read.
    """
    rows = (
        row
        if isinstance(row, RowReject)
        else _Reply(row.line, row.record.token, row.record.answered_at, row.record.score)
        for row in parsed_rows(stream, source, Answer)
    )
    return _import(engine, rows, _Desk(source, "answered_at", tokens, now))


def import_unsubscriptions(engine: Engine, stream: BinaryIO, source: str, tokens: Tokens, now: int) -> Replied:
    """Imports unsubscriptions, and calls off what these customers would still be asked; see `import_answers`."""
    rows = (
        row if isinstance(row, RowReject) else _Reply(row.line, row.record.token, row.record.unsubscribed_at)
        for row in parsed_rows(stream, source, Unsubscription)
    )
    return _import(engine, rows, _Desk(source, "unsubscribed_at", tokens, now))


def _import(engine: Engine, rows: Iterable[_Reply | RowReject], desk: "_Desk") -> Replied:
    remaining, read, taken, rejects = iter(rows), 0, 0, list[RowReject]()
    while portion := list(islice(remaining, CHUNK_KEYS)):
        read += len(portion)
        rejects += [row for row in portion if isinstance(row, RowReject)]
        replies = [row for row in portion if isinstance(row, _Reply)]
        with writing(engine) as connection:
            outcomes = list(desk.take(connection, replies))
        rejects += [outcome for outcome in outcomes if isinstance(outcome, RowReject)]
        taken += sum(outcome is True for outcome in outcomes)
    return Replied(read, taken, tuple(sorted(rejects, key=lambda reject: reject.line)))


@dataclass(frozen=True, slots=True)
class _Desk:
    """Takes the rows of one file, whose time stands in `field`."""

    source: str
    field: str
    tokens: Tokens
    now: int

    def take(self, connection: Connection, replies: Iterable[_Reply]) -> Iterator[bool | RowReject]:
        """Whether each reply changed something, or why it cannot be used."""
        named = [(reply, self.tokens.survey_id(reply.token)) for reply in replies]
        surveys = _surveys(connection, {survey_id for _, survey_id in named if survey_id})
        gone = forgotten_among(connection, {survey.customer_id for survey in surveys.values()})
        for reply, survey_id in named:
            survey = surveys.get(survey_id or "")
            if survey is None:
                yield RowReject(self.source, reply.line, "token", _FOREIGN)
            elif survey.customer_id in gone:
                yield RowReject(self.source, reply.line, "token", REFUSED)
            elif problem := self._problem(reply, survey):
                yield RowReject(self.source, reply.line, *problem)
            else:
                yield self._write(connection, reply, survey)

    def _problem(self, reply: _Reply, survey: SqlRow[*tuple[Any, ...]]) -> tuple[str, str] | None:
        if survey.text == ERASED:
            return "token", _OVER
        if not survey.attempts:
            return "token", _UNSENT
        if reply.at < survey.asked_at:
            return self.field, _BEFORE
        return (self.field, _AHEAD) if reply.at > self.now + AHEAD_MS else None

    def _write(self, connection: Connection, reply: _Reply, survey: SqlRow[*tuple[Any, ...]]) -> bool:
        """Each reply is held against what the ledger says by now: several of one file may be to one survey."""
        this = SURVEYS.c.survey_id == survey.survey_id
        said = connection.execute(select(SURVEYS).where(this)).one()
        author = Author(ACTOR, self.now)
        if reply.score is None:
            if said.unsubscribed_at is not None and said.unsubscribed_at <= reply.at:
                return False
            connection.execute(update(SURVEYS).where(this).values(unsubscribed_at=reply.at))
            if said.unsubscribed_at is None:
                _unsubscribed(connection, said, author)
            return True
        if said.score is not None and (said.answered_at, -said.score) >= (reply.at, -reply.score):
            return False
        connection.execute(update(SURVEYS).where(this).values(score=reply.score, answered_at=reply.at))
        before = "asked" if said.score is None else "answered"
        note(connection, author, [Change("survey", said.survey_id, before, "answered", "the customer answered")])
        return True


def _surveys(connection: Connection, survey_ids: set[str]) -> Mapping[str, SqlRow[*tuple[Any, ...]]]:
    columns = (SURVEYS.c.survey_id, SURVEYS.c.customer_id, SURVEYS.c.asked_at, SURVEYS.c.text, OUTBOX.c.attempts)
    item = OUTBOX.c.outbox_id == SURVEYS.c.survey_id
    query = select(*columns).join(OUTBOX, item).where(SURVEYS.c.survey_id.in_(survey_ids))
    return {row.survey_id: row for row in connection.execute(query)}


def _unsubscribed(connection: Connection, survey: SqlRow[*tuple[Any, ...]], author: Author) -> None:
    """Tells the log, and calls off what the customer would still be asked."""
    why = "the customer unsubscribed from surveys"
    note(connection, author, [Change("survey", survey.survey_id, "subscribed", "unsubscribed", why)])
    theirs = and_(SURVEYS.c.survey_id == OUTBOX.c.outbox_id, SURVEYS.c.customer_id == survey.customer_id)
    unsent = (OUTBOX.c.kind == SURVEY, or_(OUTBOX.c.state == State.APPROVED, is_put_off()))
    for row in connection.execute(select(OUTBOX).join(SURVEYS, theirs).where(*unsent)).all():
        cancel(connection, item_of(row), author, why)
