"""Trackers of EasyPost, and the webhook events that wrap them.

Words after EasyPost's own reference, "Tracker object". A `datetime` without an
offset is UTC.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from detectors.telemetry.jsontext import Json
from detectors.telemetry.rejects import Code, FaultError
from detectors.telemetry.trackers import (
    Found,
    JsonObject,
    Note,
    Scan,
    depot,
    each,
    estimate,
    moment,
    scans_of,
    text,
    word,
)

_STATUSES: Final[Mapping[str, str]] = {
    "unknown": "unknown",
    "pre_transit": "pending",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "delivered": "delivered",
    "available_for_pickup": "ready_for_pickup",
    "return_to_sender": "return_to_sender",
    "failure": "delivery_failed",
    "cancelled": "cancelled",
    "error": "unknown",  # EasyPost could not ask the carrier
}
_REASONS: Final[Mapping[str, str]] = {
    "address_correction": "address",
    "damaged": "damaged",
    "lost": "lost",
    "missorted": "carrier",
    "refused": "refused",
    "weather_delay": "weather",
}
_ON_THE_WAY: Final[Mapping[str, str]] = {
    "delayed": "delivery_delayed",
    "weather_delay": "delivery_delayed",
    "held": "on_hold",
    "return": "return_to_sender",
}
"""Details that say more than the status `in_transit` beside them."""

_SILENT: Final = frozenset(
    (
        "arrived_at_destination",
        "arrived_at_facility",
        "arrived_at_pickup_location",
        "awaiting_information",
        "cancelled",
        "delivery_exception",
        "departed_facility",
        "departed_origin_facility",
        "expired",
        "failure",
        "in_transit",
        "label_created",
        "out_for_delivery",
        "received_at_destination_facility",
        "received_at_origin_facility",
        "status_update",
        "transferred_to_destination_carrier",
        "transit_exception",
        "unknown",
    )
)
"""Details that are known and give no reason."""

_DETAILS: Final = frozenset((*_REASONS, *_ON_THE_WAY, *_SILENT))


def easypost_scans(members: JsonObject, note: Note) -> Iterator[Found]:
    """The scans of a tracker, of the tracker in an event, or of all in a list; see `trackers.Reader`."""
    return each(_objects(members), partial(_object, note=note), "tracker")


def _objects(members: JsonObject) -> list[Json]:
    for name in ("trackers", "events"):
        items = members.get(name)
        if isinstance(items, list):
            return items
    return [dict(members)]


def _object(members: JsonObject, note: Note) -> Iterator[Found]:
    if members.get("object") != "Event":
        return _tracker(members, note)
    result = members.get("result")
    if not isinstance(result, dict) or "tracking_code" not in result:
        raise FaultError(Code.NOT_TRACKING, "The event tells of no tracker.", "result")
    return _tracker(result, note)


def _tracker(tracker: JsonObject, note: Note) -> Iterator[Found]:
    promised = partial(estimate, tracker, "est_delivery_date", note)
    return scans_of(tracker, "tracking_details", "datetime", partial(_scan, tracker, note), promised)


def _scan(tracker: JsonObject, note: Note, detail: JsonObject, time: str) -> Scan:
    status = word(_STATUSES, text(detail, "status"), "status", note)
    said = text(detail, "status_detail")
    if said is not None and said not in _DETAILS:
        note("status_detail", Code.UNKNOWN_VALUE, "The field status_detail holds a word that is not in its list.")
    place = detail.get("tracking_location")
    known = place if isinstance(place, dict) else {}
    return Scan(
        tracking_number=text(tracker, "tracking_code"),
        event_time=moment(detail, time, note),
        status=_ON_THE_WAY.get(said or "", status) if status == "in_transit" else status,
        reason=_REASONS.get(said or ""),
        # Who signed is a person's name and stays behind.
        proof="signature" if status == "delivered" and tracker.get("signed_by") else None,
        carrier=text(tracker, "carrier"),
        depot=depot(*(text(known, name) for name in ("city", "state", "country"))),
    )
