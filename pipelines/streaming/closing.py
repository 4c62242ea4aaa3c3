"""When a session of a stream is over, told by its records alone.

    rows of a partition ──► close(…, at) ─┬► rows of the sessions that are over at `at`
                                          ├► rows that go on waiting, and until when
                                          └► strays: rows of sessions that were closed before

A session is over once its last record is an end and the allowed lateness has passed
after it, or once it has been silent for the session gap and the lateness. Records
that come later than that were marked as late where they were read, so that the same
records close in the same slice on every engine, whenever its timers fire.
"""

from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from detectors.playback.rules import Timeline
from detectors.schemas import Channel, State
from pipelines.streaming.clock import stream_times

ENDS: Final = pl.Series(["ended", "failed", "quit"], dtype=State)

GONE: Final = pl.Schema({"session_id": pl.String(), "until": pl.Int64()})
"""Sessions that were closed by their end: up to `until`, in ms since the epoch, more of them is a stray."""


_NEVER: Final = -(2**62)


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


@dataclass(frozen=True, slots=True)
class Closed:
    """A partition at one moment: what closes, what goes on waiting, and what came too late.

    `gone` is `GONE`: what must be remembered of the sessions that have been closed.
    `due` is when the next session closes and `oldest` the oldest stream time that
    waits, in ms since the epoch; null where nothing waits.
    """

    closed: pl.DataFrame
    waiting: pl.DataFrame
    strays: pl.DataFrame
    gone: pl.DataFrame
    due: int | None
    oldest: int | None


def earliest_due(events: pl.DataFrame, patience: Patience) -> int | None:
    """The first tick at which any session of these events could close; null without events."""
    if events.is_empty():
        return None
    silence = (~_ends(events)).cast(pl.Int64) * patience.gap_ms
    first = int((stream_times(events) + silence).to_numpy().min()) + patience.lateness_ms
    return -(-first // patience.tick_ms) * patience.tick_ms


def close(rows: pl.DataFrame, gone: pl.DataFrame, at: int, patience: Patience) -> Closed:
    """Closes what is over at the tick `at`.

    Args:
      rows: `schemas.EVENTS`, everything that waits in one partition; columns that are null throughout may be absent.
      gone: `GONE`, as the call before left it.
      at: the tick, in ms since the epoch.
      patience: how long is waited.
    """
    timed = rows.with_columns(
        _id=pl.col("session_id").cast(pl.String), _time=stream_times(rows), _told=_on_timeline(rows), _end=_ends(rows)
    )
    timed = timed.join(gone, left_on="_id", right_on="session_id", how="left").with_columns(
        _stray=pl.col("_time") <= pl.col("until").fill_null(_NEVER)
    )
    sessions = _sessions(timed.filter(~pl.col("_stray")), patience)
    over = sessions.filter(pl.col("due") <= at)
    still = sessions.filter(pl.col("due") > at)
    is_over = pl.col("_id").is_in(over["session_id"].implode())
    kept = gone.filter(pl.col("until") + patience.lateness_ms > at)
    by_end = over.filter("ended").select("session_id", until=pl.col("last") + patience.gap_ms)
    return Closed(
        closed=timed.filter(is_over & ~pl.col("_stray")).select(rows.columns),
        waiting=timed.filter(~is_over & ~pl.col("_stray")).select(rows.columns),
        strays=timed.filter("_stray").select(rows.columns),
        gone=pl.concat([kept, by_end]),
        due=_least(still["due"]),
        oldest=_least(still["first"]),
    )


def _sessions(timed: pl.DataFrame, patience: Patience) -> pl.DataFrame:
    """Each session's last record, whether the player's own last word was an end, and when it is due."""
    last_word = pl.col("_time").filter("_told").max()
    sessions = timed.group_by(session_id="_id").agg(
        first=pl.col("_time").min(),
        last=pl.col("_time").max(),
        # Where an end and another report carry the same time, the end is the last word.
        ended=pl.col("_end").filter(pl.col("_told") & (pl.col("_time") == last_word)).any(),
    )
    silence = pl.when("ended").then(0).otherwise(patience.gap_ms)
    return sessions.with_columns(due=_up(pl.col("last") + silence + patience.lateness_ms, patience))


def _on_timeline(events: pl.DataFrame) -> pl.Series:
    """Marks what the player itself reported: requests and log lines may follow its last word."""
    return events["channel"] <= Channel.CMCD_EVENT


def _ends(events: pl.DataFrame) -> pl.Series:
    if "state" not in events.columns:
        return pl.repeat(value=False, n=events.height, eager=True)
    return events["state"].is_in(ENDS.implode()).fill_null(value=False)


def _up(moment: pl.Expr, patience: Patience) -> pl.Expr:
    return (moment + patience.tick_ms - 1) // patience.tick_ms * patience.tick_ms


def _least(column: pl.Series) -> int | None:
    return None if column.is_empty() else int(column.to_numpy().min())
