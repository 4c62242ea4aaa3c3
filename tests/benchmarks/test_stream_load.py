"""A stream under load: how many events a second, how long after a session's last event its finding is in the ledger.

`MAKEGOOD_LOAD_EVENTS` a second for `MAKEGOOD_LOAD_SECONDS`; the writer shares the machine with the stream.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine, create_engine, text

pytestmark = pytest.mark.benchmark

RATE: Final = int(os.environ.get("MAKEGOOD_LOAD_EVENTS", "50000"))
SECONDS: Final = int(os.environ.get("MAKEGOOD_LOAD_SECONDS", "600"))
EVENTS: Final = 40
"""A session's: a start, a first picture, one wait, heartbeats, an end."""
BEAT_MS: Final = 1_500
BAD_SHARE: Final = 0.02
STEP_MS: Final = 500
LATENESS_S: Final = 10
TICK_S: Final = 2
WARM_S: Final = 75
"""Until then no session has ended."""
P95_S: Final = 10.0


@dataclass
class Crowd:
    """Viewers who come and go at a steady rate; some of them wait for 15 seconds, all told."""

    begin_ms: int
    per_step: int = round(RATE * STEP_MS / 1000 / EVENTS)
    written: int = 0
    ends: dict[str, int] = field(default_factory=dict)  # of bad sessions, ms since the epoch

    def sessions(self, step: int) -> pl.DataFrame:
        luck = np.random.default_rng((7, step))
        bad = luck.random(self.per_step) < BAD_SHARE
        start = self.begin_ms + step * STEP_MS + luck.integers(0, STEP_MS, self.per_step)
        ids = [f"{'bad' if b else 'good'}-{step}-{number}" for number, b in enumerate(bad)]
        return pl.DataFrame({"session_id": ids, "start": start, "bad": bad})

    def events(self, since: int, until: int) -> pl.DataFrame:
        """What happens between two moments, ms since the epoch."""
        life = EVENTS * BEAT_MS
        first = max(0, (since - self.begin_ms - life) // STEP_MS - 1)
        last = (until - self.begin_ms) // STEP_MS
        alive = pl.concat([self.sessions(step) for step in range(first, last + 1)])
        beats = pl.DataFrame({"sequence": np.arange(EVENTS)})
        told = alive.join(beats, how="cross").with_columns(event_time=pl.col("start") + pl.col("sequence") * BEAT_MS)
        told = told.filter(pl.col("event_time").is_between(since, until, closed="left"))
        state = (
            pl.when(pl.col("sequence") == 0).then(pl.lit("starting"))
            .when(pl.col("sequence") == 1).then(pl.lit("playing"))
            .when(pl.col("bad") & (pl.col("sequence") == 10)).then(pl.lit("stalled"))
            .when(pl.col("bad") & (pl.col("sequence") == 20)).then(pl.lit("playing"))
            .when(pl.col("sequence") == EVENTS - 1).then(pl.lit("ended"))
        )  # fmt: skip
        over = told.filter(pl.col("bad") & (pl.col("sequence") == EVENTS - 1))
        self.ends |= dict(over.select("session_id", "event_time").iter_rows())
        self.written += told.height
        return told.select("session_id", "event_time", "sequence", state.alias("state"), bitrate_kbps=pl.lit(4_500))


def book(crowd: Crowd, folder: Path) -> list[str]:
    """Orders, customers and grants of the bad sessions."""
    steps = (SECONDS * 1000) // STEP_MS + 1
    bad = pl.concat([crowd.sessions(step).filter("bad") for step in range(steps)]).with_row_index("n")
    line = pl.format("line-{}", "n")
    customer = pl.format("viewer-{}", "n")
    tables = {
        "orders": bad.select(
            order_line_id=line, order_id=line, customer_id=customer, kind=pl.lit("rental"), item_id=pl.lit("film"),
            title=pl.lit("Casablanca"), payment_id=line, amount_minor=pl.lit(299), currency=pl.lit("USD"),
            purchased_at=pl.col("start") - 60_000,
        ),
        "customers": bad.select(customer_id=customer, email=customer + "@example.com"),
        "grants": bad.select("session_id", order_line_id=line, customer_id=customer, granted_at="start"),
    }  # fmt: skip
    for name, table in tables.items():
        table.write_ndjson(folder / f"{name}.jsonl")
    return [part for name in tables for part in (f"--{name}", str(folder / f"{name}.jsonl"))]


def found(ledger: Engine, after: int) -> list[tuple[int, str]]:
    query = text("SELECT rowid, subject_id FROM findings WHERE rowid > :after AND subject_type = 'session'")
    with ledger.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(query, {"after": after})]


