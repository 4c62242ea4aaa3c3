"""Whether the night's moment can be right: what it calls lost or late depends on nothing else."""

from collections.abc import Iterator
from typing import Final

from remediation.durations import DAY_MS
from remediation.guards.figures import Figures
from remediation.guards.history import History
from remediation.guards.reading import Reading, Said, near, read
from remediation.guards.rules import ClockRules, GuardRules
from remediation.report.formats import duration, moment

_MANY_DAYS: Final = 2
"""From here on hours tell a reader nothing."""

_ADVICE: Final = "look at --as-of and at the clock of the machine, and run the night again with the right moment"


def clock_readings(tonight: Figures, history: History, rules: GuardRules, now_ms: int) -> Iterator[Reading]:
    """The moment against the clock, against the released night before, and against the sessions themselves."""
    yield _ahead(tonight, rules.clock, now_ms)
    if history.newest is not None:
        yield _after(tonight, history.newest, rules.clock)
    if tonight.median_age_ms is not None:
        yield _age(tonight.median_age_ms, history, rules.clock)


def _span(ms: int) -> str:
    days = abs(ms) / DAY_MS
    return f"{days:.1f} days" if days >= _MANY_DAYS else duration(abs(ms))


def _ahead(tonight: Figures, rules: ClockRules, now_ms: int) -> Reading:
    said = Said(f"the night's moment is {moment(tonight.as_of)}, and the clock says {moment(now_ms)}", _ADVICE)
    ahead = tonight.as_of - now_ms
    tripped = ahead > rules.ahead_ms
    return read(
        "clock", "now", ahead, rules.ahead_ms, said, tripped=tripped, near_ratio=near(max(ahead, 0), rules.ahead_ms)
    )


def _after(tonight: Figures, last: Figures, rules: ClockRules) -> Reading:
    gap = tonight.as_of - last.as_of
    relation = "before" if gap < 0 else "after"
    said = Said(
        f"the night's moment is {_span(gap)} {relation} that of the last released night,"
        f" {moment(last.as_of)}, and up to {_span(rules.gap_ms)} after it is ordinary",
        _ADVICE,
    )
    tripped = not 0 <= gap <= rules.gap_ms
    return read("clock", "last night", gap, rules.gap_ms, said, tripped=tripped, near_ratio=near(gap, rules.gap_ms))


def _age(age: int, history: History, rules: ClockRules) -> Reading:
    """Sessions of another day: yesterday's files again, or players whose clocks jumped."""
    usual = history.usual(lambda night: night.median_age_ms)
    oldest = rules.age_ms if usual is None else min(rules.age_ms, round(usual.value) + rules.age_drift_ms)
    relation = "after" if age < 0 else "before"
    said = Said(
        f"the middle session began {_span(age)} {relation} the night's moment,"
        f" and up to {_span(oldest)} before it is ordinary",
        "these may be another day's files, so look at the times in them",
    )
    return read("clock", "sessions", age, oldest, said, tripped=not 0 <= age <= oldest, near_ratio=near(age, oldest))
