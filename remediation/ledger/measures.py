"""What a ledger can be watched by: counts, sums and times, by words of a list, and nothing of anybody."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, and_, case, func, or_, select

from remediation.ledger.run import HELD, RECORDING, RELEASED, RunKind
from remediation.ledger.tables import OUTBOX, REMEDIES, RUN_INPUTS, RUNS
from remediation.outbox.states import State

FATES: Final = ("used", "duplicate", "rejected", "late")
"""What becomes of records, each of which has one of these."""


@dataclass(frozen=True, slots=True)
class RunMeasures:
    """The runs of one kind: how many stand how, what the judged ones came to, and what their remedies owe.

    `newest_as_of` is the moment of the latest judged run, in milliseconds since the
    epoch. `held` counts, by guard, the runs that wait for a person. `remedies` are
    (number, minor units) by state and currency.
    """

    kind: RunKind
    runs: Mapping[str, int]
    newest_as_of: int | None
    records: Mapping[str, int]
    sessions: int
    findings: Mapping[str, int]
    bytes: int
    held: Mapping[str, int]
    remedies: Mapping[tuple[str, str], tuple[int, int]]


@dataclass
class Runs:
    """Adds up the runs of one kind that were judged with a moment after `since`, reading each one once."""

    kind: RunKind
    since: int = -1
    _counts: Counter[str] = field(default_factory=Counter)
    _newest: int | None = None

    def read(self, connection: Connection) -> RunMeasures:
        """As it stands now."""
        self._add_new(connection)
        prefix = "findings_"
        return RunMeasures(
            kind=self.kind,
            runs=_grouped(connection, self.kind),
            newest_as_of=self._newest,
            records={fate: self._counts[fate] for fate in FATES},
            sessions=self._counts["sessions"],
            findings={
                name.removeprefix(prefix): count
                for name, count in sorted(self._counts.items())
                if name.startswith(prefix)
            },
            bytes=self._counts["bytes"],
            held=_held(connection, self.kind),
            remedies=_remedies(connection, self.kind),
        )

    def _add_new(self, connection: Connection) -> None:
        new = and_(RUNS.c.kind == self.kind, RUNS.c.state != RECORDING, RUNS.c.as_of > self.since)
        for row in connection.execute(select(RUNS.c.as_of, RUNS.c.counts).where(new).order_by(RUNS.c.as_of)):
            self._counts.update(row.counts)
            self._newest = row.as_of
        telemetry = and_(RUN_INPUTS.c.role == "telemetry", new)
        size = select(func.sum(RUN_INPUTS.c.bytes)).join(RUNS, RUNS.c.run_id == RUN_INPUTS.c.run_id).where(telemetry)
        self._counts["bytes"] += int(connection.scalar(size) or 0)
        self.since = max(self.since, self._newest or self.since)


def _grouped(connection: Connection, kind: RunKind) -> Mapping[str, int]:
    query = select(RUNS.c.state, func.count()).where(RUNS.c.kind == kind).group_by(RUNS.c.state)
    return {str(state): count for state, count in connection.execute(query)}


def _held(connection: Connection, kind: RunKind) -> Mapping[str, int]:
    trips = connection.scalars(select(RUNS.c.trips).where(RUNS.c.kind == kind, RUNS.c.state == HELD))
    return Counter(guard for each in trips for guard in {trip["guard"] for trip in each or ()})


def _remedies(connection: Connection, kind: RunKind) -> Mapping[tuple[str, str], tuple[int, int]]:
    by = (REMEDIES.c.state, REMEDIES.c.currency)
    query = select(*by, func.count(), func.sum(REMEDIES.c.amount)).join(RUNS, RUNS.c.run_id == REMEDIES.c.run_id)
    rows = connection.execute(query.where(RUNS.c.kind == kind).group_by(*by).order_by(*by))
    return {(state, currency): (count, int(minor)) for state, currency, count, minor in rows}


@dataclass(frozen=True, slots=True)
class OutboxMeasures:
    """What is to be sent and what was: items by kind and state, and refunds that the provider has taken on.

    `oldest` is by kind since when something has been due that is not done: its hour or
    the moment of its run, whichever is later, in milliseconds since the epoch.
    `refunded` is in minor units by currency.
    """

    items: Mapping[tuple[str, str], int]
    oldest: Mapping[str, int]
    refunded: Mapping[str, int]


def read_outbox(connection: Connection, now_ms: int) -> OutboxMeasures:
    """As it stands now. What waits for a person, or for its run, is not due."""
    by = (OUTBOX.c.kind, OUTBOX.c.state)
    items = connection.execute(select(*by, func.count()).group_by(*by).order_by(*by))
    begun = OUTBOX.c.state.in_((State.SENDING, State.UNKNOWN))
    due = or_(begun, and_(OUTBOX.c.state == State.APPROVED, OUTBOX.c.not_before <= now_ms, RUNS.c.state == RELEASED))
    since = case((OUTBOX.c.not_before > RUNS.c.as_of, OUTBOX.c.not_before), else_=RUNS.c.as_of)
    oldest = (
        select(OUTBOX.c.kind, func.min(since))
        .join(REMEDIES, REMEDIES.c.remedy_id == OUTBOX.c.remedy_id)
        .join(RUNS, RUNS.c.run_id == REMEDIES.c.run_id)
        .where(due)
        .group_by(OUTBOX.c.kind)
    )
    done = and_(OUTBOX.c.kind == "refund", OUTBOX.c.state.in_((State.SENT, State.SETTLED)))
    refunded = select(OUTBOX.c.currency, func.sum(OUTBOX.c.amount_minor)).where(done).group_by(OUTBOX.c.currency)
    return OutboxMeasures(
        items={(kind, str(state)): count for kind, state, count in items},
        oldest={str(kind): first for kind, first in connection.execute(oldest)},
        refunded={currency: int(minor) for currency, minor in connection.execute(refunded) if currency},
    )
