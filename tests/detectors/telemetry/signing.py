"""A player that signs its beacons, written from the description alone and apart from the decoder."""

import hashlib
import hmac
import json
from typing import Final

from detectors.telemetry.keys import BeaconKey, KeyRing
from tests.detectors.telemetry.reading import NOW, Json

DAY: Final = 86_400_000
NOT_SIGNED: Final = {"received_at", "isp", "country", "signature"}


def a_key(key_id: str = "k-1", *, since: int = NOW - DAY, until: int = NOW + DAY) -> BeaconKey:
    return BeaconKey(key_id, hashlib.sha256(key_id.encode()).digest(), since, until)


def a_ring(*keys: BeaconKey) -> KeyRing:
    return KeyRing({key.key_id: key for key in keys or (a_key(),)})


def content(record: dict[str, Json]) -> bytes:
    """What is signed, for records whose decimals Python happens to write as ECMAScript does."""
    kept = {name: value for name, value in record.items() if name not in NOT_SIGNED and value not in (None, "")}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(record: dict[str, Json], key: BeaconKey | None = None) -> dict[str, Json]:
    """The record with its key's id and its signature."""
    key = key or a_key()
    named = {**record, "key_id": key.key_id}
    session = hmac.new(key.secret, str(record["session_id"]).encode(), hashlib.sha256).digest()
    return {**named, "signature": hmac.new(session, content(named), hashlib.sha256).hexdigest()}
