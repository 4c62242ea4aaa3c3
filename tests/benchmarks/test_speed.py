"""The speed and the memory that are demanded, beside rivals, in fresh processes. Only `make bench` runs this.

`MAKEGOOD_BENCH_LARGE=1` adds forty million events, `MAKEGOOD_BENCH_ROUNDS` changes the number of rounds.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from tests.benchmarks.events import RECORDS_A_SESSION
from tests.benchmarks.measure import Make, Measured, Tell, measure, measure_work, typical

pytestmark = pytest.mark.benchmark

MAKEGOOD: Final = str(Path(sys.executable).with_name("makegood"))
ROUNDS: Final = int(os.environ.get("MAKEGOOD_BENCH_ROUNDS", "3"))
LARGE: Final = bool(os.environ.get("MAKEGOOD_BENCH_LARGE"))
COMPARED: Final = ("startup_ms", "stall_count", "stall_ms", "seek_wait_ms")
ONE_CORE: Final = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}


def test_a_night_in_parquet_is_no_slower_than_one_query(telemetry: Make, tell: Tell, tmp_path: Path) -> None:
    source = str(telemetry("parquet", 100_000))
    contestants: Mapping[str, Callable[[str], Measured]] = {
        "makegood sessions": lambda target: measure(MAKEGOOD, "sessions", source, "--out", target),
        "the same once imported": lambda target: measure_work("ours", source, target),
        "Polars, one query": lambda target: measure_work("rivals", "polars", source, target),
        "DuckDB, one query": lambda target: measure_work("rivals", "duckdb", source, target),
    }
    rounds: dict[str, list[Measured]] = {name: [] for name in contestants}
    # In turns, so that whatever else the machine does meets all of them.
    for name in list(contestants) * ROUNDS:
        rounds[name].append(contestants[name](str(tmp_path / f"{name}.parquet")))

    took = {name: typical(each) for name, each in rounds.items()}
    rival = took["Polars, one query"]
    for name, each in took.items():
        tell(f"4 M events, Parquet: {name}", each, f"{ratio(each, rival):.2f} of Polars")

    answers = [answer(tmp_path / f"{name}.parquet") for name in contestants]
    assert all(other.equals(answers[0]) for other in answers[1:])
    assert ratio(took["the same once imported"], rival) <= 1
    assert took["makegood sessions"].peak_mb < 1_000


@pytest.mark.skipif(not LARGE, reason="takes minutes and half a gigabyte of disk; set MAKEGOOD_BENCH_LARGE=1")
def test_ten_times_as_much_stays_small(telemetry: Make, tell: Tell, tmp_path: Path) -> None:
    source = str(telemetry("parquet", 1_000_000))
    took = measure(MAKEGOOD, "sessions", source, "--out", str(tmp_path / "sessions.parquet"))
    tell("40 M events, Parquet: makegood sessions", took)
    assert took.peak_mb < 1_500


@pytest.mark.parametrize(
    ("form", "what", "wanted_a_second"),
    [("jsonl", "JSON Lines", 400_000), ("cmcd", "CMCD collector lines", 150_000)],
    ids=["jsonl", "cmcd"],
)
def test_one_core_decodes_enough(form: str, what: str, wanted_a_second: int, telemetry: Make, tell: Tell) -> None:
    source = str(telemetry(form, 25_000))
    took = typical([measure_work("decoding", source, environment=ONE_CORE) for _ in range(ROUNDS)])
    assert took.work
    assert took.work.count >= 25_000 * RECORDS_A_SESSION
    rate = took.work.count / took.work.cpu_s
    tell(f"1 M events, {what}: decode", took, f"{rate:,.0f} a CPU second")
    assert rate >= wanted_a_second


def ratio(took: Measured, rival: Measured) -> float:
    """Wall clock of the work to that of the rival's, or of the processes where only that is known."""
    if took.work and rival.work:
        return took.work.wall_s / rival.work.wall_s
    return took.wall_s / rival.wall_s


def answer(table: Path) -> pl.DataFrame:
    """What all of them must agree on."""
    return pl.read_parquet(table).sort("session_id").select("session_id", *COMPARED)
