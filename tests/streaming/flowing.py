"""A stream without an engine: blocks come, the watermark moves, ticks pass; and what an engine could do otherwise."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import polars as pl

from detectors import schemas
from detectors.playback.sessions import sessionize
from detectors.schemas import EVENTS
from pipelines.streaming.clock import stream_times
from pipelines.streaming.closing import Closed, Patience, earliest_due
from pipelines.streaming.spreading import in_time
from pipelines.streaming.waiting import Ticked, Waiting
from tests.detectors.playback.evenings import RULES

PATIENCE = Patience(gap_ms=RULES.timeline.session_gap_ms, lateness_ms=120_000, tick_ms=5_000)


@dataclass
class Flow:
    """One partition. `tables` are the sessions of each tick, `late` and `strays` what came too late.

    Every `forgets` ticks nothing of it is left but what the engine keeps; every
    `shortens` ticks that is made short.
    """

    patience: Patience = PATIENCE
    watermark: int | None = None
    due: int | None = None
    forgets: int = 1_000_000
    shortens: int = 1_000_000
    fresh: list[pl.DataFrame] = field(default_factory=lambda: [EVENTS.to_frame()])
    kept: list[Ticked] = field(default_factory=list)
    over: list[Ticked] = field(default_factory=list)
    tables: list[tuple[int, pl.DataFrame]] = field(default_factory=list)
    late: list[pl.DataFrame] = field(default_factory=list)
    strays: list[pl.DataFrame] = field(default_factory=list)
    used: list[pl.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.patience)
        self.ticked = 0

    def block(self, events: pl.DataFrame) -> None:
        """The reader gives a block; its own times move the watermark only after it."""
        times = stream_times(events)
        reached = int(times.min()) if self.watermark is None else self.watermark  # type: ignore[arg-type]
        told, late = in_time(events, reached, self.patience)
        self.late.append(late)
        if told.height:
            self.fresh.append(told)
            due = earliest_due(told, self.patience)
            # A timer behind the watermark would output what windows have closed upon.
            assert due is not None
            assert self.watermark is None or due > self.watermark
            self._wake(due)
        self.moved_to(int(times.max()))  # type: ignore[arg-type]

    def moved_to(self, watermark: int) -> None:
        """Event time passes, and the timer fires as often as it is due."""
        self.watermark = max(watermark, self.watermark or watermark)
        while self.due is not None and self.due - 1 <= self.watermark:
            at, self.due = self.due, None
            closed = self._tick(at)
            self.strays.append(closed.strays)
            if closed.closed.height:
                self.used.append(closed.closed)
                self.tables.append((at, sessionize(closed.closed, RULES).sessions))
            self._wake(closed.due)

    def _tick(self, at: int) -> Closed:
        self.ticked += 1
        closed = self.waiting.close(pl.concat(self.fresh), at)
        self.fresh = [EVENTS.to_frame()]
        self.kept.append((at, closed.kept))
        self.over.append((at, closed.over))
        if self.ticked % self.shortens == 0:
            self.kept, self.over = self.waiting.short(at)
        if self.ticked % self.forgets == 0:
            self.waiting = Waiting(self.patience, self.kept, self.over)
        return closed

    def ended(self) -> "Flow":
        """Nothing comes any more."""
        self.moved_to(2**53)
        return self

    @property
    def sessions(self) -> pl.DataFrame:
        """All sessions, by id and start."""
        return in_order([table for _, table in self.tables])

    @property
    def in_time(self) -> pl.DataFrame:
        """The events that the stream took."""
        return pl.concat([EVENTS.to_frame(), *self.used])

    def _wake(self, at: int | None) -> None:
        if at is not None:
            self.due = at if self.due is None else min(at, self.due)


def in_order(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Tables of sessions as one."""
    empty = schemas.SESSIONS_WITH_EVIDENCE.to_frame()
    return pl.concat([empty, *tables]).sort("session_id", "started_at")


def blocks(events: pl.DataFrame, sizes: Sequence[int]) -> Iterator[pl.DataFrame]:
    """The events in their order, so many at a time, over and over."""
    start = turn = 0
    while start < events.height:
        yield events.slice(start, sizes[turn % len(sizes)])
        start += sizes[turn % len(sizes)]
        turn += 1


def arriving(events: pl.DataFrame, random: Random, disorder_ms: int) -> pl.DataFrame:
    """In an order in which networks could bring them: none more than so much behind its time."""
    delay = pl.Series([random.randint(0, disorder_ms) for _ in range(events.height)], dtype=pl.Int64)
    return events.sort(stream_times(events) + delay)
