"""Builders: a usual night of a service of some size, in which a test names only what stands out."""

from dataclasses import replace
from typing import Any, Final

from detectors.incidents.cohorts import Lane
from remediation.guards.figures import Figures, Group, InputRole, Judged, Paid, SourceFigures
from remediation.guards.judge import trips
from remediation.guards.rules import GuardRules
from remediation.policy.load import default_policy

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
FIRST: Final = 1_795_327_200_000  # 2026-11-22T06:00:00Z
RULES: Final[GuardRules] = default_policy().guards


def a_night(day: int = 0, **changes: Any) -> Figures:
    """Four thousand sessions of which forty were flagged, thirty refunds; on the given day after the first."""
    usual = Figures(
        as_of=FIRST + day * DAY,
        policy_sha256="a" * 64,
        detector_version="1",
        records=400_000,
        used=378_000,
        duplicate=20_000,
        rejected=400,
        late=1_600,
        sources=(a_source("grants", "grants.jsonl", 3_900), a_source("orders", "orders.jsonl", 5_000), a_source()),
        sessions=Judged(4_000, 40),
        order_lines=Judged(3_000, 90),
        median_age_ms=9 * HOUR,
        findings_by_kind={"playback_stalls": 30, "slow_start": 14, "lost": 90},
        remedies_by_state={"approved": 30, "held": 2},
        payouts=30,
        paid=(paid(30),),
        goods=3,
        customers=29,
        groups=(a_group("5.1", 4_000, 40),),
    )
    return replace(usual, **changes)


def a_source(
    role: InputRole = "telemetry", name: str = "beacons-#.jsonl", records: int = 400_000, files: int = 1
) -> SourceFigures:
    return SourceFigures(role, name, files, records * 120, records)


def with_sources(day: int, *sources: SourceFigures) -> Figures:
    return a_night(day, sources=sources)


def a_group(value: str, units: int, flagged: int, dimension: str = "app_version", lane: Lane = "playback") -> Group:
    return Group(lane, dimension, value, Judged(units, flagged))


def paid(refunds: int, each: int = 399, currency: str = "USD", largest: int | None = None) -> Paid:
    return Paid(currency, refunds, refunds * each, largest or each)


def weeks(count: int = 3, **changes: Any) -> list[Figures]:
    """So many weeks of usual nights up to the night before `a_night()`."""
    return [a_night(day, **changes) for day in range(-7 * count, 0)]


def reasons(
    tonight: Figures, released: list[Figures], rules: GuardRules = RULES, now: int | None = None
) -> dict[str, str]:
    """The reasons that hold a night, by guard and subject; judged an hour after its moment unless told otherwise."""
    found = trips(tonight, released, rules, tonight.as_of + HOUR if now is None else now)
    return {f"{reading.guard} {reading.subject}".strip(): reading.reason for reading in found}
