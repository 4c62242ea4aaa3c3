"""What a stream writes to the ledger, told line by line while it is written; nothing here touches the stream."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, select

from remediation.database import open_ledger
from remediation.ledger.book import remedy_of
from remediation.ledger.run import RECORDING
from remediation.ledger.tables import FINDINGS, ORDER_LINES, REMEDIES, REMEDY_FINDINGS, RUNS
from remediation.money import Money
from remediation.report.formats import amount, moment, one_line
from remediation.report.words import title_text

POLL_S: Final = 0.5


class Watch:
    """Looks at the slices of streams from `since` on, milliseconds since the epoch; tells each thing once."""

    def __init__(self, ledger: Engine, since: int) -> None:
        self._ledger = ledger
        self._since = since
        self._remedies: set[str] = set()
        self._slices: set[str] = set()

    def look(self) -> Iterator[str]:
        """What is new, a line each: remedies with what they rest on, and slices that have been judged."""
        with self._ledger.connect() as connection:
            yield from self._new_remedies(connection)
            yield from self._judged(connection)

    def _new_remedies(self, connection: Connection) -> Iterator[str]:
        of_slices = (RUNS.c.kind == "stream") & (RUNS.c.as_of > self._since)
        query = (
            select(REMEDIES, ORDER_LINES.c.title)
            .join(RUNS, RUNS.c.run_id == REMEDIES.c.run_id)
            .join(ORDER_LINES, ORDER_LINES.c.order_line_id == REMEDIES.c.order_line_id)
            .where(of_slices)
            .order_by(RUNS.c.as_of, REMEDIES.c.remedy_id)
        )
        for row in connection.execute(query).all():
            if row.remedy_id not in self._remedies:
                self._remedies.add(row.remedy_id)
                kinds, last = _found(connection, row.remedy_id)
                remedy = remedy_of(row, ())
                owed = amount(Money(remedy.amount, remedy.currency)) if remedy.amount else "goods"
                title = one_line(title_text(row.title))
                yield f"{moment(last)}  {kinds}  {title} ({one_line(row.order_line_id)}): {owed}, {row.state}"

    def _judged(self, connection: Connection) -> Iterator[str]:
        query = (
            select(RUNS.c.run_id, RUNS.c.as_of, RUNS.c.state, RUNS.c.counts, RUNS.c.trips)
            .where(RUNS.c.kind == "stream", RUNS.c.as_of > self._since, RUNS.c.state != RECORDING)
            .order_by(RUNS.c.as_of)
        )
        for row in connection.execute(query).all():
            if row.run_id in self._slices:
                continue
            self._slices.add(row.run_id)
            records, sessions = (row.counts.get(name, 0) for name in ("records", "sessions"))
            reasons = [one_line(trip["reason"], 500) for trip in row.trips or ()]
            if reasons or records or sessions:
                told = f"slice {row.state}: {records:,} records, {sessions:,} sessions closed"
                yield ". ".join([f"{moment(row.as_of)}  {told}", *reasons])


def _found(connection: Connection, remedy_id: str) -> tuple[str, int]:
    """The kinds of what a remedy rests on, and when the last of it happened."""
    query = (
        select(FINDINGS.c.kind, FINDINGS.c.occurred_to)
        .join(REMEDY_FINDINGS, REMEDY_FINDINGS.c.finding_id == FINDINGS.c.finding_id)
        .where(REMEDY_FINDINGS.c.remedy_id == remedy_id)
    )
    found = connection.execute(query).all()
    return ", ".join(sorted({row.kind for row in found})), max(row.occurred_to for row in found)


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
