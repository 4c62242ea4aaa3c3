"""Parcels' scans and contacts in the forms in which they come: EasyPost, AfterShip, our own; and their order lines."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from pipelines.synth.journeys import address, item_id
from pipelines.synth.parcels import Parcel, Scan, Story, is_in_stock

EASYPOST: Final = ("ups", "fedex")
AFTERSHIP: Final = ("usps", "dhl")

_STATUSES: Final = {
    "pending": "pre_transit",
    "picked_up": "in_transit",
    "delivery_delayed": "in_transit",
    "on_hold": "in_transit",
    "delivery_failed": "failure",
}
_DETAILS: Final = {"weather": "weather_delay", "carrier": "missorted", "lost": "lost", "damaged": "damaged"}
_TAGS: Final[Mapping[tuple[str, str | None], tuple[str, str]]] = {
    ("pending", None): ("InfoReceived", "InfoReceived_001"),
    ("picked_up", None): ("InTransit", "InTransit_002"),
    ("in_transit", None): ("InTransit", "InTransit_003"),
    ("out_for_delivery", None): ("OutForDelivery", "OutForDelivery_001"),
    ("delivered", None): ("Delivered", "Delivered_001"),
    ("delivery_delayed", "weather"): ("Exception", "Exception_017"),
    ("delivery_delayed", "carrier"): ("Exception", "Exception_016"),
    ("delivery_failed", "lost"): ("Exception", "Exception_013"),
    ("delivery_failed", "damaged"): ("Exception", "Exception_012"),
    ("delivery_failed", "refused"): ("Exception", "Exception_003"),
    ("return_to_sender", None): ("Exception", "Exception_011"),
}
_PLENTY: Final = 100_000


def easypost_lines(parcels: Iterable[Parcel]) -> Iterator[str]:
    """A webhook of EasyPost a line, one a parcel."""
    for parcel in _of(parcels, EASYPOST):
        tracker = {
            "id": f"trk_{parcel.number:032x}",
            "object": "Tracker",
            "tracking_code": parcel.tracking_number,
            "status": _STATUSES.get(parcel.scans[-1].status, parcel.scans[-1].status),
            "carrier": parcel.carrier.upper(),
            "created_at": rfc3339(parcel.scans[0].at),
            "updated_at": rfc3339(parcel.scans[-1].at),
            "signed_by": None,
            "est_delivery_date": None,
            "tracking_details": [_detail(scan) for scan in parcel.scans],
        }
        yield _line({"object": "Event", "description": "tracker.updated", "result": tracker})


def aftership_lines(parcels: Iterable[Parcel]) -> Iterator[str]:
    """A webhook of AfterShip a line, one a parcel."""
    for parcel in _of(parcels, AFTERSHIP):
        points = [_point(parcel, scan) for scan in parcel.scans]
        known = {"tracking_number": parcel.tracking_number, "slug": parcel.carrier, "checkpoints": points}
        last = {"tag": points[-1]["tag"], "subtag": points[-1]["subtag"]}
        yield _line({"event": "tracking_update", "msg": known | last})


def canonical_lines(parcels: Iterable[Parcel]) -> Iterator[str]:
    """A scan a line, in the order of time."""
    others = [each for each in parcels if each.carrier not in EASYPOST + AFTERSHIP]
    scans = sorted(((scan, each) for each in others for scan in each.scans), key=lambda pair: pair[0].at)
    for scan, parcel in scans:
        yield _line(
            {
                "tracking_number": parcel.tracking_number,
                "carrier": parcel.carrier,
                "event_time": rfc3339(scan.at),
                "status": scan.status,
                "reason": scan.reason,
                "proof": scan.proof,
                "lat": scan.lat,
                "lon": scan.lon,
                "depot": scan.depot,
            }
        )


def contact_lines(parcels: Iterable[Parcel]) -> Iterator[str]:
    """A contact a line."""
    for parcel in parcels:
        for number, said in enumerate(parcel.contacts):
            yield _line(
                {
                    "contact_id": f"contact-{parcel.number}-{number}",
                    "customer_id": customer_id(parcel),
                    "order_line_id": parcel.line_id,
                    "event_time": rfc3339(said.at),
                    "topic": said.topic,
                    "language": parcel.place.locale[:2],
                    "voice": parcel.voice,
                    "received_item_id": said.received_item,
                }
            )


def order_lines(parcels: Iterable[Parcel]) -> Iterator[str]:
    """An order line a parcel, with the fields of `remediation.orders.OrderLine`."""
    for parcel in parcels:
        lat, lon = address(parcel)
        yield _line(
            {
                "order_line_id": parcel.line_id,
                "order_id": f"order-{parcel.line_id}",
                "customer_id": customer_id(parcel),
                "kind": "goods",
                "item_id": item_id(parcel.item),
                "title": f"Item {parcel.item}",
                "amount_minor": parcel.amount_minor,
                "shipping_minor": parcel.shipping_minor,
                "currency": parcel.place.currency,
                "payment_id": f"payment-{parcel.line_id}",
                "purchased_at": parcel.purchased_at,
                "promised_date": parcel.promised.isoformat(),
                "tracking_number": None if parcel.story == Story.NEVER_SENT else parcel.tracking_number,
                "carrier": parcel.carrier,
                "ship_to": {"country": parcel.place.country, "lat": lat, "lon": lon},
            }
        )


def customer_lines(parcels: Iterable[Parcel]) -> Iterator[str]:
    """Their customers, with the fields of `remediation.orders.Customer`. All are invented."""
    for parcel in parcels:
        name = customer_id(parcel)
        known = {"customer_id": name, "email": f"{name}@example.com", "name": f"Buyer {parcel.number}"}
        yield _line(known | {"locale": parcel.place.locale, "timezone": parcel.place.timezone, "voice": parcel.voice})


def stock_lines(parcels: Iterable[Parcel]) -> Iterator[str]:
    """What can be sent of the items of these parcels: of some none, of the others plenty."""
    for item in sorted({parcel.item for parcel in parcels}):
        yield _line({"item_id": item_id(item), "available": _PLENTY * is_in_stock(item)})


def customer_id(parcel: Parcel) -> str:
    """Who ordered it; each customer ordered one thing."""
    return f"buyer-{parcel.number}"


def rfc3339(at: int) -> str:
    """A moment as carriers write it."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _of(parcels: Iterable[Parcel], carriers: tuple[str, ...]) -> Iterator[Parcel]:
    return (each for each in parcels if each.carrier in carriers and each.scans)


def _detail(scan: Scan) -> Mapping[str, object]:
    usual = "return" if scan.status == "return_to_sender" else "status_update"
    return {
        "object": "TrackingDetail",
        "status": _STATUSES.get(scan.status, scan.status),
        "status_detail": _DETAILS.get(scan.reason or "", scan.reason or usual),
        "datetime": rfc3339(scan.at),
        "tracking_location": {"city": scan.depot, "state": None, "country": None, "zip": None},
    }


def _point(parcel: Parcel, scan: Scan) -> dict[str, object]:
    tag, subtag = _TAGS[scan.status, scan.reason]
    return {
        "slug": parcel.carrier,
        "tag": tag,
        "subtag": subtag,
        "checkpoint_time": rfc3339(scan.at),
        "city": scan.depot,
    }


def _line(record: Mapping[str, object]) -> str:
    return json.dumps({name: value for name, value in record.items() if value is not None}, ensure_ascii=False)
