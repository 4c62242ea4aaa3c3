"""When a session of a stream is over, told by its records alone.

A session is over once its last record is an end and the allowed lateness has passed
after it, or once it has been silent for the session gap and the lateness. Records
that come later than that were marked as late where they were read, so that the same
records close in the same slice on every engine, whenever its timers fire.
"""

from dataclasses import dataclass
from typing import Final, Self, TypeVar

import polars as pl

from detectors.playback.rules import Timeline
from detectors.schemas import Channel, State
from pipelines.streaming.clock import stream_times

Moment = TypeVar("Moment", int, pl.Expr)

ENDS: Final = pl.Series(["ended", "failed", "quit"], dtype=State)

OVER: Final = pl.Schema({"session_id": pl.String(), "until": pl.Int64()})
"""Sessions that are over; of one that its player ended, more is a stray up to `until`, in ms since the epoch."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a stream waits, in milliseconds.

    `gap_ms` of silence end a session, `lateness_ms` are allowed to records that come
    late, and sessions close at whole multiples of `tick_ms`.
    """

    gap_ms: int
    lateness_ms: int
    tick_ms: int

    @classmethod
    def of(cls, timeline: Timeline, lateness_ms: int, tick_ms: int) -> Self:
        """The session gap is the policy's, as in a nightly run."""
        return cls(timeline.session_gap_ms, lateness_ms, tick_ms)

    def tick(self, moment: Moment) -> Moment:
        """The tick at which the lateness after a moment has passed."""
        return (moment + self.lateness_ms + self.tick_ms - 1) // self.tick_ms * self.tick_ms


@dataclass(frozen=True, slots=True)
class Closed:
    """What a tick makes of a partition.

    `closed` are the rows of the sessions that are over, `strays` those of sessions
    that were closed before, `kept` what of the new rows goes on waiting; `over` is
    `OVER`. `due` is when the next session closes and `oldest` the oldest stream time
    that waits, in ms since the epoch; null where nothing waits.
    """

    closed: pl.DataFrame
    strays: pl.DataFrame
    kept: pl.DataFrame
    over: pl.DataFrame
    due: int | None
    oldest: int | None


def earliest_due(events: pl.DataFrame, patience: Patience) -> int | None:
    """The first tick at which any session of these events could close; null without events."""
    if events.is_empty():
        return None
    silence = (~ends(events)).cast(pl.Int64) * patience.gap_ms
    return patience.tick(int((stream_times(events) + silence).to_numpy().min()))


def on_timeline(events: pl.DataFrame) -> pl.Series:
    """Marks what the player itself reported: requests and log lines may follow its last word."""
    return events["channel"] <= Channel.CMCD_EVENT


def ends(events: pl.DataFrame) -> pl.Series:
    """Marks reports of a session's end."""
    if "state" not in events.columns:
        return pl.repeat(value=False, n=events.height, eager=True)
    return events["state"].is_in(ENDS.implode()).fill_null(value=False)
