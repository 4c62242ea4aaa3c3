from typing import Final

import pytest

from remediation.guards.figures import Figures
from remediation.guards.history import History, Usual
from tests.remediation.guards.nights import RULES, a_night

TONIGHT: Final = a_night(0, payouts=7_777)
NIGHTS: Final = RULES.history.nights
LONG: Final = RULES.history.long_nights


def payouts(night: Figures) -> float:
    return night.payouts


def usual(*nights: tuple[int, int]) -> Usual | None:
    """What is usual before tonight after nights of (day, pay-outs)."""
    return History.before(TONIGHT, [a_night(day, payouts=count) for day, count in nights], RULES.history).usual(payouts)


def test_what_is_usual_is_the_median_so_that_one_strange_night_moves_nothing() -> None:
    assert usual((-3, 30), (-2, 32), (-1, 31)) == Usual(31, 3)
    assert usual((-4, 30), (-3, 32), (-2, 31), (-1, 9_000)) == Usual(31.5, 4)


@pytest.mark.parametrize("nights", [[], [(-1, 30)], [(-2, 30), (-1, 30)]])
def test_of_too_few_nights_nothing_is_usual(nights: list[tuple[int, int]]) -> None:
    assert usual(*nights) is None


def test_the_recent_nights_count() -> None:
    assert usual(*((day, 10 if day >= -NIGHTS else 90) for day in range(-LONG, 0))) == Usual(10, NIGHTS)


def test_the_long_window_counts_where_it_is_lower_so_that_a_creep_shows() -> None:
    assert usual(*((day, 90 if day >= -NIGHTS else 10) for day in range(-LONG, 0))) == Usual(10, LONG)


def test_what_is_older_than_the_long_window_is_forgotten() -> None:
    assert usual(*((day, 90 if day >= -LONG else 10) for day in range(-4 * LONG, 0))) == Usual(90, NIGHTS)


def test_nights_after_tonight_teach_nothing_and_tonight_does_not_teach_itself() -> None:
    assert usual((-3, 30), (-2, 30), (-1, 30), (0, 7_777), (1, 90), (2, 90), (3, 90)) == Usual(30, 3)


def test_nights_that_say_nothing_are_left_out() -> None:
    history = History.before(TONIGHT, [a_night(day, median_age_ms=day or None) for day in (-4, -3, -2)], RULES.history)
    assert history.usual(lambda night: night.median_age_ms) == Usual(-3, 3)
    assert history.usual(lambda night: None if night.median_age_ms == -4 else 1) is None


def test_the_same_weekday_widens_what_is_usual_for_a_month_back() -> None:
    def count(day: int) -> int:
        weeks_ago = -day // 7
        return 50 + weeks_ago if day % 7 == 0 and weeks_ago <= 4 else 10 if day % 7 else 9_999

    released = [a_night(day, payouts=count(day)) for day in range(-LONG, 0)]
    history = History.before(TONIGHT, released, RULES.history)
    assert history.bounds(payouts, TONIGHT.as_of) == (Usual(10, NIGHTS), Usual(52.5, 4))
