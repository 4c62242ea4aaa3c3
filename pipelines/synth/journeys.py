"""How parcels travel: the scans that are made of them, and what their customers write about them, up to a moment."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import cos, radians
from typing import Final

import numpy as np

from pipelines.synth.parcels import ITEMS, Contact, Parcel, Scan, Story, whole_second
from pipelines.synth.recipe import DAY_MS, HOUR_MS, Recipe

DEPOTS: Final = tuple(f"DEPOT {letter}" for letter in "ABCDEFGHIJKL")
_ROUTE: Final = 3
_FIRES: Final = 0.3
"""So many nights know of a depot that burnt, and with it nine in ten of the parcels that were in it."""

_BURNT: Final = 0.9
_METRES_A_DEGREE: Final = 111_195
_NO_DELIVERY: Final = (
    Story.LOST,
    Story.DECLARED_LOST,
    Story.REFUSED,
    Story.NOT_FETCHED,
    Story.SENT_BACK,
)
_NO_SCANS: Final = (Story.NEVER_SENT, Story.LABEL_ONLY)
_HELD: Final = {
    "weather": "delivery_delayed",
    "carrier": "delivery_delayed",
    "customs": "on_hold",
    "address": "on_hold",
}


@dataclass(frozen=True, slots=True)
class Fire:
    """A depot that burnt; what was in it between these moments, in milliseconds since the epoch, is lost."""

    depot: str
    since: int
    until: int

    @property
    def name(self) -> str:
        """As truth calls it."""
        return f"fire in {self.depot}"


def fire(recipe: Recipe) -> Fire | None:
    """The fire that the night knows of, if any."""
    rng = recipe.random("night", 1)
    if recipe.healthy or rng.random() > _FIRES:
        return None
    until = recipe.as_of - int(rng.uniform(22, 24) * DAY_MS)
    return Fire(str(rng.choice(DEPOTS)), until - 6 * DAY_MS, until)


def travelled(parcel: Parcel, burning: Fire | None, as_of: int, rng: np.random.Generator) -> Parcel:
    """The parcel with everything that was scanned and written of it until the decision."""
    scans = [*_travel(parcel, rng)]
    if burning and parcel.story in (Story.FINE, Story.SLOW):
        inside = [place for place, scan in enumerate(scans) if _is_in(scan, burning)]
        if inside and rng.random() < _BURNT:
            scans, parcel = scans[: inside[0] + 1], replace(parcel, burnt_in=burning.name)
    known = tuple(scan for scan in scans if scan.at <= as_of)
    told = () if parcel.burnt_in else tuple(each for each in _told(parcel, rng) if each.at <= as_of)
    return replace(parcel, scans=known, contacts=told)


def _is_in(scan: Scan, burning: Fire) -> bool:
    return scan.depot == burning.depot and burning.since <= scan.at <= burning.until


def _travel(parcel: Parcel, rng: np.random.Generator) -> Iterator[Scan]:
    if parcel.story == Story.NEVER_SENT:
        return
    yield Scan(whole_second(parcel.purchased_at + rng.uniform(0.5, 4) * HOUR_MS), "pending")
    if parcel.story in _NO_SCANS:
        return
    yield Scan(parcel.handed_over_at, "picked_up")
    yield from _on_the_way(parcel, rng)
    if parcel.story in _NO_DELIVERY:
        yield from _astray(parcel)
        return
    yield Scan(parcel.arrives_at - 3 * HOUR_MS, "out_for_delivery")
    yield _at_the_door(parcel, rng)


def _on_the_way(parcel: Parcel, rng: np.random.Generator) -> Iterator[Scan]:
    """A scan a day through some depots, and why it is held up half way."""
    begin, end = parcel.handed_over_at, parcel.arrives_at - 4 * HOUR_MS
    count = max(1, round((end - begin) / DAY_MS))
    first = int(rng.integers(len(DEPOTS)))
    for step in range(1, count + 1):
        at = whole_second(begin + (end - begin) * step / (count + 1))
        depot = DEPOTS[(first + min(step * _ROUTE // (count + 1), _ROUTE - 1)) % len(DEPOTS)]
        yield Scan(at, "in_transit", depot=depot)
        if step != (count + 1) // 2:
            continue
        if parcel.delay in _HELD:
            yield Scan(at + 1_000, _HELD[parcel.delay], parcel.delay, depot)
        if parcel.story == Story.DAMAGED:
            yield Scan(at + 1_000, "delivery_failed", "damaged", depot)
        if parcel.story == Story.TAKEN_BACK:
            yield Scan(at + 1_000, "delivery_failed", "lost", depot)
            yield Scan(at + 1_000, "delivery_failed", "did_not_occur", depot)


def _astray(parcel: Parcel) -> Iterator[Scan]:
    at = parcel.arrives_at
    if parcel.story == Story.DECLARED_LOST:
        yield Scan(at, "delivery_failed", "lost")
    elif parcel.story == Story.SENT_BACK:
        yield Scan(at, "return_to_sender")
    elif parcel.story != Story.LOST:
        reason = "refused" if parcel.story == Story.REFUSED else "unclaimed"
        yield Scan(at, "delivery_failed", reason)
        yield Scan(at + 6 * HOUR_MS, "return_to_sender")
        yield Scan(at + 3 * DAY_MS, "delivered")


def _at_the_door(parcel: Parcel, rng: np.random.Generator) -> Scan:
    bare = Scan(parcel.arrives_at, "delivered")
    if parcel.story == Story.STOLEN:
        by_neighbour = parcel.proof is None and rng.random() < 1 / 4
        if by_neighbour:
            return replace(bare, reason="neighbour")
        proven = replace(bare, proof=parcel.proof)
        return _at(proven, parcel) if parcel.proof == "photo" else proven
    return _at(replace(bare, proof="photo"), parcel) if parcel.story == Story.ELSEWHERE else bare


def _at(scan: Scan, parcel: Parcel) -> Scan:
    """Where it was handed over: so many metres east of the address."""
    lat, lon = address(parcel)
    return replace(scan, lat=lat, lon=lon + parcel.distance_m / (_METRES_A_DEGREE * cos(radians(lat))))


def address(parcel: Parcel) -> tuple[float, float]:
    """Where its customer lives, in degrees."""
    return parcel.place.lat + parcel.number % 89 * 0.002, parcel.place.lon + parcel.number % 97 * 0.002


def _told(parcel: Parcel, rng: np.random.Generator) -> Iterator[Contact]:
    """What the customer writes; the odd one writes about something else."""
    after = whole_second(parcel.arrives_at + rng.uniform(3, 70) * HOUR_MS)
    if parcel.story == Story.STOLEN:
        yield Contact(after, "not_received")
    elif parcel.story == Story.IMPATIENT:
        yield Contact(parcel.arrives_at - 5 * HOUR_MS, "not_received")
    elif parcel.story == Story.DAMAGED_INSIDE:
        yield Contact(after, "damaged")
    elif parcel.story == Story.WRONG_ITEM:
        yield Contact(after, "wrong_item", item_id(parcel.item // ITEMS * ITEMS + ITEMS + int(rng.integers(ITEMS))))
    elif rng.random() < 1 / 100:
        yield Contact(after, "other")


def item_id(item: int) -> str:
    """An item of the catalogue."""
    return f"item-{item}"
