"""The rivals answer as a plain loop over one session's records does."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from tests.benchmarks.events import Telemetry, write_parquet
from tests.benchmarks.rivals import write_sessions

pytestmark = pytest.mark.benchmark

WAITS = {"stalled", "waiting"}


class Answer(NamedTuple):
    startup_ms: int | None
    stall_count: int
    stall_ms: int
    seek_wait_ms: int


def told_by_hand(records: Sequence[tuple[int, int, str | None]]) -> Answer:
    """(sequence, event time, state) of one session, any order, with repeats."""
    once = sorted(set(records))
    began, startup_ms, state, stretch = once[0][1], None, "starting", "starting"
    stall_count = stall_ms = seek_wait_ms = 0
    stalled = False
    for (_, now, change), (_, until, _) in zip(once, [*once[1:], once[-1]], strict=True):
        state = change or state
        if change in {"playing", "seeking", "paused", "ended", "quit"}:
            stretch = change
        if state == "playing" and startup_ms is None:
            startup_ms = now - began
        was_stalled, stalled = stalled, startup_ms is not None and stretch == "playing" and state in WAITS
        stall_count += stalled and not was_stalled
        stall_ms += (until - now) * stalled
        seek_wait_ms += (until - now) * (startup_ms is not None and stretch == "seeking")
    return Answer(startup_ms, stall_count, stall_ms, seek_wait_ms)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_rival_gives_the_answer_of_a_plain_loop(engine: str, tmp_path: Path) -> None:
    source, target = tmp_path / "events.parquet", tmp_path / "sessions.parquet"
    write_parquet(Telemetry(500), source)
    write_sessions(engine, source, target)
    records = pl.read_parquet(source).partition_by("session_id", as_dict=True)
    by_hand = {
        session_id: told_by_hand(part.select("sequence", "event_time", "state").rows())
        for (session_id,), part in records.items()
    }
    table = pl.read_parquet(target).select("session_id", *Answer._fields)
    assert {row[0]: Answer(*row[1:]) for row in table.iter_rows()} == by_hand
    assert sum(answer.stall_count for answer in by_hand.values()) > 20
    assert sum(answer.seek_wait_ms for answer in by_hand.values()) > 100_000
