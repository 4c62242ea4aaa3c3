"""A stream under load: how many events a second, how long after a session's last event its finding is in the ledger.

`MAKEGOOD_LOAD_EVENTS` a second for `MAKEGOOD_LOAD_SECONDS`, in `MAKEGOOD_LOAD_FORM` (jsonl, arrow); the writer
shares the machine with the stream.
"""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import polars as pl
import pytest
from sqlalchemy import Engine, create_engine, text

from tests.benchmarks.crowd import EVENTS, LIFE_S, STEP_MS, Crowd
from tests.benchmarks.timed_stream import Step

pytestmark = pytest.mark.benchmark

RATE: Final = int(os.environ.get("MAKEGOOD_LOAD_EVENTS", "50000"))
SECONDS: Final = int(os.environ.get("MAKEGOOD_LOAD_SECONDS", "600"))
FORM: Final = os.environ.get("MAKEGOOD_LOAD_FORM", "jsonl")
LATENESS_S: Final = 10
TICK_S: Final = 2
START_S: Final = 15
"""Until the stream is up."""
WARM_S: Final = LIFE_S + LATENESS_S + TICK_S
"""Until as many have gone as come."""
SAMPLE_S: Final = 10
TAIL_S: Final = 30
"""A session that ended by so long before the end must have been found."""

MOST_P95_S: Final = 10.0
MOST_GROWTH_MB: Final = 200.0
"""In the second half: what ended within the gap is remembered, and this crowd comes and goes fast."""


