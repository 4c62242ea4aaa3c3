"""Which nights are meant, and the paths that go by their dates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from pipelines.settings import UsageError, epoch_ms

MOST_NIGHTS: Final = 1_000
"""Of one back-fill: far more than any ledger is kept for, and few enough for a slip of the hand to be noticed."""

_DAY: Final = timedelta(days=1)
_PLACE: Final = re.compile(r"\{(date|day_before)(?::([^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a night is judged: in milliseconds since the epoch, and the day on which that is where it was named."""

    as_of: int
    day: date


def night_moment(told: str, now: int) -> Moment:
    """The moment of a night: an ISO 8601 time, or a time of day alone, which means the last one that has been.

    `now` is in milliseconds since the epoch. Without a zone it is UTC.

    Raises:
      UsageError: The text is neither.
    """
    clock = _time_of_day(told)
    if clock is None:
        as_of = epoch_ms(told, "--as-of")
        return Moment(as_of, datetime.fromisoformat(told).date())
    present = datetime.fromtimestamp(now / 1000, clock.tzinfo)
    day = present.date()
    return _moment(day, clock) if datetime.combine(day, clock) <= present else _moment(day - _DAY, clock)


def nights(first: str, last: str, at: str, now: int) -> tuple[Moment, ...]:
    """The nights from one day to another, both of them included, each judged at the time of day `at`.

    Raises:
      UsageError: A day or the time is none, the range is empty or too long, or its end is still to come.
    """
    since, until = _day(first, "--from"), _day(last, "--to")
    clock = _time_of_day(at)
    if clock is None:
        raise UsageError(f"--at {at!r} is no time of day; write for example 06:00 or 06:00+01:00")
    count = (until - since).days + 1
    if not 1 <= count <= MOST_NIGHTS:
        raise UsageError(f"from {since} to {until} are no 1 to {MOST_NIGHTS:,} nights: look at --from and --to")
    found = tuple(_moment(since + number * _DAY, clock) for number in range(count))
    if found[-1].as_of > now:
        raise UsageError(f"--to {until} has not come yet at {at}: name the last night that is over")
    return found


def dated(pattern: str, day: date) -> str:
    """A path with `{date}` and `{day_before}` filled in, as 2026-11-22 or as `{date:%Y/%m/%d}` says."""
    days = {"date": day, "day_before": day - _DAY}
    return _PLACE.sub(lambda place: format(days[place[1]], place[2] or "%Y-%m-%d"), pattern)


def all_dated(patterns: Sequence[str], day: date) -> tuple[str, ...]:
    """Each of several paths as `dated`."""
    return tuple(dated(pattern, day) for pattern in patterns)


def goes_by_date(pattern: str) -> bool:
    """Whether a path is another one for another night."""
    return _PLACE.search(pattern) is not None


def _moment(day: date, clock: time) -> Moment:
    return Moment(round(datetime.combine(day, clock).timestamp() * 1000), day)


def _time_of_day(told: str) -> time | None:
    try:
        clock = time.fromisoformat(told)
    except ValueError:
        return None
    return clock if clock.tzinfo else clock.replace(tzinfo=UTC)


def _day(told: str, option: str) -> date:
    try:
        return date.fromisoformat(told)
    except ValueError as error:
        raise UsageError(f"{option} {told!r} is no day; write for example 2026-11-22") from error
