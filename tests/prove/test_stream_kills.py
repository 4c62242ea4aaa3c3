"""A stream is killed while telemetry comes, itself or its engine, and started again: nothing is lost or double."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from pipelines.streaming.playing import lines_in_order, play
from remediation.database import open_ledger
from remediation.ledger.run import RECORDING
from remediation.ledger.tables import DECLINED, FINDINGS, OUTBOX, REMEDIES, RUNS
from remediation.verifying import verify
from tests.prove.figures import sized, tell
from tests.prove.service import Service, epoch_ms, morning

pytestmark = [pytest.mark.prove, pytest.mark.servers]

KILLS: Final = sized(3, 20)
SHARE: Final = 0.1
"""So many of the sessions stall: enough findings that each kill meets some."""
SECONDS_PER_KILL: Final = 10
EVENING_S: Final = 4 * 3_600


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Service(tmp_path_factory.mktemp("night"), seed=5, stalled_share=SHARE).night(0)


def command(night: Path, telemetry: Path, ledger: Path, *how: str) -> list[str]:
    makegood = str(Path(sys.executable).with_name("makegood"))
    book = [part for name in ("orders", "customers", "grants") for part in (f"--{name}", str(night / f"{name}.jsonl"))]
    times = ["--slice", "3600", "--causes", "86400", "--lateness", "3600"]
    return [makegood, "stream", "--source", f"dir:{telemetry}", *book, "--ledger", f"sqlite:///{ledger}", *times, *how]


def drained(night: Path, telemetry: Path, ledger: Path) -> None:
    """Reads what is there to the morning."""
    until = f"{morning(0):%Y-%m-%dT%H:%M:%SZ}"
    subprocess.run(command(night, telemetry, ledger, "--drain", "--until", until), check=True, capture_output=True)


def outcome(ledger_file: Path) -> dict[str, set[tuple[object, ...]]]:
    """What was found, decided and is to be sent, by content."""
    columns = {
        "findings": (FINDINGS.c.finding_id, FINDINGS.c.occurred_from, FINDINGS.c.occurred_to),
        "remedies": (REMEDIES.c.remedy_id, REMEDIES.c.order_line_id, REMEDIES.c.state),
        "declined": (DECLINED.c.declined_id,),
        "outbox": (OUTBOX.c.outbox_id, OUTBOX.c.kind),
    }
    ledger = open_ledger(f"sqlite:///{ledger_file}")
    with ledger.connect() as connection:
        found = {name: {tuple(row) for row in connection.execute(select(*of))} for name, of in columns.items()}
    verdict = verify(ledger, epoch_ms(morning(0)))
    ledger.dispose()
    assert verdict.is_sound, [each.breaches for each in verdict.outcomes if each.count]
    return found


@contextmanager
def telemetry_coming(night: Path, folder: Path, seconds: float) -> Iterator[threading.Event]:
    """The scans of the days before lie there; the evening's beacons come, faster than they did."""
    folder.mkdir()
    shutil.copy(night / "telemetry" / "scans.jsonl", folder)
    over = threading.Event()
    lines = lines_in_order([str(night / "telemetry" / "beacons.jsonl")])

    def pause(wait: float) -> None:
        over.wait(wait)

    def come() -> None:
        play(lines, folder, EVENING_S / seconds, time.monotonic, pause)

    player = threading.Thread(target=come, daemon=True)
    player.start()
    yield over
    player.join()


def kill(stream: "subprocess.Popen[bytes]", *, engine: bool) -> None:
    """As a power cut does it: the process itself, which is the worker too, or the engine beneath it."""
    victims = engines_of(stream.pid) if engine else [stream.pid]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    stream.wait()


def engines_of(pid: int) -> list[int]:
    """The processes named prism below a process."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,comm"], check=True, capture_output=True, text=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    below = {pid}
    for child, parent, _ in sorted(rows, key=lambda row: int(row[0])):
        if int(parent) in below:
            below.add(int(child))
    return [int(child) for child, _, name in rows if int(child) in below and name.startswith("prism")]


def test_whoever_is_killed_whenever_all_is_found_once(night: Path, tmp_path: Path) -> None:
    drained(night, night / "telemetry", tmp_path / "whole.db")
    luck = random.Random(KILLS)  # noqa: S311 a reproducible evening
    coming, ledger = tmp_path / "coming", tmp_path / "killed.db"
    killed = {"engine": 0, "process": 0}
    with telemetry_coming(night, coming, KILLS * SECONDS_PER_KILL):
        for number in range(KILLS):
            stream = subprocess.Popen(
                command(night, coming, ledger), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                stream.wait(SECONDS_PER_KILL * luck.uniform(0.5, 1.3))
            except subprocess.TimeoutExpired:
                engine = bool(number % 2) and bool(engines_of(stream.pid))
                killed["engine" if engine else "process"] += 1
                kill(stream, engine=engine)
    judged = slices(ledger)
    drained(night, coming, ledger)

    assert sum(killed.values()) == KILLS
    assert judged, "no slice was judged between the kills: they came too early to say anything"
    assert outcome(ledger) == outcome(tmp_path / "whole.db")
    assert len(outcome(ledger)["remedies"]) > SHARE * 200
    tell(
        f"killed {killed}, {judged} slices judged in between, "
        f"{len(outcome(ledger)['remedies'])} remedies, none lost or double"
    )


def slices(ledger_file: Path) -> int:
    ledger = open_ledger(f"sqlite:///{ledger_file}")
    with ledger.connect() as connection:
        states = list(connection.scalars(select(RUNS.c.state).where(RUNS.c.kind == "stream")))
    ledger.dispose()
    return sum(state != RECORDING for state in states)
