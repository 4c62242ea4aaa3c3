"""What needs somebody: nothing here is wrong in the books, but it does not go on by itself."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, func, or_, select

from remediation.durations import DAY_MS, HOUR_MS
from remediation.ledger.run import RECORDING
from remediation.ledger.tables import OUTBOX, REMEDIES, RUNS
from remediation.outbox.states import State
from remediation.verifying.breach import Breach


def stuck(connection: Connection, now: int) -> Iterator[Breach]:
    """Items in the middle of an attempt for more than an hour, or whose next attempt is more than a day overdue."""
    row = OUTBOX.c
    broken_off = and_(row.retry_at.is_(None), func.coalesce(row.claimed_at, 0) < now - HOUR_MS)
    query = select(row.outbox_id, row.kind, row.state, row.retry_at).where(
        row.state.in_((State.SENDING, State.UNKNOWN)), or_(broken_off, row.retry_at < now - DAY_MS)
    )
    for item in connection.execute(query.order_by(row.outbox_id)):
        told = "nobody has ended the attempt" if item.retry_at is None else "nobody has tried again for a day"
        yield Breach("outbox", item.outbox_id, f"this {item.kind} is {item.state}, and {told}")


def unfinished(connection: Connection, now: int) -> Iterator[Breach]:
    """Runs that have not come to their end for a day: what they recorded is neither sent nor refused."""
    query = (
        select(RUNS.c.run_id, func.count(REMEDIES.c.remedy_id).label("remedies"))
        .outerjoin(REMEDIES, REMEDIES.c.run_id == RUNS.c.run_id)
        .where(RUNS.c.state == RECORDING, RUNS.c.as_of < now - DAY_MS)
        .group_by(RUNS.c.run_id)
        .order_by(RUNS.c.run_id)
    )
    for row in connection.execute(query):
        yield Breach("runs", row.run_id, f"it has not come to its end, and {row.remedies} remedies of it wait")