@dataclass
class Observed:
    """What was seen of a stream: when each session was found, the megabytes of its processes, and its steps."""

    seen: dict[str, float] = field(default_factory=dict)
    memory: list[tuple[float, Mapping[str, float]]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    behind_s: float = 0.0
    last_row: int = 0

    def look(self, ledger: Engine) -> None:
        """Which sessions have been found since."""
        query = text("SELECT rowid, subject_id FROM findings WHERE rowid > :after AND subject_type = 'session'")
        with ledger.connect() as connection:
            for row, session in connection.execute(query, {"after": self.last_row}).all():
                self.last_row = row
                self.seen.setdefault(session, time.time())


def write(events: pl.DataFrame, folder: Path, step: int) -> None:
    """A file a minute of lines, or a file a step of Arrow batches."""
    if FORM == "arrow":
        events.write_ipc_stream(folder / f"{step}.part", compat_level=pl.CompatLevel.oldest())
        (folder / f"{step}.part").rename(folder / f"{step}.arrow")
        return
    with (folder / f"{step * STEP_MS // 60_000}.jsonl").open("ab") as file:
        events.write_ndjson(file)


def memory_mb(pid: int) -> Iterator[tuple[str, float]]:
    """Of a process and of the engine below it."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,rss,comm"], check=True, capture_output=True, text=True).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()[1:]]
    children = {pid} | {int(child) for child, parent, _, _ in rows if int(parent) == pid}
    for child, parent, rss, name in rows:
        if int(child) == pid:
            yield "worker", int(rss) / 1024
        elif int(parent) in children and name.startswith("prism"):
            yield "engine", int(rss) / 1024


@contextmanager
def streaming(command: Sequence[str], told: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is stopped in order at the end, whatever comes."""
    with told.open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as stream:
        try:
            yield stream
        finally:
            stream.terminate()


def watched(crowd: Crowd, scratch: Path) -> Observed:
    """Writes what the crowd does when it does it, and watches the ledger of a stream over it."""
    telemetry, told, log = scratch / "telemetry", scratch / "told", scratch / "steps"
    telemetry.mkdir()
    url, steps = f"sqlite:///{scratch / 'ledger.db'}", SECONDS * 1000 // STEP_MS
    times = ["--lateness", str(LATENESS_S), "--tick", str(TICK_S), "--slice", "60"]
    timed = [sys.executable, "-m", "tests.benchmarks.timed_stream", str(log), "stream"]
    command = [*timed, "--source", f"dir:{telemetry}", "--ledger", url, *crowd.book(scratch, steps), *times]
    observed, ledger = Observed(), create_engine(url)
    with streaming(command, told) as stream:
        for step in range(steps):
            due = crowd.begin_ms / 1000 + (step + 1) * STEP_MS / 1000
            time.sleep(max(0.0, due - time.time()))
            observed.behind_s = max(observed.behind_s, time.time() - due)
            write(crowd.events(step), telemetry, step)
            if step * STEP_MS > LIFE_S * 1000:
                observed.look(ledger)
            if step * STEP_MS % (SAMPLE_S * 1000) == 0:
                observed.memory.append((step * STEP_MS / 1000, dict(memory_mb(stream.pid))))
            assert stream.poll() is None, told.read_text()
    ledger.dispose()
    observed.steps = msgspec.json.decode(log.read_bytes(), type=list[Step])
    return observed


def shares(values: Sequence[float]) -> str:
    """Median, 95th and 99th percentile as columns of a table."""
    ordered = sorted(values)
    return " | ".join(f"{ordered[int(len(ordered) * share)]:.1f}" for share in (0.5, 0.95, 0.99))


def ways(steps: Sequence[Step], waits: Mapping[int, Sequence[float]]) -> Iterator[str]:
    """Where the time between a session's end, the lateness passed, and its row goes; `waits` is by tick in ms."""
    told = sorted((step.ended, step.moment) for step in steps if step.name == "read and decode" and step.moment)
    closed: defaultdict[int, float] = defaultdict(float)
    settled: dict[int, float] = {}
    for step in steps:
        if step.name == "close sessions" and step.moment:
            closed[step.moment] = max(closed[step.moment], step.ended)
        if step.name == "decide, render, record" and step.moment:
            settled[step.moment] = step.ended
    parts: defaultdict[str, list[float]] = defaultdict(list)
    for tick, until_tick in waits.items():
        heard = next(ended for ended, moment in told if moment >= tick - 1)
        many = len(until_tick)
        parts["to the next tick"] += until_tick
        parts["until the source has told what was before it"] += [heard - tick / 1000] * many
        parts["until all sessions of the tick are closed"] += [closed[tick] - heard] * many
        parts["until what was found is in the ledger"] += [settled[tick] - closed[tick]] * many
    yield from (f"| {part} | {shares(values)} |" for part, values in parts.items())


def busy(steps: Sequence[Step], since: float) -> Iterator[str]:
    """Seconds that each step took in a second, once the crowd was whole."""
    later = [step for step in steps if step.ended > since]
    took: defaultdict[str, float] = defaultdict(float)
    for step in later:
        took[step.name] += step.took
    span = max(step.ended for step in later) - since
    yield from (
        f"| {name} | {seconds / span:.2f} |" for name, seconds in sorted(took.items(), key=lambda each: -each[1])
    )


def table(crowd: Crowd, observed: Observed, waits: Mapping[str, float]) -> Iterator[str]:
    """What README quotes."""
    since = crowd.begin_ms / 1000 + WARM_S
    warm = [of for second, of in observed.memory if second > WARM_S + SAMPLE_S]
    whole = crowd.written[LIFE_S * 1000 // STEP_MS :]
    rate = sum(whole) / len(whole) * 1000 / STEP_MS
    yield f"{rate:,.0f} events/s in {FORM} for {SECONDS - LIFE_S} s, after {LIFE_S} s of fewer"
    yield f"(sessions of {EVENTS}; the writer was at most {observed.behind_s:.1f} s behind)"
    yield "\n| s after a session's last event, lateness subtracted | p50 | p95 | p99 |\n| --- | --- | --- | --- |"
    yield f"| {len(waits):,} findings in the ledger | {shares(list(waits.values()))} |"
    by_tick: defaultdict[int, list[float]] = defaultdict(list)
    for session in waits:
        due = crowd.ends[session] + LATENESS_S * 1000
        tick = -(-due // (TICK_S * 1000)) * TICK_S * 1000
        by_tick[tick].append((tick - due) / 1000)
    yield from ways(observed.steps, by_tick)
    yield "\n| step | s of each second |\n| --- | --- |"
    yield from busy(observed.steps, since)
    yield "\n| MB | peak | every minute |\n| --- | --- | --- |"
    for name in ("worker", "engine"):
        minutes = ", ".join(f"{of[name]:,.0f}" for second, of in observed.memory if second % 60 == 0 and name in of)
        yield f"| {name} | {max(of[name] for of in warm):,.0f} | {minutes} |"


def growth_mb(memory: Sequence[tuple[float, Mapping[str, float]]]) -> float:
    """How much more memory the last quarter of the time takes than the second, on the mean."""

    def mean(begin: float, end: float) -> float:
        taken = [sum(of.values()) for second, of in memory if begin * SECONDS <= second < end * SECONDS]
        return sum(taken) / len(taken)

    return mean(0.75, 1.0) - mean(0.25, 0.5)


def test_findings_come_within_seconds_at_fifty_thousand_events_a_second(tmp_path: Path) -> None:
    crowd = Crowd(round(time.time() + START_S) * 1000, RATE)
    observed = watched(crowd, tmp_path)

    until = crowd.begin_ms + (SECONDS - LATENESS_S - TAIL_S) * 1000
    ready = {session: end for session, end in crowd.ends.items() if end < until}
    missing = ready.keys() - observed.seen.keys()
    waits = {each: observed.seen[each] - end / 1000 - LATENESS_S for each, end in ready.items() if each not in missing}
    grown = growth_mb(observed.memory)
    lines = [*table(crowd, observed, waits), f"\n{grown:.0f} MB more in the last quarter than in the second"]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert not missing
    assert sorted(waits.values())[int(len(waits) * 0.95)] < MOST_P95_S
    # A short run is still filling up in its second quarter.
    assert grown < MOST_GROWTH_MB or SECONDS < 4 * WARM_S
