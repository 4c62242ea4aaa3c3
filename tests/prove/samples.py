"""Real records of every format, to be mutated: from the fixtures, from recordings beside this checkout, and built."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.detectors.telemetry.reading import NOW, a_beacon, a_contact, a_report, a_scan
from tests.detectors.telemetry.test_aftership import a_checkpoint, a_tracking, a_webhook
from tests.detectors.telemetry.test_easypost import a_detail, a_tracker, an_event
from tests.remediation.ledger.evenings import a_customer, an_order
from tests.support.running import FIXTURES

RECORDINGS: Final = FIXTURES.parent / "../shared/data"
NIGHT: Final = FIXTURES / "casablanca_night/telemetry"
MOST: Final = 60
"""Records taken from one file: they repeat themselves."""

W3C_FIELDS: Final = b"#Fields: date time sc-status time-taken cs-uri-query"
W3C_LINE: Final = b"2026-11-21\t19:56:50\t200\t0.123\tCMCD=br%3D900%2Csid%3D%22s-1%22%2Cot%3Dv"


def dumped(*records: object) -> list[bytes]:
    return [json.dumps(record, ensure_ascii=False).encode() for record in records]


@cache
def lines(kind: str) -> tuple[bytes, ...]:
    """Good records of one kind, the first of which shows what the file is; skips where they are not at hand."""
    made = _BUILT[kind] + [line for file in _FILES.get(kind, ()) for line in _taken(file)]
    if not made:
        pytest.skip("the recorded data does not lie beside this checkout")
    return tuple(made)


def _taken(file: Path) -> list[bytes]:
    if not file.exists():
        return []
    whole = file.read_bytes()
    if file.suffix == ".json":
        return dumped(*_listed(json.loads(whole))[:MOST])
    return [line for line in whole.split(b"\n") if line][:MOST]


def _listed(content: object) -> list[object]:
    """The elements of a list, or of the only list in an object."""
    if isinstance(content, dict):
        return next(value for value in content.values() if isinstance(value, list))
    assert isinstance(content, list)
    return content


_BUILT: Final[Mapping[str, list[bytes]]] = {
    "beacons": dumped(
        a_beacon(state="playing", bitrate_kbps=1.5, error_code="E-1", fatal=True, sequence=1),
        a_beacon(received_at="2026-11-21T19:56:50Z", customer_id="c-1", content_id="f", device="TV ü", stall_ms=9),
        a_beacon(error_code=27, playback_rate=-1.0, key_id="k-1", signature="a" * 64, unknown="x", other=1.5),
    ),
    "scans": dumped(
        a_scan(reason="lost", lat=1.5, lon=-2, proof="photo", carrier="usps", depot="RENO, NV", promised_at=NOW),
        a_scan(error_declaration={}, status="delivered"),
        a_scan(status="sat_upon", error_declaration=True),
    ),
    "contacts": dumped(
        a_contact(order_line_id="l-1", language="ja", voice="warm", text="?"), a_contact(topic="damaged")
    ),
    "collector": dumped(
        a_report('e=ps,sta=p,br=(150;v 48;a),sn=1,bl=3993.83,cid="film"'),
        a_report('ec=(27),bs,nor="seg-4.m4s"', mode="request"),
        a_report(r'cid="say \"hi\"",e=e,ec="x,y",mtp=(0;v 100;a)'),
    ),
    "reports": [
        b'e=ps,sid="s",sta=p,ts=1795291010509,v=2',
        b'bl=(0;v),e=t,sid="s",ts=1795291010510,v=2',
        b'cid="a,b;c=(d)",e=rr,rc=503,sid="s",ts=1795291010511,ttfb=9,v=2',
    ],
    "queries": [b"CMCD=bl%3D1%2Csid%3D%22s%22%2Cbr%3D900"],
    "w3c": [W3C_LINE],
    "access": dumped(
        {"t": NOW, "t_end": NOW + 40, "rawUrl": "/a?CMCD=sid%3D%22s%22%2Cbr%3D900", "status": 200},
        {"timestamp(ms)": str(NOW), "cs(CMCD-Session)": 'sid="s"', "cs(CMCD-Object)": "br=900", "sc-status": "503"},
    ),
    "trackers": dumped(a_tracker(a_detail(), a_detail()), an_event(result=a_tracker(a_detail()))),
    "trackings": dumped(a_tracking(a_checkpoint(), a_checkpoint()), a_webhook(a_tracking(a_checkpoint()))),
    "orders": dumped(
        an_order(kind="goods", title={"en": "Casablanca", "ja": "カサブランカ"}, shipping_minor=500, carrier="post"),
        an_order("OL-2", purchased_at="2026-11-21T20:00:00+09:00", promised_date="2026-11-24", tracking_number="T"),
        an_order("OL-3", ship_to={"country": "JP", "lat": 35.68, "lon": 139.76}, payment_id="pay-1", quantity=2),
    ),
    "customers": dumped(
        a_customer(name="Rick", locale="ja-JP", timezone="Asia/Tokyo", voice="warm"), a_customer("C-2")
    ),
    "grants": dumped({"session_id": "S-1", "customer_id": "C-1", "order_line_id": "OL-1", "granted_at": NOW}),
    "stock": dumped({"item_id": "coffee", "available": 3}),
}

_FILES: Final[Mapping[str, tuple[Path, ...]]] = {
    "beacons": (NIGHT / "beacons.jsonl", FIXTURES / "rerun/telemetry/beacons.jsonl"),
    "collector": (NIGHT / "dash-02_slow_start.reports.jsonl", NIGHT / "hls-08_never_starts.reports.jsonl"),
    "access": (NIGHT / "shaka-01_clean.access.jsonl",),
    "queries": (RECORDINGS / "cmcd/cmcd-bitmovin-url.log",),
    "scans": (FIXTURES / "late_parcels/telemetry/scans.jsonl",),
    "contacts": (FIXTURES / "thor_and_odin/telemetry/contacts.jsonl",),
    "trackers": (RECORDINGS / "easypost/trackers.json", RECORDINGS / "easypost/events.json"),
    "trackings": (FIXTURES / "late_parcels/telemetry/aftership.jsonl",),
    "orders": (FIXTURES / "thor_and_odin/orders.jsonl",),
    "customers": (FIXTURES / "thor_and_odin/customers.jsonl",),
    "grants": (FIXTURES / "casablanca_night/grants.jsonl",),
}
