"""Trackings of AfterShip: webhooks, answers of its interface, and the bare objects.

Words after AfterShip's own reference, "Delivery statuses" and "Delivery
sub-statuses".
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

_TAGS: Final[Mapping[str, str]] = {
    "Pending": "pending",
    "InfoReceived": "pending",
    "InTransit": "in_transit",
    "OutForDelivery": "out_for_delivery",
    "AttemptFail": "delivery_failed",
    "Delivered": "delivered",
    "AvailableForPickup": "ready_for_pickup",
    "Exception": "unknown",  # anything from customs to a loss: the subtag tells which
    "Expired": "unknown",  # nothing heard for thirty days, which is no scan
}
_SUBTAGS: Final[Mapping[str, tuple[str, str | None]]] = {
    "InTransit_002": ("picked_up", None),
    "Delivered_005": ("delivered", "neighbour"),
    "AttemptFail_001": ("delivery_failed", None),
    "AttemptFail_002": ("delivery_failed", None),  # nobody was at home
    "AttemptFail_003": ("delivery_failed", None),  # the business was closed
    "Exception_001": ("delivery_failed", None),
    "Exception_002": ("delivery_failed", "address"),  # the customer has moved
    "Exception_003": ("delivery_failed", "refused"),
    "Exception_004": ("on_hold", "customs"),
    "Exception_005": ("delivery_delayed", None),
    "Exception_006": ("on_hold", None),  # a payment is open; whose is not said
    "Exception_007": ("delivery_failed", "address"),
    "Exception_008": ("delivery_failed", "unclaimed"),
    "Exception_009": ("delivery_failed", "merchant"),  # against the carrier's rules for what is sent
    "Exception_010": ("return_to_sender", None),
    "Exception_011": ("return_to_sender", None),
    "Exception_012": ("delivery_failed", "damaged"),
    "Exception_013": ("delivery_failed", "lost"),
    "Exception_016": ("delivery_delayed", "carrier"),
    "Exception_017": ("delivery_delayed", "weather"),
    "Exception_018": ("on_hold", "customs"),
}
"""Subtags that say more than their tag; a new one of a tag that fails is counted as unknown."""

_FAILING: Final = ("AttemptFail", "Exception")
_SIGNED: Final = "Delivered_003"


def aftership_scans(members: JsonObject, note: Note) -> Iterator[Found]:
    """The scans of a tracking, or of all in an answer; see `trackers.Reader`."""
    return each(_trackings(members), partial(_tracking, note=note), "tracking")


def _trackings(members: JsonObject) -> list[Json]:
    """A webhook wraps a tracking as `msg`, an answer as `data`, there alone, as `tracking` or among `trackings`."""
    inner = next((members[name] for name in ("msg", "data") if isinstance(members.get(name), dict)), dict(members))
    if isinstance(inner, dict):
        many, one = inner.get("trackings"), inner.get("tracking")
        if isinstance(many, list):
            return many
        if isinstance(one, dict):
            return [one]
    return [inner]


def _tracking(tracking: JsonObject, note: Note) -> Iterator[Found]:
    if "tracking_number" not in tracking:
        raise FaultError(Code.NOT_TRACKING, "The message tells of no tracking.")
    promised = partial(_promised, tracking, note)
    return scans_of(tracking, "checkpoints", "checkpoint_time", partial(_scan, tracking, note), promised)


def _scan(tracking: JsonObject, note: Note, point: JsonObject, time: str) -> Scan:
    tag, subtag = text(point, "tag"), text(point, "subtag")
    known = _SUBTAGS.get(subtag or "")
    if known is None and subtag and subtag.startswith(_FAILING):
        note("subtag", Code.UNKNOWN_VALUE, "The field subtag holds a word that is not in its list.")
    status, reason = known or (word(_TAGS, tag, "tag", note), None)
    # Who signed is a person's name and stays behind.
    signed = status == "delivered" and (subtag == _SIGNED or bool(tracking.get("signed_by")))
    lat, lon = _coordinate(point)
    return Scan(
        tracking_number=text(tracking, "tracking_number"),
        event_time=moment(point, time, note),
        status=status,
        reason=reason,
        lat=lat,
        lon=lon,
        proof="signature" if signed else None,
        carrier=text(point, "slug") or text(tracking, "slug"),
        depot=_place(point),
    )


def _place(point: JsonObject) -> str | None:
    country = text(point, "country_iso3") or text(point, "country_region")
    return depot(text(point, "city"), text(point, "state"), country) or text(point, "location")


def _coordinate(point: JsonObject) -> tuple[float | None, float | None]:
    given = point.get("coordinate")
    if not isinstance(given, dict):
        return None, None
    lat, lon = given.get("latitude"), given.get("longitude")
    for value in (lat, lon):
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise FaultError(Code.WRONG_TYPE, "The field coordinate must hold numbers.", "coordinate")
    return _number(lat), _number(lon)


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _promised(tracking: JsonObject, note: Note) -> str | None:
    """The courier's own estimate, under its new name or its old one."""
    courier = tracking.get("courier_estimated_delivery_date")
    if isinstance(courier, dict):
        return estimate(courier, "estimated_delivery_date", note)
    return estimate(tracking, "expected_delivery", note)
