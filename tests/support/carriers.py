"""Scans and contacts in the forms in which carriers' go-betweens and the service desk send them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Final

from tests.support.parcels import Contact, Sale, Scan

EASYPOST: Final[Mapping[str, str]] = {
    "pending": "pre_transit",
    "picked_up": "in_transit",
    "ready_for_pickup": "available_for_pickup",
    "delivery_failed": "failure",
}
AFTERSHIP: Final[Mapping[str, tuple[str, str]]] = {
    "pending": ("InfoReceived", "InfoReceived_001"),
    "picked_up": ("InTransit", "InTransit_002"),
    "in_transit": ("InTransit", "InTransit_003"),
    "out_for_delivery": ("OutForDelivery", "OutForDelivery_001"),
    "delivered": ("Delivered", "Delivered_001"),
}


def canonical(sales: Iterable[Sale]) -> bytes:
    """Our own form, a scan a line, in the order of time."""
    scans = sorted((scan for sale in sales for scan in sale.scans), key=lambda scan: scan.event_time)
    return json_lines(map(_known, scans))


def contacts(sales: Iterable[Sale]) -> bytes:
    """A contact a line, in the order of time."""
    told = sorted((contact for sale in sales for contact in sale.contacts), key=lambda contact: contact.event_time)
    return json_lines(map(_known, told))


def easypost(sales: Iterable[Sale]) -> bytes:
    """One JSON document: a list of EasyPost trackers."""
    document = json.dumps([_tracker(parcel) for parcel in _parcels(sales)], indent=1, ensure_ascii=False)
    return document.encode() + b"\n"


def aftership(sales: Iterable[Sale]) -> bytes:
    """A webhook of AfterShip a line, one a parcel."""
    return json_lines({"event": "tracking_update", "msg": _tracking(parcel)} for parcel in _parcels(sales))


def json_lines(records: Iterable[Mapping[str, object]]) -> bytes:
    """One JSON object a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def _parcels(sales: Iterable[Sale]) -> list[list[Scan]]:
    scans = (scan for sale in sales for scan in sale.scans)
    return [list(parcel) for _, parcel in groupby(scans, key=lambda scan: scan.tracking_number)]


def _tracker(scans: Sequence[Scan]) -> Mapping[str, object]:
    first, last = scans[0], scans[-1]
    return {
        "id": f"trk_{first.tracking_number.lower()}",
        "object": "Tracker",
        "tracking_code": first.tracking_number,
        "status": EASYPOST.get(last.status, last.status),
        "carrier": first.carrier.upper(),
        "created_at": first.event_time,
        "updated_at": last.event_time,
        "signed_by": None,
        "est_delivery_date": None,
        "tracking_details": [_detail(scan) for scan in scans],
    }


def _detail(scan: Scan) -> Mapping[str, object]:
    city, _, state = (scan.depot or "").partition(", ")
    return {
        "object": "TrackingDetail",
        "status": EASYPOST.get(scan.status, scan.status),
        "status_detail": "status_update",
        "datetime": scan.event_time,
        "source": scan.carrier.upper(),
        "tracking_location": {"city": city or None, "state": state or None, "country": None, "zip": None},
    }


def _tracking(scans: Sequence[Scan]) -> Mapping[str, object]:
    tag, subtag = AFTERSHIP[scans[-1].status]
    return {
        "tracking_number": scans[0].tracking_number,
        "slug": scans[0].carrier,
        "tag": tag,
        "subtag": subtag,
        "checkpoints": [_checkpoint(scan) for scan in scans],
    }


def _checkpoint(scan: Scan) -> Mapping[str, object]:
    tag, subtag = AFTERSHIP[scan.status]
    return {
        "slug": scan.carrier,
        "tag": tag,
        "subtag": subtag,
        "checkpoint_time": scan.event_time,
        "location": scan.depot,
    }


def _known(record: Scan | Contact) -> Mapping[str, object]:
    return {name: value for name, value in asdict(record).items() if value is not None}
