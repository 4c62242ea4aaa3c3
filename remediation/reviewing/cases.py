"""What waits for a person, in one list: held runs and remedies, doubtful findings, and what could not be sent."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, exists, select

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.control_tables import REVIEWS
from remediation.ledger.run import HELD, RECORDING
from remediation.ledger.tables import DECLINED, OUTBOX, REMEDIES, RUNS
from remediation.money import Money
from remediation.outbox.states import State
from remediation.reviewing.verdicts import ReviewError, given, verdicts, write_verdict


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that waits. `what` is `run`, `remedy`, `declined` or an outbox item's kind; `amount` may be none."""

    case_id: str
    what: str
    state: str
    customer_id: str | None
    order_line_id: str | None
    amount: Money | None
    reason: str
    verdicts: tuple[str, ...] = ()


def list_cases(engine: Engine) -> tuple[Case, ...]:
    """Everything that waits for a person: runs first, then remedies, what could not be sent, and doubtful findings."""
    with engine.connect() as connection:
        return (*_runs(connection), *_remedies(connection), *_items(connection), *_declined(connection))


def show_case(engine: Engine, case_id: str) -> Case:
    """One of them, with the verdicts that were given on it so far.

    Raises:
      ReviewError: Nothing of this id waits.
    """
    case = next((case for case in list_cases(engine) if case.case_id == case_id), None)
    if case is None:
        raise ReviewError(f"nothing named {case_id} waits for a person: see makegood review list")
    return case


def close(engine: Engine, declined_id: str, reason: str, author: Author) -> None:
    """Takes a doubtful finding off the list: somebody has looked at it, and settled it in another way.

    Raises:
      ReviewError: It is not on the list, or no reason is given.
    """
    why = given(reason)
    with writing(engine) as connection:
        if declined_id not in {case.case_id for case in _declined(connection)}:
            raise ReviewError(f"nothing named {declined_id} waits for a person: see makegood review list")
        write_verdict(connection, "declined", declined_id, "rejected", author, why)
        note(connection, author, [Change("declined", declined_id, "review", "closed", why)])


def _runs(connection: Connection) -> Iterator[Case]:
    query = select(RUNS).where(RUNS.c.state.in_((HELD, RECORDING))).order_by(RUNS.c.as_of, RUNS.c.run_id)
    for row in connection.execute(query):
        trips = " ".join(trip["reason"] for trip in row.trips or ())
        yield Case(row.run_id, "run", row.state, None, None, None, trips or "It has not come to its end: run it again.")


def _remedies(connection: Connection) -> Iterator[Case]:
    query = select(REMEDIES).where(REMEDIES.c.state == "held").order_by(REMEDIES.c.as_of, REMEDIES.c.remedy_id)
    for row in connection.execute(query).all():
        said = tuple(
            f"{each.verdict} by {each.actor}: {each.reason}" for each in verdicts(connection, "remedy", row.remedy_id)
        )
        amount = Money(row.amount, row.currency)
        yield Case(row.remedy_id, "remedy", row.state, row.customer_id, row.order_line_id, amount, row.reason, said)


def _items(connection: Connection) -> Iterator[Case]:
    query = (
        select(OUTBOX, REMEDIES.c.customer_id, REMEDIES.c.order_line_id)
        .join(REMEDIES)
        .where(OUTBOX.c.state.in_((State.FAILED, State.MANUAL)))
        .order_by(OUTBOX.c.remedy_id, OUTBOX.c.kind)
    )
    for row in connection.execute(query):
        amount = Money(row.amount_minor, row.currency) if row.amount_minor else None
        reason = row.problem or f"A {row.kind} is given by a person."
        yield Case(row.outbox_id, row.kind, row.state, row.customer_id, row.order_line_id, amount, reason)


def _declined(connection: Connection) -> Iterator[Case]:
    closed = exists().where(REVIEWS.c.subject_type == "declined", REVIEWS.c.subject_id == DECLINED.c.declined_id)
    query = select(DECLINED).where(DECLINED.c.outcome == "review", ~closed).order_by(DECLINED.c.declined_id)
    for row in connection.execute(query):
        yield Case(row.declined_id, "declined", "review", row.customer_id, row.order_line_id, None, row.reason)
