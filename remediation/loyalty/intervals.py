"""How sure a figure is: intervals of 95 %, and how many customers it takes to see a difference.

Small numbers are the rule here, so that none of these is the textbook interval, which is too narrow for them.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
POWER: Final = 0.8
"""The chance of seeing a difference that is there."""

_Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_PSEUDO_ANSWERS: Final = 3
"""Added to the answers, a quarter of them promoters and a quarter detractors. Source: Rocks 2016."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between its limits; all three are shares of 1."""

    estimate: float
    low: float
    high: float

    @property
    def says_something(self) -> bool:
        """Whether a difference of zero is ruled out."""
        return self.low > 0 or self.high < 0


def share(count: int, of: int) -> Interval | None:
    """Wilson's score interval of a share; null where nobody was counted.

    Source: Wilson 1927; method 3 of Newcombe 1998, Statistics in Medicine 17, 857-872.
    """
    if not of:
        return None
    estimate, square = count / of, _Z**2
    centre = (estimate + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(estimate * (1 - estimate) / of + square / (4 * of**2)) / (1 + square / of)
    # At the ends the limits are exact, and floating point must not put the estimate outside of them.
    return Interval(estimate, 0.0 if count == 0 else centre - half, 1.0 if count == of else centre + half)


def net_promoters(promoters: int, passives: int, detractors: int) -> Interval | None:
    """The net promoter score between -1 and 1, by the adjusted Wald interval; null where nobody answered.

    Source: Rocks 2016, The American Statistician 70, 365-372 (the adjustment with the best coverage).
    """
    answers = promoters + passives + detractors
    if not answers:
        return None
    estimate, more = (promoters - detractors) / answers, answers + _PSEUDO_ANSWERS
    for_it, against = (promoters + _PSEUDO_ANSWERS / 4) / more, (detractors + _PSEUDO_ANSWERS / 4) / more
    half = _Z * sqrt((for_it + against - (for_it - against) ** 2) / more)
    centre = for_it - against
    return Interval(estimate, max(-1.0, min(centre - half, estimate)), min(1.0, max(centre + half, estimate)))


def difference(one: Interval, other: Interval) -> Interval:
    """`one` less `other`, which are independent, from the limits of each.

    Of two shares this is method 10 of Newcombe 1998 (Statistics in Medicine 17, 873-890); of other estimates the
    method of variance estimates recovery: Zou and Donner 2008, Statistics in Medicine 27, 1693-1702.
    """
    gap = one.estimate - other.estimate
    below = sqrt((one.estimate - one.low) ** 2 + (other.high - other.estimate) ** 2)
    above = sqrt((one.high - one.estimate) ** 2 + (other.estimate - other.low) ** 2)
    return Interval(gap, gap - below, gap + above)


def needed_for_shares(base: float, gap: float, ratio: float, power: float = POWER) -> tuple[int, int]:
    """How many must be counted, in the larger group and in the smaller one, to see `gap` between two shares.

    Source: the usual score test of two proportions (Fleiss, Levin and Paik 2003, section 4.2), without correction
    for continuity.

    Args:
      base: The share in the smaller group, from 0 to 1.
      gap: By how much the other share is larger.
      ratio: How many times as large the larger group is.
      power: The chance of seeing the difference, where it is there.
    """
    other = min(1.0, base + gap)
    pooled = (base + ratio * other) / (1 + ratio)
    chance = _Z * sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    spread = NormalDist().inv_cdf(power) * sqrt(base * (1 - base) + other * (1 - other) / ratio)
    return _both(((chance + spread) / gap) ** 2, ratio)


def needed_for_scores(variance: float, gap: float, ratio: float, power: float = POWER) -> tuple[int, int]:
    """How many must answer, in the larger group and in the smaller one, to see `gap` between two net promoter scores.

    Both groups are taken to vary alike; `variance` is that of one answer, which counts as -1, 0 or 1.
    """
    return _both((_Z + NormalDist().inv_cdf(power)) ** 2 * variance * (1 + 1 / ratio) / gap**2, ratio)


def _both(smaller: float, ratio: float) -> tuple[int, int]:
    return ceil(ratio * smaller), ceil(smaller)
