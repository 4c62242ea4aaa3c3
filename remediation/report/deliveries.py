"""The evidence of a delivery finding in words; the names of the figures are those of `detectors.delivery.failures`."""

from collections.abc import Callable, Mapping
from typing import Final

from detectors.finding import Scalar
from remediation.report.figures import at, coded, shown, signals, whole
from remediation.report.formats import counted

Evidence = Mapping[str, Scalar]

REASONS: Final[Mapping[str, str]] = {
    "lost": "it is lost",
    "damaged": "it is damaged",
    "refused": "the recipient refused it",
    "address": "the address was wrong or not complete",
    "unclaimed": "nobody collected it",
    "customs": "customs did not let it pass",
    "weather": "of the weather",
    "carrier": "of the carrier",
    "merchant": "of the merchant",
    "neighbour": "it was left with a neighbour",
    "did_not_occur": "the scan never happened",
}
"""What a carrier gives as its reason, as a clause after `because`."""

_PROOFS: Final[Mapping[str, str]] = {
    "photo": "proved by a photo",
    "signature": "proved by a signature",
    "pin": "proved by a PIN",
    "none": "without any proof",
}


def _late(known: Evidence) -> list[str]:
    days = whole(known, "days_late")
    return [
        coded(known, "promised_date", "promised for {}") or "past the promised day",
        coded(known, "delivered_date", "delivered on {}") or "not delivered yet",
        "" if days is None else f"{counted(days, 'day')} late",
    ]


def _lost(known: Evidence) -> list[str]:
    days = whole(known, "days_silent")
    if known.get("never_scanned") is True:
        return ["never scanned by any carrier", "" if days is None else f"bought {counted(days, 'day')} ago"]
    silence = "" if days is None else f"no scan for {counted(days, 'day')}"
    return [
        "declared lost by the carrier" if known.get("declared") is True else silence or "no longer scanned",
        at(known, "last_scan_at", "last scanned {}"),
    ]


def _damaged(known: Evidence) -> list[str]:
    return ["reported as damaged" + at(known, "scanned_at", " {}")]


def _returned(known: Evidence) -> list[str]:
    return ["went back to the sender" + at(known, "scanned_at", " {}") + _because(known)]


def _not_received(known: Evidence) -> list[str]:
    proof, reports, orders = known.get("proof"), whole(known, "reports_90_days"), whole(known, "orders_known")
    history = "" if orders is None else f", of {counted(orders, 'order line')} known"
    return [
        "scanned as delivered" + at(known, "delivered_at", " {}"),
        "reported missing" + at(known, "reported_at", " {}"),
        _PROOFS.get(str(proof), "with no proof known"),
        _from_address(known),
        "" if reports is None else f"{counted(reports, 'such report')} of this customer in 90 days{history}",
        signals(known, "signals_for", "for the customer: {}"),
        signals(known, "signals_against", "against: {}"),
    ]


def _misdelivered(known: Evidence) -> list[str]:
    return [f"delivered {_from_address(known) or 'to another place'}" + at(known, "delivered_at", ", {}")]


def _wrong_item(known: Evidence) -> list[str]:
    count, others = whole(known, "wrong_count"), whole(known, "mixup_lines")
    customers = whole(known, "mixup_customers")
    among = "" if not customers else f" of {counted(customers, 'customer')}"
    return [
        "another item came" + ("" if count is None or count == 1 else f" {counted(count, 'time')}"),
        coded(known, "received_item_id", "item {} instead"),
        f"the same mix-up on {counted(others, 'other order line')}{among}" if others else "",
    ]


SENTENCES: Final[Mapping[str, Callable[[Evidence], list[str]]]] = {
    "late": _late,
    "lost": _lost,
    "damaged": _damaged,
    "returned": _returned,
    "delivered_not_received": _not_received,
    "misdelivered": _misdelivered,
    "wrong_item": _wrong_item,
}
"""By kind, the parts of a sentence; a part that is empty is left out."""


def _from_address(known: Evidence) -> str:
    metres = whole(known, "distance_m")
    return "" if metres is None else f"{shown('distance_m', metres)} from the address"


def _because(known: Evidence) -> str:
    reason = known.get("reason")
    return "" if reason is None else f", because {REASONS.get(str(reason), 'of something that is not known here')}"