def memory_mb(pid: int) -> Iterator[tuple[str, float]]:
    """Of a process and of the engine below it."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,rss,comm"], check=True, capture_output=True, text=True).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()[1:]]
    children = {pid} | {int(child) for child, parent, _, _ in rows if int(parent) == pid}
    for child, parent, rss, name in rows:
        if int(child) == pid or (int(parent) in children and name.startswith("prism")):
            yield name, int(rss) / 1024


def test_findings_come_within_seconds_at_fifty_thousand_events_a_second(tmp_path: Path) -> None:
    begin = round(time.time() * 1000) + 15_000
    crowd, telemetry, ledger_file = Crowd(begin), tmp_path / "telemetry", tmp_path / "ledger.db"
    telemetry.mkdir()
    makegood = str(Path(sys.executable).with_name("makegood"))
    times = ["--lateness", str(LATENESS_S), "--tick", str(TICK_S), "--slice", "60"]
    source = ["--source", f"dir:{telemetry}", "--ledger", f"sqlite:///{ledger_file}"]
    told = (tmp_path / "told").open("wb")
    stream = subprocess.Popen([makegood, "stream", *source, *book(crowd, tmp_path), *times], stdout=told, stderr=told)
    ledger = create_engine(f"sqlite:///{ledger_file}")
    seen: dict[str, float] = {}
    memory: list[tuple[float, dict[str, float]]] = []
    last, at, behind = 0, begin, 0.0
    while at < begin + SECONDS * 1000:
        time.sleep(max(0.0, (at + STEP_MS) / 1000 - time.time()))
        behind = max(behind, time.time() - (at + STEP_MS) / 1000)
        with (telemetry / f"{at // 60_000}.jsonl").open("ab") as file:
            crowd.events(at, at + STEP_MS).write_ndjson(file)
        at += STEP_MS
        for row, session in found(ledger, last) if at > begin + WARM_S * 1000 else ():
            last = row
            seen.setdefault(session, time.time())
        if at % 30_000 < STEP_MS:
            memory.append(((at - begin) / 1000, dict(memory_mb(stream.pid))))
        assert stream.poll() is None, (tmp_path / "told").read_text()
    stream.terminate()
    stream.wait()
    ready = {session: end for session, end in crowd.ends.items() if end < at - (LATENESS_S + 30) * 1000}
    waits = sorted(seen[session] - end / 1000 - LATENESS_S for session, end in ready.items() if session in seen)
    p50, p95, p99 = (waits[int(len(waits) * share)] for share in (0.5, 0.95, 0.99))
    sys.stdout.write(
        f"{crowd.written / SECONDS:,.0f} events/s for {SECONDS} s (writer at most {behind:.1f} s behind); "
        f"{len(waits):,} of {len(ready):,} bad sessions found; after the lateness p50 {p50:.1f} s, p95 {p95:.1f} s, "
        f"p99 {p99:.1f} s; memory in MB {[(round(s), {n: round(m) for n, m in of.items()}) for s, of in memory]}\n"
    )
    assert len(waits) == len(ready)
    assert p95 < P95_S
