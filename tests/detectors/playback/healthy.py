"""A healthy night: sessions as the published base rates have them, and nothing else that a service must make good.

Base rates (Puffer, 637,189 streams): 4 in 100 streams stall at all, 0.17 % of what is watched is stalled, half of the
starts take 0.3 s and 99 in 100 at most 3.4 s. Lengths and stalls have heavy tails. Our choice: everybody begins on the
lowest rung for some seconds and climbs, and a third pauses or looks for scenes, which makes them wait, too.
"""

from typing import Final

import numpy as np
import polars as pl

from detectors import schemas
from detectors.playback.groups import Floats, Ints

STALLING: Final = 0.04
STALLED_RATIO: Final = 0.0017
STALL_SPREAD: Final = 1.5
START_MEDIAN_MS: Final = 300
START_SPREAD: Final = float(np.log(3_400 / 300)) / 2.326  # 99 in 100 lie below 2.326 standard deviations
LENGTH_MEDIAN_MS: Final = 600_000
LENGTH_SPREAD: Final = 1.2
LONGEST_MS: Final = 3 * 3_600_000
INTERRUPTING: Final = 1 / 3
BEAT_MS: Final = 10_000
RUNGS: Final = np.array([[235, 180], [750, 360], [1_750, 480], [3_000, 720], [5_800, 1_080]])
RUNG_WEIGHTS: Final = (0.0, 0.0, 0.1, 0.2, 0.7)


def a_healthy_night(sessions: int, seed: int) -> pl.DataFrame:
    """`schemas.EVENTS` of so many sessions, the same for the same seed."""
    draw = np.random.default_rng(seed)
    everybody = np.arange(sessions)
    length = np.clip(_heavy(draw, sessions, LENGTH_MEDIAN_MS, LENGTH_SPREAD), BEAT_MS, LONGEST_MS).astype(np.int64)
    beats = length // BEAT_MS
    beat = BEAT_MS * pl.int_ranges(1, pl.Series(beats), eager=True).explode(empty_as_null=False).drop_nulls().to_numpy()
    start = _heavy(draw, sessions, START_MEDIAN_MS, START_SPREAD)
    course = pl.concat(
        [
            _rows(everybody, 0 * everybody, "starting", start),
            _rows(everybody, 0 * everybody, "playing"),
            _rows(np.repeat(everybody, np.maximum(beats - 1, 0)), beat, None),
            *_stalls(draw, length),
            *_interludes(draw, length),
            _rows(everybody, length, "ended"),
        ]
    )
    best, climb = draw.choice(len(RUNGS), sessions, p=RUNG_WEIGHTS), draw.integers(4_000, 16_000, sessions)
    return _events(course, best, climb)


def _heavy(draw: np.random.Generator, size: int, median: float, spread: float) -> Floats:
    return median * np.exp(spread * draw.standard_normal(size))


def _rows(session: Ints, at: Ints, state: str | None, waits: Floats | float = 0.0) -> pl.DataFrame:
    """Records at a time of play; what follows one waits for so many milliseconds."""
    return pl.DataFrame({"session": session, "at": at}).with_columns(
        state=pl.lit(state, dtype=schemas.State), waits=pl.Series(np.broadcast_to(waits, session.size)).cast(pl.Int64)
    )


def _stalls(draw: np.random.Generator, length: Ints) -> list[pl.DataFrame]:
    """Those of the few whose line is bad: their shares of what the night stalls in all, in one piece or in several."""
    stalling = np.flatnonzero(draw.random(length.size) < STALLING)
    share = _heavy(draw, stalling.size, 1.0, STALL_SPREAD)
    total = share / share.sum() * length.sum() * STALLED_RATIO
    number = draw.geometric(0.5, stalling.size)
    return _stops(draw, length, "stalled", np.repeat(stalling, number), np.repeat(total / number, number))


def _interludes(draw: np.random.Generator, length: Ints) -> list[pl.DataFrame]:
    """What viewers do of their own: pauses of any length, and seeks, whose waits are no stalls."""
    own = np.flatnonzero(draw.random(length.size) < INTERRUPTING)
    seeking, pausing = (np.repeat(own, draw.geometric(chance, own.size)) for chance in (0.3, 0.6))
    return [
        *_stops(draw, length, "seeking", seeking, draw.uniform(200, 3_000, seeking.size)),
        *_stops(draw, length, "paused", pausing, draw.uniform(2_000, 600_000, pausing.size)),
    ]


def _stops(draw: np.random.Generator, length: Ints, state: str, session: Ints, waits: Floats) -> list[pl.DataFrame]:
    """Waits at any time of play, each with the player's beats in it, as it sends them while the picture stands."""
    at = (draw.random(session.size) * length[session]).astype(np.int64)
    beats = (waits // BEAT_MS).astype(np.int64)
    return [
        _rows(session, at, state, waits - beats * BEAT_MS),
        _rows(np.repeat(session, beats), np.repeat(at, beats), None, BEAT_MS),
        _rows(session, at, "playing"),
    ]


def _events(course: pl.DataFrame, best: Ints, climb: Ints) -> pl.DataFrame:
    """Records on the client's clock, each with what was on the screen."""
    course = course.sort("session", "at", maintain_order=True)
    waited = pl.col("waits").cum_sum().over("session") - pl.col("waits")
    session, at = course["session"].to_numpy(), course["at"].to_numpy()
    rung = RUNGS[np.where(at < climb[session], 0, best[session])]
    events = course.select(
        session_id=pl.format("s{}", "session"),
        event_time=pl.col("at") + waited,
        sequence=pl.int_range(pl.len()).over("session"),
        channel=pl.lit(0, dtype=pl.UInt8),
        state="state",
        bitrate_kbps=pl.Series(rung[:, 0]).cast(pl.Float32),
        top_bitrate_kbps=pl.lit(RUNGS[-1, 0], dtype=pl.Float32),
        height=pl.Series(rung[:, 1]).cast(pl.Int32),
        player_height=pl.lit(1_080, dtype=pl.Int32),
    )
    return schemas.complete(events, schemas.EVENTS)
