from typing import Final

import pytest

from tests.remediation.guards.nights import DAY, FIRST, HOUR, a_night, reasons, weeks

MINUTE: Final = 60_000


@pytest.mark.parametrize(("ahead", "held"), [(-30 * DAY, False), (5 * MINUTE, False), (5 * MINUTE + 1, True)])
def test_a_moment_in_the_future_is_held(ahead: int, held: bool) -> None:  # noqa: FBT001
    for released in ([], weeks()):
        assert ("clock now" in reasons(a_night(), released, now=FIRST - ahead)) is held


@pytest.mark.parametrize(
    ("gap", "held"),
    [
        pytest.param(-1, True, id="before the last released night"),
        pytest.param(0, False, id="the same moment"),
        pytest.param(8 * DAY, False, id="a week later"),
        pytest.param(8 * DAY + 1, True, id="long after it"),
    ],
)
def test_a_moment_far_from_the_last_released_night_is_held(gap: int, held: bool) -> None:  # noqa: FBT001
    found = reasons(a_night(as_of=FIRST + gap), [a_night()])
    assert (list(found) == ["clock last night"]) is held


def test_the_latest_night_counts_in_whatever_order_the_nights_come() -> None:
    released = [a_night(5), a_night(1), a_night(3)]
    assert "clock last night" in reasons(a_night(4), released)
    assert "clock last night" not in reasons(a_night(6), released)


@pytest.mark.parametrize(
    ("age", "held"),
    [
        pytest.param(-1, True, id="sessions after the night"),
        pytest.param(0, False, id="sessions until now"),
        pytest.param(72 * HOUR, False, id="three days old"),
        pytest.param(72 * HOUR + 1, True, id="another day's files"),
    ],
)
def test_sessions_of_another_day_are_held(age: int, held: bool) -> None:  # noqa: FBT001
    assert ("clock sessions" in reasons(a_night(median_age_ms=age), [])) is held


@pytest.mark.parametrize(("age", "held"), [(27 * HOUR, False), (27 * HOUR + 1, True)])
def test_yesterdays_files_are_held(age: int, held: bool) -> None:  # noqa: FBT001
    found = reasons(a_night(median_age_ms=age), weeks(median_age_ms=9 * HOUR))
    assert (list(found) == ["clock sessions"]) is held


def test_a_usually_old_night_has_no_longer_limit() -> None:
    assert "clock sessions" in reasons(a_night(median_age_ms=72 * HOUR + 1), weeks(median_age_ms=60 * HOUR))


def test_a_night_without_sessions_has_no_age() -> None:
    assert reasons(a_night(median_age_ms=None), weeks()) == {}


def test_long_spans_are_told_in_days() -> None:
    assert "30.0 days after that of the last" in reasons(a_night(30), [a_night(0)])["clock last night"]
    assert (
        "2 h 0 min before that of the last" in reasons(a_night(as_of=FIRST - 2 * HOUR), [a_night()])["clock last night"]
    )
