"""Which night is meant by the words on a command line."""

from datetime import UTC, date, datetime

import pytest

from pipelines.dating import Moment, dated, goes_by_date, night_moment, nights
from pipelines.settings import UsageError


def ms(told: str) -> int:
    return round(datetime.fromisoformat(told).timestamp() * 1000)


@pytest.mark.parametrize(
    ("told", "now", "as_of", "day"),
    [
        pytest.param(
            "2026-11-22T06:00:00Z", "2026-11-30T00:00Z", "2026-11-22T06:00Z", date(2026, 11, 22), id="a moment"
        ),
        pytest.param("2026-11-22T06:00", "2026-11-30T00:00Z", "2026-11-22T06:00Z", date(2026, 11, 22), id="no zone"),
        pytest.param("06:00", "2026-11-22T06:00:00Z", "2026-11-22T06:00Z", date(2026, 11, 22), id="at that moment"),
        pytest.param("06:00", "2026-11-22T05:59:59Z", "2026-11-21T06:00Z", date(2026, 11, 21), id="not yet today"),
        pytest.param("06:00", "2026-11-23T01:00:00Z", "2026-11-22T06:00Z", date(2026, 11, 22), id="tried again at one"),
        pytest.param("06:00+09:00", "2026-11-21T22:00Z", "2026-11-21T21:00Z", date(2026, 11, 22), id="day of the zone"),
        pytest.param(
            "2026-11-22T06:00+09:00", "2026-11-30T00:00Z", "2026-11-21T21:00Z", date(2026, 11, 22), id="zone named"
        ),
    ],
)
def test_a_time_of_day_is_the_last_one_that_has_been(told: str, now: str, as_of: str, day: date) -> None:
    assert night_moment(told, ms(now)) == Moment(ms(as_of), day)


def test_a_range_holds_both_its_ends_and_leap_days() -> None:
    found = nights("2028-02-28", "2028-03-01", "05:30+01:00", ms("2028-03-02T00:00Z"))
    assert [night.day for night in found] == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    assert [datetime.fromtimestamp(night.as_of / 1000, UTC).hour for night in found] == [4, 4, 4]


@pytest.mark.parametrize(
    ("first", "last", "at", "said"),
    [
        pytest.param("2026-11-23", "2026-11-22", "06:00", "are no 1 to 1,000 nights", id="backwards"),
        pytest.param("2020-01-01", "2026-11-22", "06:00", "are no 1 to 1,000 nights", id="too many"),
        pytest.param("2026-11-20", "2026-11-22", "12:01", "has not come yet", id="still to come"),
        pytest.param("yesterday", "2026-11-22", "06:00", "--from 'yesterday' is no day", id="no day"),
        pytest.param("2026-11-20", "2026-11-31", "06:00", "--to '2026-11-31' is no day", id="no such day"),
        pytest.param("2026-11-20", "2026-11-22", "six", "--at 'six' is no time of day", id="no time"),
    ],
)
def test_a_range_that_is_none_is_refused(first: str, last: str, at: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        nights(first, last, at, ms("2026-11-22T12:00Z"))


def test_paths_are_filled_in_by_the_date_and_what_else_stands_in_braces_is_left_alone() -> None:
    day = date(2026, 3, 1)
    assert dated("t/{date}/*.jsonl", day) == "t/2026-03-01/*.jsonl"
    assert dated("t/dt={day_before:%Y/%m/%d}/{date:%j}", day) == "t/dt=2026/02/28/060"
    assert dated("t/{other}/{date", day) == "t/{other}/{date"
    assert [goes_by_date(each) for each in ("{date}", "a{day_before:%d}", "{data}", "date")] == [
        True,
        True,
        False,
        False,
    ]
