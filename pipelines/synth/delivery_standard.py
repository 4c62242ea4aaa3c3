"""What customers of parcels went through and what is owed for it, by the published standard, on the true course."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache

import holidays
import numpy as np

from detectors.finding import DeliveryKind
from pipelines.synth.figures import Figures
from pipelines.synth.owed import at_least, rounded
from pipelines.synth.parcels import Parcel, Story

_SCANNED = ("pending",)
_AGAINST = ("photo", "signature", "pin")


@dataclass(frozen=True, slots=True)
class Due:
    """What failed of one parcel and what is owed for it, in minor units and goods; `for_person` says who decides."""

    kinds: tuple[DeliveryKind, ...]
    owed_minor: int
    goods: str | None
    for_person: bool


@dataclass(frozen=True, slots=True)
class _Share:
    """Percent of the item and of the shipping, and goods."""

    item: int
    shipping: int
    goods: str | None = None


def due(parcel: Parcel, mixed_up: Collection[tuple[int, str]], as_of: int, standard: Figures) -> Due:
    """What is owed by the figures of the policy, for the first failure of a customer.

    Args:
      parcel: As it truly went up to the decision.
      mixed_up: Items, and what came for them, that came wrong more than once.
      as_of: The decision, in milliseconds since the epoch.
      standard: The published figures.
    """
    lost = _is_lost(parcel, as_of, standard)
    late = not lost and _is_late(parcel, as_of)
    kinds = (*(("late",) if late else ()), *(("lost",) if lost else ()), *_told(parcel, standard))
    blameless = {kind for kind in kinds if not _is_ours(parcel, kind)}
    shares = [_share(parcel, kind, mixed_up, as_of, standard) for kind in kinds if kind not in blameless]
    unclear = "late" in blameless and parcel.delay == "weather"
    goods = next((share.goods for share in shares if share.goods), None)
    price, shipping = parcel.amount_minor, parcel.shipping_minor
    item = rounded(price * Fraction(max((share.item for share in shares), default=0), 100))
    whole = at_least(item, price, parcel.place.currency, standard)
    back = rounded(shipping * Fraction(max((share.shipping for share in shares), default=0), 100))
    doubted = "delivered_not_received" in kinds and _speaks_against(parcel)
    return Due(tuple(kinds), whole + back, goods, for_person=unclear or doubted)


def mixups(found: Collection[Parcel]) -> Collection[tuple[int, str]]:
    """Items, and what came for them, that came wrong to more than one customer."""
    wrong = Counter((each.item, said.received_item) for each in found for said in each.contacts if said.received_item)
    return {pair for pair, count in wrong.items() if count > 1}


def _arrived_at(parcel: Parcel) -> int | None:
    if _is_returned(parcel):
        return None
    return next((scan.at for scan in parcel.scans if scan.status == "delivered"), None)


def _is_returned(parcel: Parcel) -> bool:
    return any(scan.status == "return_to_sender" for scan in parcel.scans)


def _came_on(parcel: Parcel, as_of: int) -> date:
    """The customer's day on which it came, or the present one while it has yet to come."""
    arrived = _arrived_at(parcel)
    return parcel.local_day(as_of if arrived is None else arrived)


def _is_late(parcel: Parcel, as_of: int) -> bool:
    """The promised day is over in the customer's zone, and it came after it or has yet to come."""
    if _is_returned(parcel) or any(scan.reason == "refused" for scan in parcel.scans):
        return False
    return _came_on(parcel, as_of) > parcel.promised


def _is_lost(parcel: Parcel, as_of: int, standard: Figures) -> bool:
    """By the carrier's word; or silent for too long; or never handed over, with the promise over."""
    if _arrived_at(parcel) is not None or _is_returned(parcel):
        return False
    if parcel.story == Story.DECLARED_LOST and any(scan.reason == "lost" for scan in parcel.scans):
        return True
    days = standard.delivery.carriers.get(parcel.carrier, standard.delivery.carriers["default"])
    today = parcel.local_day(as_of)
    heard = [scan.at for scan in parcel.scans if scan.status not in _SCANNED]
    if heard:
        at_home = parcel.place.country == standard.delivery.merchant_country
        return (today - parcel.local_day(max(heard))).days >= (days.lost_domestic if at_home else days.lost_abroad)
    bought = parcel.local_day(parcel.purchased_at)
    waited = _working_days(bought + timedelta(days=1), today, standard.delivery.merchant_country)
    return waited >= days.never_scanned and today > parcel.promised


def _working_days(since: date, until: date, country: str) -> int:
    """From the first, inclusive, to the last, exclusive."""
    years = tuple(range(since.year, until.year + 1))
    return int(np.busday_count(since, until, holidays=[*_holidays(country, years)]))


@cache
def _holidays(country: str, years: tuple[int, ...]) -> tuple[np.datetime64, ...]:
    return tuple(np.datetime64(day, "D") for day in holidays.country_holidays(country, years=years))


def _told(parcel: Parcel, standard: Figures) -> tuple[DeliveryKind, ...]:
    """What scans and customers say beside the time that passes."""
    topics = {said.topic for said in parcel.contacts}
    arrived = _arrived_at(parcel)
    damaged = "damaged" in topics or any(scan.reason == "damaged" for scan in parcel.scans)
    missing = arrived is not None and any(
        said.topic == "not_received" and said.at >= arrived for said in parcel.contacts
    )
    far = parcel.story == Story.ELSEWHERE and round(parcel.distance_m) > standard.delivery.proof.far_m
    found: tuple[tuple[DeliveryKind, bool], ...] = (
        ("damaged", damaged),
        ("returned", _is_returned(parcel)),
        ("delivered_not_received", missing),
        ("misdelivered", far and arrived is not None),
        ("wrong_item", "wrong_item" in topics),
    )
    return tuple(kind for kind, is_so in found if is_so)


def _is_ours(parcel: Parcel, kind: DeliveryKind) -> bool:
    """Whether it was the carrier's fault or the merchant's."""
    if kind == "returned":
        return parcel.story == Story.SENT_BACK
    held = any(scan.reason == parcel.delay for scan in parcel.scans if parcel.delay)
    return kind != "late" or not held or parcel.delay in ("carrier", "merchant")


def _speaks_against(parcel: Parcel) -> bool:
    """A photo at the door, a signature, a PIN or a neighbour who took it: a person decides."""
    return any(scan.proof in _AGAINST or scan.reason == "neighbour" for scan in parcel.scans)


def _share(
    parcel: Parcel, kind: DeliveryKind, mixed_up: Collection[tuple[int, str]], as_of: int, standard: Figures
) -> _Share:
    if kind == "late":
        return _late(parcel, as_of, standard)
    answers = standard.goods.failed[kind]
    again = any((parcel.item, said.received_item) in mixed_up for said in parcel.contacts)
    plan = answers.again if again else answers.first
    goods = None
    if parcel.is_in_stock:
        goods = "exchange" if "exchange" in plan else "replacement" if "replacement" in plan else None
    in_full = "refund" in plan or goods is None
    return _Share(100 * in_full, 100 * (in_full and standard.goods.refund_shipping), goods)


def _late(parcel: Parcel, as_of: int, standard: Figures) -> _Share:
    tier = standard.goods.late.tier((_came_on(parcel, as_of) - parcel.promised).days)
    return _Share(standard.goods.late.item.at(tier), standard.goods.late.shipping.at(tier))
