"""What a stream must not do: pay for a storm, or lose what came too late."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.streaming.slices import Slices
from remediation.database import open_ledger
from remediation.ledger.tables import REMEDIES, RUNS
from tests.prove.service import Service, epoch_ms, morning
from tests.remediation.outbox.senders import Gateway, Mailbox, send
from tests.streaming.playing import HOUR_MS, Played

EVENING = epoch_ms(morning(0)) - 11 * HOUR_MS
STORM_FROM = EVENING + 3 * HOUR_MS


def record_of(line: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(line)
    return record


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evening in whose fourth hour most players begin to report stalls; before, nearly nobody's did."""
    folder = tmp_path_factory.mktemp("storm")
    calm = Service(folder / "calm", seed=3, stalled_share=0.005).night(0)
    stormy = Service(folder / "stormy", seed=3, stalled_share=0.9).night(0)
    later = (stormy / "telemetry" / "beacons.jsonl").read_text().splitlines()
    starts: dict[str, int] = {}
    for record in map(record_of, later):
        starts.setdefault(record["session_id"], record["event_time"])
    stormed = {session for session, start in starts.items() if start >= STORM_FROM}
    lines = (calm / "telemetry" / "beacons.jsonl").read_text().splitlines()
    kept = [line for line in lines if record_of(line)["session_id"] not in stormed]
    kept += [line for line in later if record_of(line)["session_id"] in stormed]
    (calm / "telemetry" / "beacons.jsonl").write_text("".join(f"{line}\n" for line in kept))
    without_parcels(calm)
    (calm / "as_of").write_text(f"{morning(0):%Y-%m-%dT%H:%M:%SZ}")
    return calm


def without_parcels(folder: Path) -> None:
    """Films alone."""
    (folder / "telemetry" / "scans.jsonl").unlink()
    orders = folder / "orders.jsonl"
    kept = [line for line in orders.read_text().splitlines() if record_of(line)["kind"] == "rental"]
    orders.write_text("".join(f"{line}\n" for line in kept))


@pytest.mark.servers  # Not for a server, but for its time.
def test_a_storm_holds_its_slices_and_nobody_is_paid_before_a_person(storm: Path, tmp_path: Path) -> None:
    played = Played.fixture(storm, tmp_path, slice_ms=HOUR_MS // 2)
    played.stream()
    ledger = open_ledger(played.night.ledger_url)
    with ledger.connect() as connection:
        runs = connection.execute(RUNS.select().where(RUNS.c.counts["sessions"].as_integer() > 0)).all()
        remedies = connection.execute(REMEDIES.select()).all()
    gateway = Gateway()
    send(ledger, gateway, Mailbox(), played.night.as_of)
    ledger.dispose()

    of_run = {remedy.remedy_id: remedy.run_id for remedy in remedies}
    held = {run.run_id for run in runs if run.state == "held"}
    calm = {run.run_id for run in runs if run.as_of <= STORM_FROM}
    assert held
    assert not held & calm
    guards = {trip["guard"] for run in runs if run.run_id in held for trip in run.trips}
    assert "sessions" in guards
    assert not {payout.remedy_id for payout in gateway.made} & {r for r, run in of_run.items() if run in held}


@pytest.mark.servers  # Not for a server, but for its time.
def test_what_came_too_late_is_written_down_and_the_night_corrects_just_that(tmp_path: Path) -> None:
    folder = Service(tmp_path / "service", seed=4, stalled_share=0.3).night(0)
    without_parcels(folder)
    (folder / "as_of").write_text(f"{morning(0):%Y-%m-%dT%H:%M:%SZ}")
    beacons = folder / "telemetry" / "beacons.jsonl"
    lines = sorted(beacons.read_text().splitlines(), key=lambda line: record_of(line)["event_time"])
    # Some players' reports come an hour late; their times of arrival say nothing of it, as a proxy's do not.
    slow = {f"session-4-0-{number}" for number in range(0, 300, 7)}
    on_time = [line for line in lines if record_of(line)["session_id"] not in slow]
    beacons.write_text("".join(f"{line}\n" for line in on_time))
    stragglers = [line for line in lines if record_of(line)["session_id"] in slow]
    (folder / "telemetry" / "stragglers.jsonl").write_text("".join(f"{line}\n" for line in stragglers))
    played = Played.fixture(folder, tmp_path / "out")
    played.arrives["stragglers.jsonl"] = EVENING + 5 * HOUR_MS

    played.stream()
    in_stream = {subject for _, subject, *_ in played.found}
    told_late = late_sessions(tmp_path / "out")
    played.nightly_on_the_same_ledger()

    assert told_late == slow
    assert not in_stream & slow
    assert {subject for _, subject, *_ in played.found} - in_stream <= slow
    assert played.found == played.nightly().found


def late_sessions(folder: Path) -> set[str]:
    tables = [pl.read_parquet(file, columns=["session_id"]) for file in (folder / "out" / "late").iterdir()]
    return set(pl.concat([table.cast(pl.String) for table in tables])["session_id"])


@pytest.mark.parametrize(("moment", "end"), [(0, 300), (299, 300), (300, 600), (-1, 0)])
def test_an_end_belongs_to_the_next_slice(moment: int, end: int) -> None:
    assert Slices(300).end(moment) == end
    assert Slices(300, 50).end(moment + 50) == end + 50
