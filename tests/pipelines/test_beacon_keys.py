"""Signed beacons through the real pipeline, signed as a player's own team would: from the description alone."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Final

import pytest

from detectors.telemetry.keys import KeyRingError
from pipelines.nightly import run_sessions
from pipelines.sources import SourceError

SECRET: Final = bytes(range(32))
RING: Final = f"""
[[key]]
id = "k-1"
secret = "{SECRET.hex()}"
valid_from = 2026-11-01T00:00:00Z
valid_until = 2027-11-01T00:00:00Z
"""
EVENING: Final = 1_795_290_000_000


def signed(record: dict[str, object]) -> dict[str, object]:
    """The record as the player sends it; the key of its session came with the permission to play."""
    key = hmac.digest(SECRET, str(record["session_id"]).encode(), "sha256")
    content = {**record, "key_id": "k-1"}
    spelled = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**content, "signature": hmac.new(key, spelled.encode(), hashlib.sha256).hexdigest()}


@pytest.fixture
def beacons(tmp_path: Path) -> Path:
    """Three records: one well signed, one altered on its way, one without a signature."""
    playing: dict[str, object] = {"session_id": "s-1", "event_time": EVENING, "state": "playing"}
    altered = signed({**playing, "event_time": EVENING + 1_000, "state": "stalled"}) | {"state": "playing"}
    plain = {**playing, "event_time": EVENING + 9_000, "state": "ended"}
    file = tmp_path / "beacons.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in (signed(playing), altered, plain)))
    return file


def test_a_record_that_was_altered_is_rejected_by_line(beacons: Path, tmp_path: Path) -> None:
    ring = tmp_path / "keys.toml"
    ring.write_text(RING)
    table = run_sessions([str(beacons)], beacon_keys=str(ring))
    assert [(reject.code, reject.line) for reject in table.rejects] == [("bad_signature", 2)]
    assert (table.counts.records, table.counts.used, table.counts.rejected) == (3, 2, 1)


def test_without_keys_signatures_are_not_looked_at(beacons: Path) -> None:
    assert run_sessions([str(beacons)]).counts.used == 3


def test_a_ring_that_is_none_stops_the_run_and_shows_no_secret(beacons: Path, tmp_path: Path) -> None:
    ring = tmp_path / "keys.toml"
    ring.write_text(RING.replace("2026-11-01T00:00:00Z", "yesterday"))
    with pytest.raises(KeyRingError) as caught:
        run_sessions([str(beacons)], beacon_keys=str(ring))
    assert SECRET.hex() not in str(caught.value)
    with pytest.raises(SourceError, match=r"nowhere\.toml"):
        run_sessions([str(beacons)], beacon_keys=str(tmp_path / "nowhere.toml"))
