"""The audit log read as a witness: whole, and in agreement with the rows of which it tells."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, Subquery, Table, false, func, select

from remediation.ledger.audit import Entity, entries, first_break
from remediation.ledger.control_tables import AUDIT
from remediation.ledger.run import HELD, RECORDING, RELEASED, WITHDRAWN
from remediation.ledger.tables import OUTBOX, REMEDIES, RUNS
from remediation.outbox.states import FORWARD
from remediation.verifying.breach import Breach

WATCHED: Final[Mapping[str, Table]] = {"remedy": REMEDIES, "outbox": OUTBOX, "run": RUNS}
"""The tables whose every state stands in the log, by the name that the log gives them."""

BY_MIGRATION: Final = "migration"
"""Who tells, in the log, of what a ledger held before there was one."""

_STEPS: Final[Mapping[str, frozenset[tuple[str, str]]]] = {
    "remedy": frozenset(
        {
            ("proposed", "approved"),
            ("proposed", "held"),
            ("held", "approved"),
            *((before, after) for before in ("held", "approved") for after in ("rejected", "withdrawn")),
        }
    ),
    "outbox": frozenset((str(before), str(after)) for before, following in FORWARD.items() for after in following),
    "run": frozenset(
        {(RECORDING, RELEASED), (RECORDING, HELD), (RECORDING, WITHDRAWN), (HELD, RELEASED), (HELD, WITHDRAWN)}
    ),
}
"""The states that may follow one another."""


def chain(connection: Connection, _now: int) -> Iterator[Breach]:
    """The first row at which the chain of digests breaks; from there on the log says nothing."""
    problem = first_break(entries(connection))
    if problem:
        number = problem.removeprefix("audit row ").partition(" ")[0]
        yield Breach("audit", number, problem)


def births(connection: Connection, _now: int) -> Iterator[Breach]:
    """Rows of which the log does not tell how they began. A run that has not been judged has no state to tell of."""
    for entity, table in WATCHED.items():
        key = _key(table)
        told = select(AUDIT.c.number).where(AUDIT.c.entity == entity, AUDIT.c.entity_id == key)
        first = told.where(AUDIT.c.before.is_(None)) if entity != "run" else told
        query = select(key).where(~first.exists())
        if entity == "run":
            query = query.where(RUNS.c.state != RECORDING)
        for row_key in connection.scalars(query):
            yield Breach(table.name, row_key, "the audit log does not tell how it came into being")


def last_words(connection: Connection, _now: int) -> Iterator[Breach]:
    """Rows in another state than the last that the log tells of, and rows that are gone."""
    for entity, table in WATCHED.items():
        last, key = _last(entity), _key(table)
        query = (
            select(last.c.entity_id, last.c.number, last.c.after, table.c.state)
            .select_from(last.outerjoin(table, key == last.c.entity_id))
            .where(table.c.state.is_distinct_from(last.c.after))
        )
        for row in connection.execute(query):
            told = f"row {row.number} of the audit log left it {row.after}"
            stands = "is gone" if row.state is None else f"is {row.state}"
            yield Breach(table.name, row.entity_id, f"{stands}, and {told}")


def steps(connection: Connection, _now: int) -> Iterator[Breach]:
    """Rows of the log that do not go on where the one before them ended, or take a step that there is not."""
    for entity, allowed in _STEPS.items():
        earlier = func.lag(AUDIT.c.after).over(partition_by=AUDIT.c.entity_id, order_by=AUDIT.c.number)
        row = (AUDIT.c.number, AUDIT.c.entity_id, AUDIT.c.before, AUDIT.c.after, earlier.label("earlier"))
        log = select(*row).where(AUDIT.c.entity == entity).subquery()
        begins = func.coalesce(log.c.earlier, RECORDING) if entity == "run" else log.c.earlier
        step = log.c.before + ">" + log.c.after
        is_born = log.c.earlier.is_(None) & log.c.before.is_(None)
        goes_on = log.c.before.is_not_distinct_from(begins) & step.in_([">".join(pair) for pair in sorted(allowed)])
        for wrong in connection.execute(select(log).where(~(is_born | func.coalesce(goes_on, false())))):
            told = f"{entity} {wrong.entity_id} from {wrong.before or 'nothing'} to {wrong.after}"
            yield Breach("audit", str(wrong.number), f"it takes {told}, and it was {wrong.earlier or 'nothing'} before")


def is_older_than_the_log(entity: Entity, key: ColumnElement[str], state: str | None = None) -> ColumnElement[bool]:
    """Whether the ledger held this, in this state, before it had an audit log, which tells only that it was there."""
    told = select(AUDIT.c.number).where(
        AUDIT.c.entity == entity,
        AUDIT.c.entity_id == key,
        AUDIT.c.actor == BY_MIGRATION,
        AUDIT.c.before.is_(None),
    )
    return (told if state is None else told.where(AUDIT.c.after == state)).exists()


def _last(entity: str) -> Subquery:
    newest = (
        select(func.max(AUDIT.c.number).label("number"))
        .where(AUDIT.c.entity == entity)
        .group_by(AUDIT.c.entity_id)
        .subquery()
    )
    row = (AUDIT.c.entity_id, AUDIT.c.number, AUDIT.c.after)
    return select(*row).join(newest, newest.c.number == AUDIT.c.number).subquery("last")


def _key(table: Table) -> ColumnElement[str]:
    (key,) = table.primary_key.columns
    return key
