"""How improbable a count of rare events is: exact tests and intervals, and a correction for looking at many.

Everything rests on sums of neighbouring terms, each from the one before by a
ratio, begun in logarithms: no approximation fails where failures are rare, and
the smallest probabilities do not vanish.
"""

from collections.abc import Callable, Sequence
from math import exp, inf, lgamma, log, log1p
from sys import float_info
from typing import Final

CONFIDENCE: Final = 0.95
"""Of every interval, two-sided."""

_NEGLIGIBLE: Final = 1e-17  # of the sum: below the precision of a float
_HALVINGS: Final = 60  # as many as a float between 0 and 1 can tell apart


def log_p_excess(failures: int, units: int, rest_failures: int, rest_units: int) -> float:
    """Logarithm of the chance of at least so many failures in a cohort, if it were like the rest.

    Fisher's exact test, one-sided: all failures are dealt out to all units
    blindly, so that the cohort's count is hypergeometric. 0, a chance of 1, where
    the cohort fails no more often than the rest.

    Raises:
      ValueError: Counts that cannot be: negative, or more failures than units.
    """
    if not (0 <= failures <= units and 0 <= rest_failures <= rest_units):
        raise ValueError(
            f"{failures} failures of {units} units and {rest_failures} of {rest_units} cannot be counts:"
            " a unit fails once or not at all"
        )
    all_failures, all_units = failures + rest_failures, units + rest_units
    if failures * all_units <= units * all_failures:
        return 0.0
    first = (
        _log_choose(all_failures, failures)
        + _log_choose(all_units - all_failures, units - failures)
        - _log_choose(all_units, units)
    )
    spare = rest_units - all_failures  # units of the rest left when all failures but the cohort's lie there
    rest = _log_sum(
        failures,
        min(units, all_failures),
        lambda x: (all_failures - x) * (units - x) / ((x + 1) * (spare + x + 1)),
    )
    return min(0.0, first + rest)


def q_values(log_ps: Sequence[float], looked_at: int) -> list[float]:
    """The false discovery rate at which each would be taken for real (Benjamini and Hochberg 1995).

    Args:
      log_ps: Logarithms of the chances, in any order.
      looked_at: How many cohorts were looked at; those without a chance here count as 1.

    Returns:
      One figure in (0, 1] a chance, in the order given.
    """
    order = sorted(range(len(log_ps)), key=log_ps.__getitem__)
    found = [1.0] * len(log_ps)
    least = 0.0
    for rank, place in reversed(list(enumerate(order, start=1))):
        least = min(least, log_ps[place] + log(looked_at / rank))
        found[place] = max(exp(least), float_info.min)
    return found


def share_interval(count: int, units: int) -> tuple[float, float]:
    """Clopper and Pearson's exact interval of a share, at `CONFIDENCE`; (0, 1) of no units at all."""
    return _least_share(count, units), 1 - _least_share(units - count, units)


def ratio_interval(failures: int, units: int, rest_failures: int, rest_units: int) -> tuple[float, float]:
    """Exact interval of the ratio of two small rates, at `CONFIDENCE`; the upper end may be infinite.

    Given how many failures there are in all, the cohort's part of them is
    binomial. For rates that are not small it is wider than it had to be.
    """
    low, high = share_interval(failures, failures + rest_failures)
    exposure = rest_units / units
    return low / (1 - low) * exposure, inf if high >= 1 else high / (1 - high) * exposure


def _least_share(count: int, units: int) -> float:
    """The share under which at least `count` of `units` would have half of what `CONFIDENCE` leaves as its chance."""
    if count == 0:
        return 0.0
    target = log((1 - CONFIDENCE) / 2)
    low, high = 0.0, count / units
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _log_p_at_least(count, units, middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _log_p_at_least(count: int, units: int, share: float) -> float:
    """Upper tail of the binomial distribution, for a share of at most count / units, where terms only shrink."""
    if share >= 1:
        return 0.0
    odds = share / (1 - share)
    first = _log_choose(units, count) + count * log(share) + (units - count) * log1p(-share)
    return first + _log_sum(count, units, lambda x: (units - x) / (x + 1) * odds)


def _log_sum(first: int, last: int, ratio: Callable[[int], float]) -> float:
    """Logarithm of a sum of shrinking terms, over its first term; `ratio` leads from each to the next."""
    total = term = 1.0
    for x in range(first, last):
        term *= ratio(x)
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return log(total)


def _log_choose(of: int, chosen: int) -> float:
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)
