"""Telemetry of any size for the benchmarks: the same records for the same size and the same libraries.

A session has forty records, as a player sends them: start, picture, a heartbeat
with the bitrate about every eight seconds and, now and then, a stall, a seek that
waits, a pause or a repeated state. Records lie in the order in which a collector
received them: sessions interleaved, some records late, one in two hundred twice.
About one session in eleven has a stall: more than usual, so that there is something to compare.

Run as `python -m tests.benchmarks.events parquet|jsonl|cmcd SESSIONS PATH`: a process
of its own, so that making much telemetry does not count as memory of who reads it.
"""

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq

from detectors.schemas import STATES, State

Codes = npt.NDArray[np.int64]

RECORDS_A_SESSION: Final = 40
SLICE_SESSIONS: Final = 100_000
EVENING_FROM: Final = 1_795_284_000_000  # 2026-11-21T18:00:00Z
EVENING_MS: Final = 6 * 3_600_000
DUPLICATE_RATIO: Final = 0.005
ROW_GROUP: Final = 500_000
RUNGS: Final = np.array([[150, 144], [365, 240], [700, 360], [1_600, 480], [3_000, 720], [6_000, 1_080]])

RUNG_WEIGHTS: Final = (0.01, 0.01, 0.03, 0.15, 0.3, 0.5)

SAMPLE: Final = -1  # a record without a state


@dataclass(frozen=True, slots=True)
class Unit:
    """Four records in a row: each a state and the time that passed before it, from a range in milliseconds."""

    weight: float
    states: tuple[str | None, str | None, str | None, str | None]
    gaps: tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]

    @property
    def codes(self) -> list[int]:
        """The states as places in `STATES`."""
        return [SAMPLE if state is None else STATES.index(state) for state in self.states]


BEAT: Final = (7_500, 8_500)
WAIT: Final = (200, 6_000)
UNITS: Final = (
    Unit(0.87, (None, None, None, None), (BEAT, BEAT, BEAT, BEAT)),
    Unit(0.04, (None, "playing", None, None), (BEAT, BEAT, BEAT, BEAT)),
    Unit(0.008, (None, "stalled", "playing", None), (BEAT, BEAT, WAIT, BEAT)),
    Unit(0.001, ("stalled", None, "playing", None), (BEAT, (5_000, 8_000), (500, 6_000), BEAT)),
    Unit(0.001, ("stalled", "paused", "playing", None), (BEAT, WAIT, (1_000, 20_000), BEAT)),
    Unit(0.025, ("seeking", "waiting", "playing", None), (BEAT, (10, 60), WAIT, BEAT)),
    Unit(0.02, ("seeking", "stalled", "playing", None), (BEAT, (10, 60), WAIT, BEAT)),
    Unit(0.015, ("seeking", "seeking", "playing", None), (BEAT, (100, 1_900), WAIT, BEAT)),
    Unit(0.02, ("paused", "playing", None, None), (BEAT, (1_000, 25_000), BEAT, BEAT)),
)
UNITS_A_SESSION: Final = 9


@dataclass(frozen=True, slots=True)
class Telemetry:
    """So many sessions of forty records each."""

    sessions: int
    seed: int = 1942

    def slices(self) -> Iterator[pl.DataFrame]:
        """Frames of at most 100,000 sessions, one stretch of the evening after the other."""
        count = -(-self.sessions // SLICE_SESSIONS)
        stretch = EVENING_MS // count
        for number in range(count):
            sessions = min(SLICE_SESSIONS, self.sessions - number * SLICE_SESSIONS)
            rng = np.random.default_rng([self.seed, number])
            yield _evening(rng, sessions, EVENING_FROM + number * stretch, stretch)


def write_parquet(telemetry: Telemetry, path: Path) -> None:
    """The records as Parquet in row groups of half a million."""
    writer: pq.ParquetWriter | None = None
    for frame in telemetry.slices():
        table = frame.cast({"state": pl.String}).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=ROW_GROUP)
    if writer:
        writer.close()


def write_json_lines(telemetry: Telemetry, path: Path) -> None:
    """The records as beacons, one JSON object a line; what is not known is left out."""
    with path.open("wb") as file:
        for frame in telemetry.slices():
            fields = [_json_field(name, dtype) for name, dtype in frame.schema.items()]
            body = pl.concat_str(fields, separator=",", ignore_nulls=True)
            line = pl.concat_str(pl.lit("{"), body, pl.lit("}\n"))
            file.writelines(text.encode() for text in frame.select(line).to_series())


