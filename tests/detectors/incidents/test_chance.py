from fractions import Fraction
from math import comb, exp, inf, isfinite, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.incidents.chance import log_p_excess, q_values, ratio_interval, share_interval


def exactly(failures: int, units: int, rest_failures: int, rest_units: int) -> Fraction:
    """The same chance in whole numbers."""
    of, chosen, everything = failures + rest_failures, units, units + rest_units
    dealt = range(failures, min(of, chosen) + 1)
    return Fraction(
        sum(comb(of, x) * comb(everything - of, chosen - x) for x in dealt if chosen - x <= everything - of),
        comb(everything, chosen),
    )


counts = st.integers(1, 60).flatmap(lambda units: st.tuples(st.integers(0, units), st.just(units)))


def test_the_lady_tasting_tea() -> None:
    # Fisher's own figures: all four right of four, 1 in 70; three of four or better, 17 in 70.
    assert exp(log_p_excess(4, 4, 0, 4)) == pytest.approx(1 / 70)
    assert exp(log_p_excess(3, 4, 1, 4)) == pytest.approx(17 / 70)


@given(counts, counts)
def test_the_chance_is_the_exact_one(cohort: tuple[int, int], rest: tuple[int, int]) -> None:
    told = log_p_excess(*cohort, *rest)
    if cohort[0] * rest[1] > rest[0] * cohort[1]:
        assert told == pytest.approx(log(exactly(*cohort, *rest)), rel=1e-9, abs=1e-9)
    else:
        assert told == 0


def test_a_chance_too_small_for_a_float_is_still_told_from_a_smaller_one() -> None:
    bad, worse = log_p_excess(900, 1_000, 10, 100_000), log_p_excess(1_000, 1_000, 10, 100_000)
    assert worse < bad < -2_000
    assert isfinite(worse)


def test_many_units_are_no_approximation() -> None:
    assert log_p_excess(12, 1_000, 40, 99_000) == pytest.approx(log(float(exactly(12, 1_000, 40, 99_000))), rel=1e-9)


@pytest.mark.parametrize("impossible", [(5, 4, 0, 9), (-1, 4, 0, 9), (1, 4, 10, 9)], ids=str)
def test_counts_that_cannot_be_are_refused(impossible: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="a unit fails once or not at all"):
        log_p_excess(*impossible)


@pytest.mark.parametrize(
    ("count", "units", "low", "high"),
    [
        (0, 10, 0.0, 1 - 0.025 ** (1 / 10)),
        (10, 10, 0.025 ** (1 / 10), 1.0),
        # Published tables of Clopper and Pearson's interval.
        (5, 10, 0.1871, 0.8129),
        (1, 20, 0.0013, 0.2487),
        (50, 60, 0.7148, 0.9171),
    ],
    ids=str,
)
def test_the_interval_of_a_share_is_clopper_and_pearsons(count: int, units: int, low: float, high: float) -> None:
    assert share_interval(count, units) == pytest.approx((low, high), abs=5e-5)


@given(counts)
def test_the_ends_of_an_interval_leave_half_of_the_rest_each(cohort: tuple[int, int]) -> None:
    count, units = cohort
    low, high = share_interval(count, units)

    def at_least(least: int, share: float) -> float:
        return sum(comb(units, x) * share**x * (1 - share) ** (units - x) for x in range(least, units + 1))

    assert low <= count / units <= high
    assert low == 0 if count == 0 else at_least(count, low) == pytest.approx(0.025)
    assert high == 1 if count == units else 1 - at_least(count + 1, high) == pytest.approx(0.025)


def test_a_ratio_without_a_failure_in_the_rest_has_no_upper_end() -> None:
    low, high = ratio_interval(10, 100, 0, 1_000)
    assert low > 20
    assert high == inf


def test_a_ratio_lies_in_its_interval_and_the_interval_shrinks_with_the_counts() -> None:
    few, many = ratio_interval(6, 100, 20, 1_000), ratio_interval(600, 10_000, 2_000, 100_000)
    assert few[0] < many[0] < 3 < many[1] < few[1]


def test_the_false_discovery_rate_is_benjamini_and_hochbergs() -> None:
    # The example of their paper: fifteen chances, of which the first four are taken for real at five per cent.
    chances = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
    ]  # fmt: skip
    told = q_values([log(chance) for chance in chances], 15)
    assert [q <= 0.05 for q in told] == [True] * 4 + [False] * 11
    assert told[:4] == pytest.approx([0.0015, 0.003, 0.0095, 0.035625])


def test_cohorts_that_were_looked_at_in_vain_count_as_well() -> None:
    assert q_values([log(0.001)], 5) == pytest.approx([0.005])
    assert q_values([log(0.001)], 5_000) == [1.0]


@given(st.lists(st.floats(-900, 0), max_size=20))
def test_neither_order_nor_size_hides_a_chance(logs: list[float]) -> None:
    told = dict(zip(logs, q_values(logs, 100), strict=True))
    backwards = dict(zip(reversed(logs), q_values(logs[::-1], 100), strict=True))
    assert told == backwards
    assert all(0 < q <= 1 for q in told.values())
    in_order = [told[each] for each in sorted(told)]
    assert in_order == sorted(in_order)
