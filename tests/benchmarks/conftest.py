"""Telemetry that the benchmarks share, made once and kept in `out/bench`, and the table that they print."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks.measure import ROOT, Make, Measured, Tell, measure

KEPT: Final = ROOT / "out" / "bench"


@pytest.fixture(scope="session")
def telemetry() -> Make:
    """A file of `form` (parquet, jsonl, cmcd) with so many sessions of forty events."""
    recipe = hashlib.sha256(Path(__file__).with_name("events.py").read_bytes()).hexdigest()[:8]

    def make(form: str, sessions: int) -> Path:
        path = KEPT / f"{sessions}-sessions-{recipe}.{form}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            measure(sys.executable, "-m", "tests.benchmarks.events", form, str(sessions), str(unfinished))
            unfinished.rename(path)
        return path

    return make


@pytest.fixture(scope="session")
def tell() -> Iterator[Tell]:
    """Adds a row to the Markdown table that is printed at the end."""
    titles = ("benchmark", "process s", "of it work s", "CPU s", "peak MB", "result")
    rows: list[tuple[str, ...]] = [titles, ("---",) * len(titles)]

    def add(benchmark: str, took: Measured, result: str = "") -> None:
        work = f"{took.work.wall_s:.2f}" if took.work else ""
        rows.append((benchmark, f"{took.wall_s:.2f}", work, f"{took.cpu_s:.2f}", f"{took.peak_mb:.0f}", result))

    yield add
    print("", *("| " + " | ".join(row) + " |" for row in rows), sep="\n")  # noqa: T201  # the table is the result
