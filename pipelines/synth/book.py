"""What the service knows of its viewers: customers, order lines and grants, as columns and as JSON Lines."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from pipelines.synth.arrivals import Clocks
from pipelines.synth.population import TITLES, Forgery, Habit, Visits
from pipelines.synth.recipe import DAY_MS, HOUR_MS, Chunk
from pipelines.synth.scenes import Bools, Ints

KINDS: Final = ("rental", "purchase", "subscription")
_KIND_SHARES: Final = (0.6, 0.1, 0.3)


@dataclass(frozen=True, slots=True)
class Country:
    """Where customers live, and what a film costs there, in minor units."""

    currency: str
    timezone: str
    locale: str
    prices: tuple[int, int, int]  # by `KINDS`


COUNTRIES: Final = (
    Country("USD", "America/New_York", "en-US", (399, 1_499, 1_599)),
    Country("EUR", "Europe/Berlin", "de-DE", (449, 1_399, 1_299)),
    Country("GBP", "Europe/London", "en-GB", (349, 1_199, 1_099)),
    Country("JPY", "Asia/Tokyo", "ja-JP", (440, 2_000, 1_490)),
    Country("KWD", "Asia/Kuwait", "en", (990, 3_900, 4_200)),
    Country("BRL", "America/Sao_Paulo", "pt-BR", (1_490, 4_990, 3_990)),
)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The customers of a part of the night, each with one order line; `kind` and `country` are places in the tables."""

    names: pl.Series
    lines: pl.Series
    kind: Ints
    country: Ints
    amount_minor: Ints
    purchased_at: Ints
    available_until: Ints


def accounts(chunk: Chunk, seen: Visits, clock: Clocks, rng: np.random.Generator) -> Accounts:
    """Who these viewers are: each ordered something before the first visit on it."""
    count = seen.customers
    kind = rng.choice(len(KINDS), count, p=_KIND_SHARES)
    country = rng.choice(len(COUNTRIES), count, p=(0.45, 0.2, 0.12, 0.12, 0.03, 0.08))
    visited = np.bincount(seen.customer, minlength=count) > 0
    first = np.where(visited, np.iinfo(np.int64).max, clock.begun_at.max())
    np.minimum.at(first, seen.customer, clock.begun_at)
    is_subscription = kind == KINDS.index("subscription")
    before = np.where(
        is_subscription, rng.integers(HOUR_MS, 20 * DAY_MS, count), rng.integers(60_000, 8 * HOUR_MS, count)
    )
    purchased_at = first - before
    lasts = np.select([is_subscription, kind == 0], [30 * DAY_MS, 7 * DAY_MS], default=3_650 * DAY_MS)
    prices = np.array([each.prices for each in COUNTRIES])[country, kind]
    numbers = pl.Series(np.arange(count)).cast(pl.String)
    return Accounts(
        names=f"customer-{chunk.number}-" + numbers,
        lines=f"line-{chunk.number}-" + numbers,
        kind=kind,
        country=country,
        amount_minor=prices,
        purchased_at=purchased_at,
        available_until=purchased_at + lasts,
    )


def is_granted(seen: Visits) -> Bools:
    """Marks the visits that the service allowed: neither bots nor those that forgers invented."""
    granted: Bools = (seen.habit != Habit.BOT) & (seen.forged != Forgery.NO_GRANT)
    return granted


def orders(seen: Visits, known: Accounts) -> pl.DataFrame:
    """Order lines, with the fields of `remediation.orders.OrderLine`."""
    title = np.zeros(seen.customers, np.int64)
    title[seen.customer] = seen.title
    items = pl.Series(["all-films", *(f"film-{number}" for number in range(TITLES))])
    texts = [each.currency for each in COUNTRIES]
    return pl.DataFrame(
        {
            "order_line_id": known.lines,
            "order_id": "order-" + known.lines,
            "customer_id": known.names,
            "kind": pl.Series(KINDS).gather(known.kind),
            "item_id": items.gather(np.where(known.kind == KINDS.index("subscription"), 0, 1 + title)),
            "title": pl.Series(["A Film for the Evening", "A Film to Keep", "All Films"]).gather(known.kind),
            "amount_minor": known.amount_minor,
            "currency": pl.Series(texts).gather(known.country),
            "payment_id": "payment-" + known.lines,
            "purchased_at": known.purchased_at,
            "available_until": known.available_until,
        }
    )


def customers(known: Accounts) -> pl.DataFrame:
    """Customers, with the fields of `remediation.orders.Customer`. All are invented."""
    return pl.DataFrame(
        {
            "customer_id": known.names,
            "email": known.names + "@example.com",
            "name": "Viewer " + known.names,
            "locale": pl.Series([each.locale for each in COUNTRIES]).gather(known.country),
            "timezone": pl.Series([each.timezone for each in COUNTRIES]).gather(known.country),
        }
    )


def grants(seen: Visits, known: Accounts, clock: Clocks) -> pl.DataFrame:
    """Playback grants, with the fields of `remediation.orders.Grant`: seconds before each visit began."""
    allowed = np.flatnonzero(is_granted(seen))
    return pl.DataFrame(
        {
            "session_id": pl.Series(seen.session_id).gather(allowed),
            "customer_id": known.names.gather(seen.customer[allowed]),
            "order_line_id": known.lines.gather(seen.customer[allowed]),
            "granted_at": clock.begun_at[allowed] - 3_000,
        }
    )
