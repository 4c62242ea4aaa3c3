"""From an id to the stories that the ledger holds under it; reads only, and never the customers' table."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Select, exists, select

from detectors.finding import Subject
from remediation.ledger.tables import DECLINED, FINDINGS, GRANTS, ORDER_LINES, REMEDIES, REMEDY_FINDINGS
from remediation.report.formats import one_line
from remediation.report.reading import story_of_line, story_of_subject
from remediation.report.story import Story

IdKind = Literal["remedy", "finding", "order line", "session", "order"]


class UnknownIdError(LookupError):
    """The ledger has nothing under this id."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an id names, and the stories that it leads to."""

    kinds: tuple[IdKind, ...]
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class _Match:
    """One thing that an id names: it leads to order lines, or to a subject that is bound to none."""

    kind: IdKind
    order_line_ids: frozenset[str]
    subject: Subject | None = None


def look_up(connection: Connection, known_id: str) -> Found:
    """Everything recorded under the id of a remedy, finding, order line, session or order.

    Ids of sessions and orders are given by others, so that one text may name
    several things; then all of them are found.

    Raises:
      UnknownIdError: Nothing is recorded under it.
    """
    named = (_remedy, _finding, _order_line, _session, _order) if _is_storable(known_id) else ()
    matches = tuple(match for name in named if (match := name(connection, known_id)) is not None)
    if not matches:
        raise UnknownIdError(
            f"the ledger knows no id {one_line(known_id)!r}: give the id of a remedy, a finding, an order line, an"
            " order, or a session that has a grant or a finding"
        )
    lines = sorted({order_line_id for match in matches for order_line_id in match.order_line_ids})
    subjects = {match.subject for match in matches if match.subject is not None}
    unbound = sorted(subjects, key=lambda subject: (subject.type, subject.id))
    return Found(
        kinds=tuple(match.kind for match in matches),
        stories=(
            *(story_of_line(connection, order_line_id) for order_line_id in lines),
            *(story_of_subject(connection, subject) for subject in unbound),
        ),
    )


def _is_storable(text: str) -> bool:
    """Whether databases take the text at all: NUL and lone surrogates, which a shell can pass, are errors to them."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _remedy(connection: Connection, known_id: str) -> _Match | None:
    lines = _lines(connection, select(REMEDIES.c.order_line_id).where(REMEDIES.c.remedy_id == known_id))
    return _Match("remedy", lines) if lines else None


def _finding(connection: Connection, known_id: str) -> _Match | None:
    query = select(FINDINGS.c.subject_type, FINDINGS.c.subject_id).where(FINDINGS.c.finding_id == known_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return _bound("finding", connection, Subject(row.subject_type, row.subject_id))


def _order_line(connection: Connection, known_id: str) -> _Match | None:
    about = (
        ORDER_LINES.c.order_line_id == known_id,
        FINDINGS.c.order_line_id == known_id,
        DECLINED.c.order_line_id == known_id,
    )
    known = any(connection.scalar(select(exists().where(condition))) for condition in about)
    return _Match("order line", frozenset({known_id})) if known else None


def _session(connection: Connection, known_id: str) -> _Match | None:
    about = (
        (FINDINGS.c.subject_type == "session") & (FINDINGS.c.subject_id == known_id),
        (DECLINED.c.subject_type == "session") & (DECLINED.c.subject_id == known_id),
        GRANTS.c.session_id == known_id,
    )
    known = any(connection.scalar(select(exists().where(condition))) for condition in about)
    return _bound("session", connection, Subject("session", known_id)) if known else None


def _order(connection: Connection, known_id: str) -> _Match | None:
    lines = _lines(connection, select(ORDER_LINES.c.order_line_id).where(ORDER_LINES.c.order_id == known_id))
    return _Match("order", lines) if lines else None


def _bound(kind: IdKind, connection: Connection, subject: Subject) -> _Match:
    """The order lines that a decision bound the subject to, else those that its grants name, else itself."""
    if subject.type == "order_line":
        return _Match(kind, frozenset({subject.id}))
    findings = (FINDINGS.c.subject_type == subject.type) & (FINDINGS.c.subject_id == subject.id)
    refusals = (DECLINED.c.subject_type == subject.type) & (DECLINED.c.subject_id == subject.id)
    paid = (
        select(REMEDIES.c.order_line_id)
        .join(REMEDY_FINDINGS, REMEDY_FINDINGS.c.remedy_id == REMEDIES.c.remedy_id)
        .join(FINDINGS, FINDINGS.c.finding_id == REMEDY_FINDINGS.c.finding_id)
        .where(findings)
    )
    decided = (
        _lines(connection, select(FINDINGS.c.order_line_id).where(findings))
        | _lines(connection, select(DECLINED.c.order_line_id).where(refusals))
        | _lines(connection, paid)
    )
    paid_for = exists().where(REMEDY_FINDINGS.c.finding_id == FINDINGS.c.finding_id)
    loose = (findings & FINDINGS.c.order_line_id.is_(None) & ~paid_for, refusals & DECLINED.c.order_line_id.is_(None))
    unbound = any(connection.scalar(select(exists().where(condition))) for condition in loose)
    granted = select(GRANTS.c.order_line_id).where(GRANTS.c.session_id == subject.id)
    lines = decided or _lines(connection, granted)
    return _Match(kind, lines, subject if unbound or not lines else None)


def _lines(connection: Connection, query: Select[str | None]) -> frozenset[str]:
    return frozenset(line for line in connection.scalars(query) if line is not None)
