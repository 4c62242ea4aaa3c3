from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.policy.quiet_hours import UnknownTimezoneError, next_allowed


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "timezone", "allowed"),
    [
        pytest.param("2026-11-22T10:00:00.123Z", "UTC", "2026-11-22T10:00:00.123Z", id="by day at once"),
        pytest.param("2026-11-22T08:00:00Z", "UTC", "2026-11-22T08:00:00Z", id="from eight"),
        pytest.param("2026-11-22T19:59:59.999Z", "UTC", "2026-11-22T19:59:59.999Z", id="until just before eight"),
        pytest.param("2026-11-22T20:00:00Z", "UTC", "2026-11-23T08:00:00Z", id="at eight in the evening no more"),
        pytest.param("2026-11-22T03:00:00Z", "UTC", "2026-11-22T08:00:00Z", id="before dawn: the same morning"),
        pytest.param("2026-11-22T12:00:00Z", "Asia/Tokyo", "2026-11-23T08:00:00+09:00", id="evening in Tokyo"),
        pytest.param("2026-11-21T23:00:00Z", "Asia/Tokyo", "2026-11-22T08:00:00+09:00", id="eight sharp in Tokyo"),
        pytest.param("2026-12-31T23:30:00Z", "UTC", "2027-01-01T08:00:00Z", id="over new year"),
        pytest.param("2026-03-28T21:00:00Z", "Europe/Berlin", "2026-03-29T08:00:00+02:00", id="into summer time"),
        pytest.param("2026-10-24T21:00:00Z", "Europe/Berlin", "2026-10-25T08:00:00+01:00", id="out of summer time"),
        pytest.param("2011-12-30T08:00:00Z", "Pacific/Apia", "2011-12-31T08:00:00+14:00", id="over a day left out"),
    ],
)
def test_mails_wait_for_the_customers_own_morning(moment: str, timezone: str, allowed: str) -> None:
    assert next_allowed(ms(moment), timezone, 8, 20) == ms(allowed)


def test_an_hour_that_the_clocks_skip_begins_when_they_have_skipped_it() -> None:
    assert next_allowed(ms("2026-03-29T00:00:00+01:00"), "Europe/Berlin", 2, 5) == ms("2026-03-29T03:00:00+02:00")


def test_a_window_that_the_clocks_skip_entirely_is_tomorrows() -> None:
    assert next_allowed(ms("2026-03-29T00:00:00+01:00"), "Europe/Berlin", 2, 3) == ms("2026-03-30T02:00:00+02:00")


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "a\x00b", "x" * 5000])
def test_an_unknown_zone_is_an_error_and_never_another_zone(timezone: str) -> None:
    with pytest.raises(UnknownTimezoneError, match="is unknown: write the customer's zone"):
        next_allowed(0, timezone, 8, 20)


@pytest.mark.parametrize(("start", "end"), [(20, 8), (8, 8), (-1, 8), (8, 25)])
def test_hours_that_are_no_window_are_an_error(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="the first hour must come before the last"):
        next_allowed(0, "UTC", start, end)


@given(
    st.integers(0, 4 * 10**12),
    st.sampled_from(["Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"]),
    st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda hours: hours[0] + 1 < hours[1]),
)
def test_the_answer_lies_ahead_in_the_window_and_is_its_own_answer(
    moment: int, timezone: str, hours: tuple[int, int]
) -> None:
    allowed = next_allowed(moment, timezone, *hours)
    local = datetime.fromtimestamp(allowed / 1000, UTC).astimezone(ZoneInfo(timezone))
    assert moment <= allowed <= moment + 50 * 3_600_000
    assert hours[0] <= local.hour < hours[1]
    assert next_allowed(allowed, timezone, *hours) == allowed
