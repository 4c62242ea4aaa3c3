"""Erases what is older than the policy keeps it, a few thousand rows at a time; the books are not touched.

Who writes meanwhile waits for one portion at most. A run that breaks off has erased
what it says in the log, and the next one goes on from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from sqlalchemy import Connection, Engine, bindparam, delete, update

from remediation.database import writing
from remediation.durations import DAY_MS
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.sql import Row
from remediation.retention.needed import needed_lines
from remediation.retention.rules import RetentionRules
from remediation.retention.sweeps import SWEEPS, Sweep

PORTION_ROWS: Final = 5_000
PASS_ROWS: Final = 100_000
"""So many keys are found at once: what is needed is worked out once for all of them."""


def retain(engine: Engine, rules: RetentionRules, author: Author) -> Mapping[str, int]:
    """Erases what is too old at the author's moment; returns how much of what, nothing where nothing was.

    Nothing goes that an order line still needs which is judged, disputed, not
    decided or not settled. Each portion is a transaction with its row in the log.
    """
    done = {sweep.what: _sweep(engine, sweep, rules, author) for sweep in SWEEPS}
    return {what: count for what, count in done.items() if count}


def _sweep(engine: Engine, sweep: Sweep, rules: RetentionRules, author: Author) -> int:
    days, count = sweep.days(rules), 0
    query = sweep.old(author.at - days * DAY_MS, needed_lines(author.at)).limit(PASS_ROWS)
    while True:
        with engine.connect() as connection:
            keys = [_named(row._asdict()) for row in connection.execute(query)]
        for portion in _portions(keys):
            with writing(engine) as connection:
                _erase(connection, sweep, portion)
                told = f"{len(portion):,} {sweep.what}, older than {days} days"
                note(connection, author, [Change("control", "retention", None, "erased", told)])
        count += len(keys)
        if len(keys) < PASS_ROWS:
            return count


def _erase(connection: Connection, sweep: Sweep, keys: Sequence[Row]) -> None:
    this = [column == bindparam(f"key_{column.name}") for column in sweep.table.primary_key.columns]
    if sweep.values:
        connection.execute(update(sweep.table).where(*this).values(sweep.values), keys)
    else:
        connection.execute(delete(sweep.table).where(*this), keys)


def _named(row: Mapping[str, object]) -> Row:
    return {f"key_{name}": value for name, value in row.items()}


def _portions(keys: Sequence[Row]) -> Iterator[list[Row]]:
    remaining = iter(keys)
    while portion := list(islice(remaining, PORTION_ROWS)):
        yield portion
