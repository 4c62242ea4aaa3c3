"""When a mail may go out: between two hours of the customer's own day."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS_AHEAD: Final = 3
"""Enough for a moment after the last hour and a day that a zone left out (Samoa had no 30 December 2011)."""


class UnknownTimezoneError(ValueError):
    """A zone that the tz database does not have: whoever is asleep there, nobody can say."""


def zone(name: str) -> ZoneInfo:
    """The zone called `name`, such as `Asia/Tokyo`.

    Raises:
      UnknownTimezoneError: The tz database has no such zone. There is no default:
        another zone's morning may be this customer's night.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimezoneError(
            "the time zone is unknown: write the customer's zone as in the tz database, such as Asia/Tokyo"
        ) from None


def next_allowed(moment_ms: int, timezone: str, start_hour: int, end_hour: int) -> int:
    """`moment_ms`, or the next moment at which the clocks of `timezone` show `start_hour` or later, but not `end_hour`.

    Where the clocks of that day skip the start hour, it is as much later as they skip.

    Args:
      moment_ms: Milliseconds since the epoch.
      timezone: A name of the tz database.
      start_hour: The first hour allowed, 0 to 23.
      end_hour: The first hour no longer allowed, up to 24; after `start_hour`.

    Raises:
      UnknownTimezoneError: The tz database has no such zone.
      ValueError: The hours are no window within one day.
    """
    if not 0 <= start_hour < end_hour <= 24:  # noqa: PLR2004 a day has 24 hours
        raise ValueError(f"mails from {start_hour} to {end_hour} o'clock: the first hour must come before the last")
    here = zone(timezone)
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    today = moment.astimezone(here)
    if start_hour <= today.hour < end_hour:
        return moment_ms
    for day in range(_DAYS_AHEAD + 1):
        # Through UTC and back, so that an hour that the clocks skip becomes one that they show.
        start = datetime.combine(today + timedelta(days=day), time(start_hour), here).astimezone(UTC)
        if start > moment and start_hour <= start.astimezone(here).hour < end_hour:
            return int(start.timestamp()) * 1000
    raise ValueError(f"{timezone} has no hour from {start_hour} to {end_hour} in {_DAYS_AHEAD} days: widen the hours")
