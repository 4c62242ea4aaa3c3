"""Parcels and what truly became of them: where they were when, and what their customers wrote."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from pipelines.synth.recipe import BATCH_PARCELS, DAY_MS, HOUR_MS, Recipe


class Story(StrEnum):
    """What happens to a parcel."""

    FINE = "on its way, or there in time"
    SLOW = "late"
    LOST = "lost on the way"
    DECLARED_LOST = "lost by the carrier's own word"
    NEVER_SENT = "never sent"
    LABEL_ONLY = "labelled and never sent"
    DAMAGED = "damaged on the way"
    DAMAGED_INSIDE = "damaged inside"
    REFUSED = "refused at the door"
    NOT_FETCHED = "never fetched"
    SENT_BACK = "sent back by the carrier"
    STOLEN = "gone from the door"
    ELSEWHERE = "handed over elsewhere"
    WRONG_ITEM = "another item in the parcel"
    TAKEN_BACK = "called lost, which the carrier took back"
    IMPATIENT = "asked for before it came"


@dataclass(frozen=True, slots=True)
class Place:
    """A country with the point near which its customers live, their zone, currency, language and how many there are."""

    country: str
    timezone: str
    currency: str
    locale: str
    lat: float
    lon: float
    share: float


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan, at a moment in milliseconds since the epoch; what is not known is None."""

    at: int
    status: str
    reason: str | None = None
    depot: str | None = None
    proof: str | None = None
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """What a customer told, without the words."""

    at: int
    topic: str
    received_item: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One order line of goods and its true course up to the decision. Moments are milliseconds since the epoch.

    `delay` is why it is late, where anybody knows; `distance_m` how far from the address
    it was handed over; `burnt_in` the fire that took it.
    """

    number: int
    story: Story
    place: Place
    carrier: str
    item: int
    amount_minor: int
    shipping_minor: int
    purchased_at: int
    handed_over_at: int
    arrives_at: int
    promised: date
    voice: str
    delay: str | None = None
    distance_m: float = 0.0
    proof: str | None = None
    burnt_in: str | None = None
    scans: tuple[Scan, ...] = ()
    contacts: tuple[Contact, ...] = ()

    @property
    def line_id(self) -> str:
        """Its order line."""
        return f"goods-{self.number}"

    @property
    def is_in_stock(self) -> bool:
        """Whether its item can be sent again."""
        return is_in_stock(self.item)

    @property
    def tracking_number(self) -> str:
        """As its carrier calls it."""
        return f"{self.carrier.upper()}{self.number:09}"

    def local_day(self, at: int) -> date:
        """The customer's calendar day of a moment."""
        return local_day(at, self.place.timezone)


PLACES: Final = (
    Place("US", "America/New_York", "USD", "en-US", 40.7, -74.0, 0.6),
    Place("GB", "Europe/London", "GBP", "en-GB", 51.5, -0.1, 0.15),
    Place("DE", "Europe/Berlin", "EUR", "de-DE", 52.5, 13.4, 0.15),
    Place("JP", "Asia/Tokyo", "JPY", "ja-JP", 35.7, 139.7, 0.1),
)
ITEMS: Final = 24
"""So many items are sold; of as many others one comes by mistake. Every batch of parcels has its own."""

_OUT_OF_STOCK: Final = 6  # of the items, the first ones

SHARES: Final[dict[Story, float]] = {
    Story.LOST: 0.008,
    Story.DECLARED_LOST: 0.003,
    Story.NEVER_SENT: 0.005,
    Story.LABEL_ONLY: 0.003,
    Story.DAMAGED: 0.005,
    Story.DAMAGED_INSIDE: 0.004,
    Story.REFUSED: 0.005,
    Story.NOT_FETCHED: 0.002,
    Story.SENT_BACK: 0.004,
    Story.STOLEN: 0.008,
    Story.ELSEWHERE: 0.006,
    Story.WRONG_ITEM: 0.006,
    Story.TAKEN_BACK: 0.004,
    Story.IMPATIENT: 0.006,
    Story.SLOW: 0.0665,  # of 22,870 real orders so many came after the promised day (Olist)
}
DELAYS: Final = (None, "weather", "customs", "address", "carrier", "merchant")
_DELAY_SHARES: Final = (0.6, 0.08, 0.04, 0.03, 0.1, 0.15)
_CARRIERS: Final = ("ups", "fedex", "usps", "dhl", "royalmail", "yamato")
_TALKATIVE: Final = ("royalmail", "yamato")
"""Carriers whose scans say everything: proofs, points, reasons, and what was taken back."""

