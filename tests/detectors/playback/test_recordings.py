"""Real players against what their video element really did; see the recordings' own README."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from detectors import schemas
from detectors.playback.sessions import sessionize
from detectors.telemetry.decode import decode
from tests.detectors.playback.evenings import RULES

PLAYERS = Path(__file__).parents[3] / "../shared/data/players"
RECORDINGS = sorted(folder for folder in PLAYERS.glob("*/*") if folder.is_dir())
NAMES = [f"{folder.parent.name}/{folder.name}" for folder in RECORDINGS]

FAILURES = {
    "dash/02_slow_start": {"slow_start"},
    "dash/05_casablanca_bad": {"playback_stalls", "low_quality"},
    "dash/06_low_quality": {"low_quality"},
    "hls/03_rebuffering": {"playback_stalls", "low_quality"},
    "hls/05b_casablanca_bad2": {"playback_stalls", "low_quality"},
    "hls/08_never_starts": {"playback_failed"},
    "shakadbg/09_outage": {"playback_stalls", "playback_failed"},
}


def events_of(folder: Path) -> pl.DataFrame:
    with (folder / "reports.jsonl").open("rb") as stream:
        return pl.concat(schemas.complete(block.events, schemas.EVENTS) for block in decode(stream, folder.name))


@pytest.fixture(scope="module")
def assessed() -> dict[str, Any]:
    everything = pl.concat(events_of(folder) for folder in RECORDINGS)
    return {row["session_id"]: row for row in sessionize(everything, RULES).sessions.to_dicts()}


@pytest.mark.skipif(not RECORDINGS, reason="the recordings do not lie beside this checkout")
@pytest.mark.parametrize("folder", RECORDINGS, ids=NAMES)
def test_a_recorded_session_is_what_the_viewer_saw(folder: Path, assessed: dict[str, Any]) -> None:
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    found = assessed[truth["sid"]]
    name = f"{folder.parent.name}/{folder.name}"
    assert set(found["failures"]) == FAILURES.get(name, set())
    assert found["startup_ms"] == pytest.approx(truth["startup_ms"], abs=150)
    if folder.parent.name == "shaka":
        assert (found["stalls_known"], found["stall_count"]) == (False, None)
        return
    assert found["stall_count"] == truth["stall_n"]
    if not found["failed"]:  # there the wait was still open at the end
        assert found["stall_ms"] == pytest.approx(truth["stall_ms"], abs=50)
    if folder.parent.name != "shakadbg":  # it reports a seek as playing although paused
        assert found["seek_wait_ms"] == pytest.approx(truth["seekwait_ms"], abs=50)
