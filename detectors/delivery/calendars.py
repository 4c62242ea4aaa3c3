"""Days as people count them: the customer's calendar days, and a country's working days."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import numpy as np

LAST_ZONE: Final = "Etc/GMT+12"
"""Where a calendar day ends last of all (UTC-12). Whose zone is unknown still has until then."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WEEK: Final = 7


def local_day(at: int, timezone: str | None) -> date:
    """The calendar day of a moment in a zone, or in `LAST_ZONE` where the zone is unknown.

    Args:
      at: milliseconds since the epoch.
      timezone: an IANA name; a name that nobody knows is an unknown zone.
    """
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(_zone(timezone)).date()


def start_of(day: date, timezone: str | None) -> int:
    """When a day begins in a zone, in milliseconds since the epoch; `LAST_ZONE` where the zone is unknown.

    Where clocks skip midnight, the day begins when they have skipped it.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=_zone(timezone))
    return (midnight - _EPOCH) // timedelta(milliseconds=1)


def days_after(day: date, count: int) -> date:
    """The day so many days later, or the last day that a calendar can name."""
    return date.fromordinal(min(day.toordinal() + count, date.max.toordinal()))


def working_days_before(day: date, count: int, country: str) -> date:
    """The latest day such that from it, inclusive, to `day`, exclusive, lie so many working days.

    Args:
      day: a calendar day; it does not count itself.
      count: working days, at least 0.
      country: ISO 3166-1 alpha-2; its weekend and its public holidays do not count.

    Raises:
      ValueError: The country has no calendar of holidays.
    """
    # Counting back may go over new year; no country works fewer than 200 days a year.
    years = range(day.year - 1 - count // 200, day.year + 1)
    off = [holiday for year in years for holiday in _holidays(country, year)]
    found = np.busday_offset(
        np.datetime64(day, "D"), -count, roll="forward", weekmask=_working_week(country), holidays=off
    )
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(found.astype(np.int64)))


@lru_cache(maxsize=1024)
def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or LAST_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, misspelt, or the name of a folder
        return ZoneInfo(LAST_ZONE)


@lru_cache(maxsize=1024)
def _holidays(country: str, year: int) -> tuple[np.datetime64, ...]:
    return tuple(np.datetime64(day, "D") for day in _calendar(country, year))


@lru_cache(maxsize=1024)
def _working_week(country: str) -> str:
    weekend = _calendar(country, None).weekend
    return "".join("0" if weekday in weekend else "1" for weekday in range(_WEEK))


def _calendar(country: str, year: int | None) -> holidays.HolidayBase:
    try:
        return holidays.country_holidays(country, years=year)
    except NotImplementedError:
        raise ValueError(
            f"[delivery] merchant_country: no calendar of holidays is known for {country!r}; "
            "name the country whose working days the warehouse keeps, such as 'US'."
        ) from None