def write_cmcd(telemetry: Telemetry, path: Path) -> None:
    """The records as a collector's lines of CMCD v2 event reports, keys in alphabetical order as players send them."""
    tokens = dict(zip(STATES, ("d", "s", "p", "r", "k", "w", "a", "e", "f", "q"), strict=True))
    members = (
        pl.format("br=({};v 128;a)", "bitrate_kbps"),
        pl.lit('cid=\\"casablanca-1942\\"'),
        pl.when(pl.col("state").is_null()).then(pl.lit("e=t")).otherwise(pl.lit("e=ps")),
        pl.format('sf=d,sid=\\"{}\\",sn={}', "session_id", "sequence"),
        pl.format("sta={}", pl.col("state").cast(pl.String).replace_strict(tokens, return_dtype=pl.String)),
        pl.format("tb=({};v 128;a)", "top_bitrate_kbps"),
        pl.format("ts={},v=2", "event_time"),
    )
    record = pl.concat_str(members, separator=",", ignore_nulls=True)
    head = pl.format('"received_at":{},"mode":"event"', "received_at")
    line = pl.concat_str(pl.lit("{"), head, pl.lit(',"cmcd":"'), record, pl.lit('"}\n'))
    with path.open("wb") as file:
        for frame in telemetry.slices():
            file.writelines(text.encode() for text in frame.select(line).to_series())


def _json_field(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name).cast(pl.String)
    return pl.format(f'"{name}":"{{}}"' if dtype in (pl.String, State) else f'"{name}":{{}}', value)


def _evening(rng: np.random.Generator, sessions: int, starts_from: int, stretch_ms: int) -> pl.DataFrame:
    states, event_time = _timelines(rng, sessions, starts_from, stretch_ms)
    rows = states.size
    owner = np.repeat(np.arange(sessions), RECORDS_A_SESSION)
    usual = rng.choice(len(RUNGS), (sessions, 1), p=RUNG_WEIGHTS)
    moved = np.clip(usual + rng.integers(-1, 2, states.shape), 0, len(RUNGS) - 1)
    rung = np.where(states == SAMPLE, moved, SAMPLE).ravel()
    received_at = event_time.ravel() + rng.integers(30, 400, rows) + (rng.random(rows) < 0.01) * 15_000
    ids = pl.Series(_uuids(rng, sessions))
    frame = pl.DataFrame(
        {
            "session_id": ids.gather(owner),
            "event_time": event_time.ravel(),
            "received_at": received_at,
            "sequence": np.tile(np.arange(RECORDS_A_SESSION), sessions),
            "state": pl.Series(states.ravel()).replace_strict(
                range(len(STATES)), STATES, default=None, return_dtype=State
            ),
            "bitrate_kbps": _known(RUNGS[rung, 0], rung),
            "top_bitrate_kbps": _known(np.full(rows, RUNGS[-1, 0]), rung),
            "height": _known(RUNGS[rung, 1], rung),
        }
    )
    again = frame.gather(rng.choice(rows, int(rows * DUPLICATE_RATIO), replace=False))
    again = again.with_columns(pl.col("received_at") + 2_000)
    return pl.concat([frame, again]).sort("received_at", "session_id", "sequence")


def _timelines(rng: np.random.Generator, sessions: int, starts_from: int, stretch_ms: int) -> tuple[Codes, Codes]:
    kinds = rng.choice(len(UNITS), (sessions, UNITS_A_SESSION), p=[unit.weight for unit in UNITS])
    middle = np.array([unit.codes for unit in UNITS])[kinds].reshape(sessions, -1)
    gaps = np.array([unit.gaps for unit in UNITS])[kinds].reshape(sessions, -1, 2)
    end = rng.choice([SAMPLE, STATES.index("ended"), STATES.index("quit")], (sessions, 1), p=[0.5, 0.4, 0.1])
    head = np.tile([STATES.index("starting"), STATES.index("playing")], (sessions, 1))
    states = np.hstack([head, middle, np.full((sessions, 1), SAMPLE), end])
    steps = np.hstack(
        [
            rng.integers(starts_from, starts_from + stretch_ms, (sessions, 1)),
            np.minimum(rng.lognormal(6.0, 0.9, (sessions, 1)), 20_000).astype(np.int64),
            rng.integers(gaps[..., 0], gaps[..., 1]),
            rng.integers(*BEAT, (sessions, 2)),
        ]
    )
    return states, np.cumsum(steps, axis=1)


def _known(values: Codes, rung: Codes) -> pl.Series:
    return pl.Series(values).to_frame("value").select(pl.when(pl.Series(rung) != SAMPLE).then("value")).to_series()


def _uuids(rng: np.random.Generator, count: int) -> list[str]:
    return [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(count)]


WRITERS: Final = {"parquet": write_parquet, "jsonl": write_json_lines, "cmcd": write_cmcd}

if __name__ == "__main__":
    WRITERS[sys.argv[1]](Telemetry(int(sys.argv[2])), Path(sys.argv[3]))
