"""For each kind of delivery failure: how bad, whose fault, from when to when, and on which figures it rests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from detectors.delivery.calendars import local_day
from detectors.delivery.parcels import Parcel
from detectors.delivery.rules import DeliveryRules
from detectors.delivery.signals import signals
from detectors.finding import Fault, Scalar

_T = TypeVar("_T")

_NOTHING_CAME: Final = 1.0
_NOT_AS_ORDERED: Final = 0.8  # something came, and it is of no use
_HALFWAY_DAYS: Final = 10
"""A delay of this many days is half as bad as nothing at all: 1 day is 0.09, 2 are 0.17, 5 are 0.33."""

_BLAME: Final[Mapping[str | None, Fault]] = {
    "refused": "consignee",
    "address": "consignee",
    "unclaimed": "consignee",
    "customs": "customs",
    "weather": "weather",
    "merchant": "merchant",
}


@dataclass(frozen=True, slots=True)
class Account:
    """What a finding says beside its kind and its subject. `since` and `until` are milliseconds since the epoch."""

    severity: float
    fault: Fault
    since: int
    until: int
    evidence: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Under what a parcel is judged."""

    as_of: int
    rules: DeliveryRules


def late(parcel: Parcel, judgement: Judgement) -> Account:
    """Arrived after the promised day, or still missing; with a reason the reason's fault, else who held it up."""
    deadline, promised = _known(parcel.deadline), _known(parcel.promised_date)
    arrived = parcel.arrived_at
    until = judgement.as_of if arrived is None else arrived
    arrival = None if arrived is None else local_day(arrived, parcel.timezone)
    days = (local_day(until, parcel.timezone) - promised).days
    # A parcel that the carrier had only after the promised day was never the carrier's to deliver in time.
    held_up = parcel.handed_over_at is None or parcel.handed_over_at >= deadline
    return Account(
        severity=days / (days + _HALFWAY_DAYS),
        fault=_blame(parcel.delay_reason, otherwise="merchant" if held_up else "carrier"),
        since=deadline,
        until=until,
        evidence={
            "promised_date": promised.isoformat(),
            "delivered_date": None if arrival is None else arrival.isoformat(),
            "days_late": days,
            **_asked(parcel),
        },
    )


def lost(parcel: Parcel, judgement: Judgement) -> Account:
    """Declared lost, silent for too long, or never handed over, which is the merchant's doing."""
    since = _known(_first(parcel.heard_at, parcel.purchased_at, parcel.lost_at))
    if parcel.lost_at is not None:
        fault: Fault = "carrier"
    elif parcel.handed_over_at is None:
        fault = "merchant"
    else:
        fault = _blame(parcel.last_reason, otherwise="carrier")
    return Account(
        severity=_NOTHING_CAME,
        fault=fault,
        since=since,
        until=judgement.as_of if parcel.lost_at is None else max(since, parcel.lost_at),
        evidence={
            "last_scan_at": parcel.heard_at,
            "days_silent": (local_day(judgement.as_of, parcel.timezone) - local_day(since, parcel.timezone)).days,
            "never_scanned": parcel.heard_at is None,
            "declared": parcel.lost_at is not None,
            **_asked(parcel),
        },
    )


def damaged(parcel: Parcel, _judgement: Judgement) -> Account:
    """Said by the carrier or by the customer; only the customer's word for what never arrived is unknown."""
    by_carrier = parcel.damaged_at is not None
    at = _known(_first(parcel.damaged_at, parcel.damaged_said_at))
    return Account(
        severity=_NOT_AS_ORDERED,
        fault="carrier" if by_carrier or parcel.delivered_at is not None else "unknown",
        since=at,
        until=at,
        evidence={
            "reason": "damaged" if by_carrier else None,
            "scanned_at": parcel.damaged_at,
            "reported_at": parcel.damaged_said_at,
            "voice": parcel.damaged_voice,
            "language": parcel.damaged_language,
        },
    )


def returned(parcel: Parcel, _judgement: Judgement) -> Account:
    """On its way back, by the fault of whoever gave the reason; unknown where it had been delivered before."""
    at = _known(parcel.returned_at)
    return Account(
        severity=_NOTHING_CAME,
        fault=_blame(parcel.return_reason, otherwise="carrier" if parcel.delivered_at is None else "unknown"),
        since=at,
        until=at,
        evidence={"reason": parcel.return_reason, "scanned_at": at},
    )


def not_received(parcel: Parcel, judgement: Judgement) -> Account:
    """Delivered says the carrier, not there says the customer."""
    delivered_at, reported_at = _known(parcel.delivered_at), _known(parcel.not_received_said_at)
    found = signals(parcel, judgement.rules.proof)
    return Account(
        severity=_NOTHING_CAME,
        fault="carrier",
        since=delivered_at,
        until=reported_at,
        evidence={
            "delivered_at": delivered_at,
            "delivered_date": local_day(delivered_at, parcel.timezone).isoformat(),
            "proof": parcel.proof,
            "distance_m": parcel.distance_m,
            "reports_90_days": parcel.reports,
            "orders_known": parcel.orders_known,
            "signals_for": ",".join(found.supporting),
            "signals_against": ",".join(found.contrary),
            **_asked(parcel),
        },
    )


def misdelivered(parcel: Parcel, _judgement: Judgement) -> Account:
    """Its own proof of delivery lies too far from the address."""
    at = _known(parcel.delivered_at)
    return Account(
        severity=_NOT_AS_ORDERED,
        fault="carrier",
        since=at,
        until=at,
        evidence={"distance_m": parcel.distance_m, "delivered_at": at},
    )


def wrong_item(parcel: Parcel, _judgement: Judgement) -> Account:
    """Another item than the one ordered, by the customer's word."""
    at = _known(parcel.wrong_item_said_at)
    return Account(
        severity=_NOT_AS_ORDERED,
        fault="merchant",
        since=at,
        until=at,
        evidence={
            "wrong_count": parcel.wrong_item_days,
            "received_item_id": parcel.wrong_item_item_id,
            "mixup_lines": parcel.mixup_lines,
            "mixup_customers": parcel.mixup_customers,
            "reported_at": at,
            "voice": parcel.wrong_item_voice,
            "language": parcel.wrong_item_language,
        },
    )


def _asked(parcel: Parcel) -> Mapping[str, Scalar]:
    """That, and how, the customer wrote that it has not come."""
    return {
        "reported_at": parcel.not_received_said_at,
        "voice": parcel.not_received_voice,
        "language": parcel.not_received_language,
    }


def _blame(reason: str | None, otherwise: Fault) -> Fault:
    """Whose fault a reason names; every reason of the carrier's own work is the carrier's."""
    return otherwise if reason is None else _BLAME.get(reason, "carrier")


def _first(*moments: int | None) -> int | None:
    return next((moment for moment in moments if moment is not None), None)


def _known(value: _T | None) -> _T:
    """A figure that the standard of this kind demands, so that it is there."""
    if value is None:
        raise AssertionError("A delivery failure was found on a figure that is unknown; the standard must demand it.")
    return value
