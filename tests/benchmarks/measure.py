"""Wall clock, processor time and peak memory of a command, each time in a fresh process."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process took from its start to its end; `work` is what it said of its work without imports."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    work: "Work | None" = None


@dataclass(frozen=True, slots=True)
class Work:
    """What the work itself took; `count` is how many events or sessions it was about."""

    wall_s: float
    cpu_s: float
    count: int


Make = Callable[[str, int], Path]
"""Makes telemetry of a form (parquet, jsonl, cmcd) with so many sessions."""


class Tell(Protocol):
    """Adds a row to the table of what was measured."""

    def __call__(self, benchmark: str, took: Measured, result: str = "") -> None:
        """Tell what a benchmark took, and how it compares."""


def measure(*command: str, environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end.

    The peak is the kernel's for the process and what it waited for. It begins with
    that of the parent, which therefore must stay small.

    Raises:
      RuntimeError: The command failed.
    """
    return _measure(command, environment)[0]


def measure_work(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Measured:
    """Run a module of this folder that ends with `report_work`.

    Raises:
      RuntimeError: The module failed.
    """
    took, said = _measure((sys.executable, "-m", f"tests.benchmarks.{module}", *arguments), environment)
    wall, cpu, count = said.split()[-3:]
    return Measured(took.wall_s, took.cpu_s, took.peak_mb, Work(float(wall), float(cpu), int(count)))


def report_work(work: Callable[[], int]) -> None:
    """Do the work, which returns its count, and print what it took as the last three words."""
    wall, cpu = time.perf_counter(), time.process_time()
    count = work()
    sys.stdout.write(f"\n{time.perf_counter() - wall:.3f} {time.process_time() - cpu:.3f} {count}\n")


def typical(rounds: Sequence[Measured]) -> Measured:
    """Medians of some rounds, and the highest peak."""
    works = [each.work for each in rounds if each.work]
    return Measured(
        statistics.median(each.wall_s for each in rounds),
        statistics.median(each.cpu_s for each in rounds),
        max(each.peak_mb for each in rounds),
        Work(
            statistics.median(work.wall_s for work in works),
            statistics.median(work.cpu_s for work in works),
            works[0].count,
        )
        if works
        else None,
    )


def _measure(command: Sequence[str], environment: Mapping[str, str] | None) -> tuple[Measured, str]:
    began = time.perf_counter()
    everything = {**os.environ, **(environment or {})}
    # What it complains of is shown where it fails, and only there.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=everything, cwd=ROOT
    ) as child:
        said = child.stdout.read() if child.stdout else ""
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}: {said[-2_000:]}")
    # Linux counts the peak in kilobytes.
    return Measured(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), said
