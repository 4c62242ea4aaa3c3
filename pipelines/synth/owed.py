"""What the published standard owes each order line for what its viewers truly went through, in minor units."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from pipelines.synth.arrivals import Clocks
from pipelines.synth.book import COUNTRIES, KINDS, Accounts, is_granted
from pipelines.synth.figures import Figures
from pipelines.synth.parcels import local_day
from pipelines.synth.population import Visits
from pipelines.synth.recipe import DAY_MS
from pipelines.synth.scenes import Ints
from pipelines.synth.standard import KINDS as FAILURES
from pipelines.synth.standard import Suffered


@dataclass(frozen=True, slots=True)
class _Failure:
    """One failure of one visit: its kind, how grave it was (0 to 1), and when, in milliseconds since the epoch."""

    kind: str
    severity: float
    at: int


def owed_minor(seen: Visits, known: Accounts, clock: Clocks, felt: Suffered, standard: Figures) -> Ints:
    """By customer, for the one order line that each has; nothing where nothing failed.

    A film owes the largest share of its failures, once; a subscription owes it for
    each day of the customer's on which something failed, of that day's price.
    """
    owed = np.zeros(seen.customers, np.int64)
    for customer, failures in _by_customer(seen, clock, felt).items():
        kind = KINDS[known.kind[customer]]
        country = COUNTRIES[known.country[customer]]
        shares = _by_day(failures, kind, country.timezone, standard)
        lasts = int(known.available_until[customer] - known.purchased_at[customer])
        is_subscription = kind == "subscription"
        base = Fraction(DAY_MS, lasts) if is_subscription else Fraction(1)
        due = [*shares.values()] if is_subscription else [max(shares.values())]
        price = int(known.amount_minor[customer])
        total = sum(rounded(price * base * Fraction(share, 100)) for share in due)
        owed[customer] = at_least(total, price, country.currency, standard)
    return owed


def rounded(exact: Fraction) -> int:
    """To whole minor units, halves up."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def at_least(due: int, price: int, currency: str, standard: Figures) -> int:
    """Raised to the currency's minimum, and never more than was paid."""
    minimum = standard.currencies[currency].minimum if due else 0
    return min(max(due, minimum), price)


def _by_customer(seen: Visits, clock: Clocks, felt: Suffered) -> Mapping[int, list[_Failure]]:
    failed = felt.happened & is_granted(seen)[:, np.newaxis]
    found: defaultdict[int, list[_Failure]] = defaultdict(list)
    for session, place in zip(*np.nonzero(failed), strict=True):
        kind = FAILURES[place]
        after_ms = int(felt.first_ms[session]) if kind == "playback_stalls" else 0
        failure = _Failure(kind, float(felt.severity[session, place]), int(clock.begun_at[session]) + after_ms)
        found[int(seen.customer[session])].append(failure)
    return found


def _by_day(failures: Iterable[_Failure], order: str, timezone: str, standard: Figures) -> dict[date, int]:
    """The largest share, in percent, of each of the customer's days."""
    best: dict[date, int] = {}
    for each in failures:
        day = local_day(each.at, timezone)
        share = standard.refund[order][each.kind].at(standard.severity.tier(each.severity))
        best[day] = max(best.get(day, 0), share)
    return best