_NEEDS_WORDS: Final = (Story.STOLEN, Story.ELSEWHERE, Story.TAKEN_BACK, Story.NOT_FETCHED)
_MINOR: Final = {"USD": 1.0, "GBP": 0.8, "EUR": 0.9, "JPY": 1.5}
_PROOFS: Final = (None, "none", "photo", "signature", "pin")
_LATEST_PURCHASE_DAYS: Final = 2
_EARLIEST_PURCHASE_DAYS: Final = 55


def parcels(recipe: Recipe, numbers: range) -> Iterator[Parcel]:
    """The parcels with these numbers, without scans and contacts."""
    rng = recipe.random("parcels", numbers.start)
    stories = (*SHARES, Story.FINE)
    bounds = np.cumsum([*SHARES.values()])
    for number in numbers:
        story = stories[int(np.searchsorted(bounds, rng.random(), side="right"))]
        if recipe.healthy and story != Story.SLOW:
            story = Story.FINE
        yield _bought(number, story, recipe.as_of, rng)


def is_in_stock(item: int) -> bool:
    """Whether an item can be sent."""
    return item % (2 * ITEMS) >= _OUT_OF_STOCK


def whole_second(at: float) -> int:
    """A moment as carriers know it: to the second."""
    return int(at) - int(at) % 1_000


def local_day(at: int, timezone: str) -> date:
    """The calendar day of a moment in a zone."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(timezone)).date()


def _bought(number: int, story: Story, as_of: int, rng: np.random.Generator) -> Parcel:
    place = PLACES[_one_of(tuple(each.share for each in PLACES), rng)]
    delay = DELAYS[_one_of(_DELAY_SHARES, rng)] if story == Story.SLOW else None
    needs_words = story in _NEEDS_WORDS or delay in ("customs", "address")
    purchased = as_of - int(rng.uniform(_LATEST_PURCHASE_DAYS, _EARLIEST_PURCHASE_DAYS) * DAY_MS)
    handed_over = purchased + int(rng.uniform(0.2, 1.5) * DAY_MS)
    arrives = handed_over + int((1 + rng.exponential(2.5)) * DAY_MS)
    price = int(rng.uniform(900, 9_000) * _MINOR[place.currency])
    parcel = Parcel(
        number=number,
        story=story,
        place=place,
        carrier=(_TALKATIVE if needs_words else _CARRIERS)[
            int(rng.integers(len(_TALKATIVE) if needs_words else len(_CARRIERS)))
        ],
        item=number // BATCH_PARCELS * 2 * ITEMS + int(rng.integers(ITEMS)),
        amount_minor=price,
        shipping_minor=(0, 299, 499, 799)[int(rng.integers(4))],
        purchased_at=whole_second(purchased),
        handed_over_at=whole_second(handed_over),
        arrives_at=whole_second(arrives),
        promised=local_day(arrives, place.timezone) + timedelta(days=int(rng.exponential(1.5))),
        voice=("plain", "warm", "playful")[int(rng.integers(3))],
        delay=delay,
        distance_m=float(rng.uniform(20, 1_500)) if story == Story.ELSEWHERE else float(rng.uniform(0, 60)),
        proof=_PROOFS[_one_of((0.3, 0.3, 0.2, 0.1, 0.1), rng)],
    )
    return _delayed(parcel, rng) if story == Story.SLOW else parcel


def _one_of(shares: tuple[float, ...], rng: np.random.Generator) -> int:
    bound, drawn = 0.0, rng.random()
    for place, share in enumerate(shares):
        bound += share
        if drawn < bound:
            return place
    return len(shares) - 1


def _delayed(parcel: Parcel, rng: np.random.Generator) -> Parcel:
    """Later than promised, by days that fall off quickly; held up by us, the carrier has it only after the promise."""
    days = 1 + int(rng.exponential(3))
    arrives = parcel.arrives_at + days * DAY_MS
    promised = parcel.local_day(arrives) - timedelta(days=days)
    held_up = parcel.delay == "merchant"
    handed_over = arrives - 9 * HOUR_MS if held_up and days > 1 else parcel.handed_over_at
    return replace(parcel, arrives_at=arrives, promised=promised, handed_over_at=handed_over)
