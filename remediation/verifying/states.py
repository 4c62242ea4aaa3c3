"""What the tables' own constraints hold, looked at once more: a constraint can be dropped, or never have been there."""

from collections.abc import Iterator
from typing import Final, get_args

from sqlalchemy import Column, Connection, func, select

from remediation.ledger.control import Mode
from remediation.ledger.control_tables import BUDGETS, CONTROL, SPENDINGS
from remediation.ledger.run import HELD, RECORDING, RELEASED, WITHDRAWN
from remediation.ledger.tables import ORDER_LINES, OUTBOX, POSTINGS, REMEDIES, RUNS
from remediation.outbox.states import State
from remediation.remedy import RemedyState
from remediation.verifying.breach import Breach, key

_STATES: Final = (
    (OUTBOX.c.state, tuple(State)),
    (REMEDIES.c.state, get_args(RemedyState)),
    (RUNS.c.state, (RECORDING, RELEASED, HELD, WITHDRAWN)),
    (CONTROL.c.mode, tuple(Mode)),
)
_MONEY: Final[tuple[Column[int], ...]] = (
    ORDER_LINES.c.amount_minor,
    ORDER_LINES.c.shipping_minor,
    ORDER_LINES.c.owed_minor,
    REMEDIES.c.amount,
    OUTBOX.c.amount_minor,
    POSTINGS.c.amount_minor,
    BUDGETS.c.cap,
    BUDGETS.c.spent,
    SPENDINGS.c.amount,
)


def known(connection: Connection, _now: int) -> Iterator[Breach]:
    """Rows in a state that there is not."""
    for state, names in _STATES:
        for row in connection.execute(select(*_keys(state), state).where(state.not_in(names))):
            yield Breach(state.table.name, key(row[:-1]), f"{row[-1]!r} is no {state.name} of it")


def integers(connection: Connection, _now: int) -> Iterator[Breach]:
    """Amounts that are no whole numbers, which only SQLite lets into a column of integers."""
    if connection.dialect.name != "sqlite":
        return
    for amount in _MONEY:
        kind = func.typeof(amount)
        for row in connection.execute(select(*_keys(amount), kind).where(kind.not_in(("integer", "null")))):
            yield Breach(amount.table.name, key(row[:-1]), f"{amount.name} is {row[-1]}, and no integer")


def references(connection: Connection, _now: int) -> Iterator[Breach]:
    """Rows whose other half is gone, which only SQLite can lose: it checks references only where it is asked to."""
    if connection.dialect.name != "sqlite":
        return
    for table, row, other, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield Breach(table, f"row {row}", f"it names a row of {other} that is not there")


def _keys(column: Column[int] | Column[str]) -> tuple[Column[str], ...]:
    return tuple(column.table.primary_key.columns)
