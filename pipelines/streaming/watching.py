"""What a stream writes to the ledger, told line by line while it is written; nothing here touches the stream."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, select

from remediation.database import open_ledger
from remediation.ledger.book import remedy_of
from remediation.ledger.run import RECORDING
from remediation.ledger.sql import chunks
from remediation.ledger.tables import FINDINGS, ORDER_LINES, REMEDIES, REMEDY_FINDINGS, RUNS
from remediation.money import Money
from remediation.report.formats import amount, moment, one_line
from remediation.report.words import title_text

POLL_S: Final = 0.5


class Watch:
    """Looks at the slices of streams from `since` on, milliseconds since the epoch; tells each thing once.

    Nothing is added to a slice that has been judged, and slices are judged one after
    another: what was told of those before need not be looked at again.
    """

    def __init__(self, ledger: Engine, since: int) -> None:
        self._ledger = ledger
        self._since = since
        self._told: set[str] = set()

    def look(self) -> Iterator[str]:
        """What is new, a line each: remedies with what they rest on, and slices that have been judged."""
        with self._ledger.connect() as connection:
            # Asked for first: then a slice that is told has none of its remedies still to come.
            judged = self._judged(connection)
            yield from self._new_remedies(connection)
        for row in judged:
            self._since = row.as_of
            yield from _told(row)

    def _new_remedies(self, connection: Connection) -> Iterator[str]:
        query = select(REMEDIES.c.remedy_id).join(RUNS, RUNS.c.run_id == REMEDIES.c.run_id).where(self._of_slices)
        before, self._told = self._told, set(connection.scalars(query))
        for chunk in chunks(self._told - before):
            yield from _remedies(connection, chunk)

    def _judged(self, connection: Connection) -> Sequence[Row[*tuple[Any, ...]]]:
        query = (
            select(RUNS.c.as_of, RUNS.c.state, RUNS.c.counts, RUNS.c.trips)
            .where(self._of_slices, RUNS.c.state != RECORDING)
            .order_by(RUNS.c.as_of)
        )
        return connection.execute(query).all()

    @property
    def _of_slices(self) -> ColumnElement[bool]:
        return (RUNS.c.kind == "stream") & (RUNS.c.as_of > self._since)


def _remedies(connection: Connection, remedy_ids: list[str]) -> Iterator[str]:
    """Some remedies in the order of their slices: what was found, when the last of it happened, and what is owed."""
    kinds = defaultdict[str, set[str]](set)
    last: dict[str, int] = {}
    found = (
        select(REMEDY_FINDINGS.c.remedy_id, FINDINGS.c.kind, FINDINGS.c.occurred_to)
        .join(FINDINGS, FINDINGS.c.finding_id == REMEDY_FINDINGS.c.finding_id)
        .where(REMEDY_FINDINGS.c.remedy_id.in_(remedy_ids))
    )
    for row in connection.execute(found):
        kinds[row.remedy_id].add(row.kind)
        last[row.remedy_id] = max(row.occurred_to, last.get(row.remedy_id, row.occurred_to))
    query = (
        select(REMEDIES, ORDER_LINES.c.title)
        .join(ORDER_LINES, ORDER_LINES.c.order_line_id == REMEDIES.c.order_line_id)
        .where(REMEDIES.c.remedy_id.in_(remedy_ids))
        .order_by(REMEDIES.c.as_of, REMEDIES.c.remedy_id)
    )
    for row in connection.execute(query).all():
        remedy = remedy_of(row, ())
        owed = amount(Money(remedy.amount, remedy.currency)) if remedy.amount else "goods"
        title = one_line(title_text(row.title))
        told = f"{title} ({one_line(row.order_line_id)}): {owed}, {row.state}"
        yield f"{moment(last[row.remedy_id])}  {', '.join(sorted(kinds[row.remedy_id]))}  {told}"


def _told(row: Row[*tuple[Any, ...]]) -> Iterator[str]:
    """A slice that has been judged, if there was anything in it."""
    records, sessions = (row.counts.get(name, 0) for name in ("records", "sessions"))
    reasons = [one_line(trip["reason"], 500) for trip in row.trips or ()]
    if reasons or records or sessions:
        told = f"slice {row.state}: {records:,} records, {sessions:,} sessions closed"
        yield ". ".join([f"{moment(row.as_of)}  {told}", *reasons])


@contextmanager
def watched(ledger_url: str, since: int, tell: Callable[[str], None]) -> Iterator[None]:
    """Tells what comes into the ledger for as long as the context lasts, and the last of it at its end."""
    ledger = open_ledger(ledger_url)
    watch, over = Watch(ledger, since), threading.Event()

    def follow() -> None:
        while not over.wait(POLL_S):
            for line in watch.look():
                tell(line)

    follower = threading.Thread(target=follow, name="watch", daemon=True)
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join()
        for line in watch.look():
            tell(line)
        ledger.dispose()
