"""Intervals against published figures, and their coverage worked out outcome by outcome."""

from collections.abc import Iterator
from fractions import Fraction
from math import comb, sqrt
from typing import Final

import numpy as np
import pytest

from remediation.loyalty.intervals import (
    Interval,
    difference,
    needed_for_scores,
    needed_for_shares,
    net_promoters,
    share,
)


def of(count: int, total: int) -> Interval:
    interval = share(count, total)
    assert interval is not None
    return interval


def nps(promoters: int, passives: int, detractors: int) -> Interval:
    interval = net_promoters(promoters, passives, detractors)
    assert interval is not None
    return interval


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_newcombe_published_it(count: int, total: int, low: float, high: float) -> None:
    interval = of(count, total)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)
    mirrored = of(total - count, total)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - interval.high, 1 - interval.low))


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
    ],
)
def test_differences_of_shares_as_newcombe_published_them(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    interval = difference(of(*one), of(*other))
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_a_score_worked_out_by_hand() -> None:
    # 27 promoters and 7 detractors of 47: 27.75 and 7.75 of 50, so that the centre is 0.4 and the variance 0.71 - 0.16.
    half = 1.959964 * sqrt(Fraction(55, 100) / 50)
    interval = nps(27, 13, 7)
    assert interval.estimate == pytest.approx(20 / 47)
    assert (interval.low, interval.high) == pytest.approx((0.4 - half, 0.4 + half))


def test_two_hundred_and_fifteen_answers_make_ten_points() -> None:
    # The domain's own figure: an interval of ten points to either side at the usual variance of 0.56.
    usual = nps(103, 75, 37)
    assert usual.high - usual.low == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("answers", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (400, 0, 0), (0, 0, 400), (2, 0, 1)])
def test_an_estimate_lies_within_its_limits_and_those_within_the_scale(answers: tuple[int, int, int]) -> None:
    interval = nps(*answers)
    assert -1 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.low < interval.high


def test_of_nobody_nothing_is_known() -> None:
    assert share(0, 0) is None
    assert net_promoters(0, 0, 0) is None


@pytest.mark.parametrize("total", [20, 30])
@pytest.mark.parametrize(
    ("for_it", "against"), [(0.4, 0.3), (0.6, 0.2), (0.2, 0.5), (0.7, 0.1), (0.33, 0.33), (0.85, 0.05)]
)
def test_the_interval_of_a_score_covers_the_truth_as_often_as_it_says(
    total: int, for_it: float, against: float
) -> None:
    covered = sum(
        chance
        for promoters, detractors, chance in outcomes(total, for_it, against)
        if covers(nps(promoters, total - promoters - detractors, detractors), for_it - against)
    )
    assert 0.93 <= covered <= 0.97


def outcomes(total: int, for_it: float, against: float) -> Iterator[tuple[int, int, float]]:
    """Every outcome of so many answers, with its chance."""
    for promoters in range(total + 1):
        for detractors in range(total - promoters + 1):
            ways = comb(total, promoters) * comb(total - promoters, detractors)
            rest = (1 - for_it - against) ** (total - promoters - detractors)
            yield promoters, detractors, ways * for_it**promoters * against**detractors * rest


def covers(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


DRAWS: Final = 2_500


@pytest.mark.parametrize(("many", "few"), [(60, 40), (300, 40)])
def test_the_interval_of_a_difference_of_scores_covers_it_as_often_as_it_says(many: int, few: int) -> None:
    draw = np.random.default_rng(20_261_122)
    given, held_out = (0.5, 0.3, 0.2), (0.35, 0.35, 0.3)
    pairs = zip(draw.multinomial(many, given, DRAWS), draw.multinomial(few, held_out, DRAWS), strict=True)
    covered = sum(covers(difference(nps(*map(int, one)), nps(*map(int, other))), 0.25) for one, other in pairs)
    assert 0.93 <= covered / DRAWS <= 0.97


@pytest.mark.parametrize(("many", "few"), [(60, 40), (300, 40)])
def test_the_interval_of_a_difference_of_shares_covers_it_as_often_as_it_says(many: int, few: int) -> None:
    draw = np.random.default_rng(20_261_122)
    pairs = zip(draw.binomial(many, 0.3, DRAWS), draw.binomial(few, 0.2, DRAWS), strict=True)
    covered = sum(covers(difference(of(int(one), many), of(int(other), few)), 0.1) for one, other in pairs)
    assert 0.93 <= covered / DRAWS <= 0.97


class TestHowManyItTakes:
    def test_as_a_published_example_has_it(self) -> None:
        # R's own example: power.prop.test(p1 = .50, p2 = .75, power = .90) says 76.7 in each group.
        assert needed_for_shares(0.5, 0.25, 1, power=0.9) == (77, 77)

    def test_a_score_at_the_usual_variance(self) -> None:
        # (1.959964 + 0.841621)^2 * 0.56 * 2 / 0.1^2 = 879.07
        assert needed_for_scores(0.56, 0.1, 1) == (880, 880)

    def test_that_many_do_see_the_difference_four_times_of_five(self) -> None:
        many, few = needed_for_shares(0.2, 0.1, 4)
        assert many == pytest.approx(4 * few, abs=4)
        draw = np.random.default_rng(20_261_122)
        pairs = zip(draw.binomial(many, 0.3, DRAWS), draw.binomial(few, 0.2, DRAWS), strict=True)
        seen = sum(difference(of(int(one), many), of(int(other), few)).says_something for one, other in pairs)
        assert 0.77 <= seen / DRAWS <= 0.83

    def test_that_many_answers_do_see_the_difference_four_times_of_five(self) -> None:
        given, held_out = (0.5, 0.3, 0.2), (0.4, 0.3, 0.3)
        many, few = needed_for_scores(0.65, 0.2, 3)
        draw = np.random.default_rng(20_261_122)
        pairs = zip(draw.multinomial(many, given, DRAWS), draw.multinomial(few, held_out, DRAWS), strict=True)
        seen = sum(difference(nps(*map(int, one)), nps(*map(int, other))).says_something for one, other in pairs)
        assert 0.77 <= seen / DRAWS <= 0.83
