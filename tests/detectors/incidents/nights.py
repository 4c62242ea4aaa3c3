"""Builders: nights of sessions and days of parcels, in which a test names only what stands out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from detectors import schemas
from detectors.finding import Fault, Finding, Kind, Subject
from detectors.incidents import MIXUPS, Incident, IncidentRules, Tally, delivery_tally, incidents, playback_tally

EVENING = 1_795_290_000_000
RULES = IncidentRules(min_units=25, min_failures=3, q_value=0.01, min_ratio=3.0)
NO_MIXUPS = MIXUPS.to_frame()


@dataclass(frozen=True)
class Part:
    """So many sessions or parcels that share these values, of which so many failed."""

    units: int
    failures: int
    shared: dict[str, str] = field(default_factory=dict)
    kind: Kind | None = None
    fault: Fault | None = None


def some(units: int, failures: int, kind: Kind | None = None, fault: Fault | None = None, **shared: str) -> Part:
    return Part(units, failures, shared, kind, fault)


def sessions_of(parts: Sequence[Part]) -> pl.DataFrame:
    rows = [
        {"session_id": f"S-{part}-{unit}", "started_at": EVENING + unit, **told.shared}
        for part, told in enumerate(parts)
        for unit in range(told.units)
    ]
    return schemas.complete(pl.DataFrame(rows, infer_schema_length=None), schemas.SESSIONS)


def a_finding(subject: Subject, kind: Kind, **fields: Any) -> Finding:
    usual = {
        "severity": 0.8,
        "occurred_from": EVENING,
        "occurred_to": EVENING + 60_000,
        "evidence": {},
        "fault": "unknown",
        "detector_version": "1",
        "customer_id": f"C-{subject.id}",
    }
    return Finding(kind=kind, subject=subject, **{**usual, **fields})


def spoilt_sessions(parts: Sequence[Part]) -> list[Finding]:
    return [
        a_finding(Subject("session", f"S-{part}-{unit}"), told.kind or "playback_stalls", fault=told.fault or "unknown")
        for part, told in enumerate(parts)
        for unit in range(told.failures)
    ]


def a_night(*parts: Part) -> Tally:
    return playback_tally(sessions_of(parts), spoilt_sessions(parts))


def a_day(*parts: Part) -> Tally:
    """Parcels of one order line each; `depot` is where each was scanned last."""
    lines = [
        {
            "order_line_id": f"L-{part}-{unit}",
            "item_id": told.shared.get("item_id"),
            "tracking_number": f"T-{part}-{unit}",
            "carrier": told.shared.get("carrier"),
        }
        for part, told in enumerate(parts)
        for unit in range(told.units)
    ]
    scans = [
        {"tracking_number": f"T-{part}-{unit}", "event_time": EVENING, "depot": told.shared.get("depot")}
        for part, told in enumerate(parts)
        for unit in range(told.units)
    ]
    findings = [
        a_finding(
            Subject("order_line", f"L-{part}-{unit}"),
            told.kind or "lost",
            fault=told.fault or "carrier",
            evidence={"depot": told.shared.get("depot")},
        )
        for part, told in enumerate(parts)
        for unit in range(told.failures)
    ]
    return delivery_tally(promises_of(lines), scans_of(scans), findings)


def promises_of(lines: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return schemas.complete(pl.DataFrame(list(lines), infer_schema_length=None), schemas.PROMISES)


def scans_of(scans: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return schemas.complete(pl.DataFrame(list(scans), infer_schema_length=None), schemas.TRACKING)


def a_report(
    line: str, *, came: str | None, item: str = "decaf", customer: str | None = None, **more: Any
) -> pl.DataFrame:
    """A customer's report that `came` lay in the parcel instead of `item`."""
    row = {
        "contact_id": f"K-{line}",
        "order_line_id": line,
        "customer_id": customer or f"C-{line}",
        "item_id": item,
        "received_item_id": came,
        "event_time": EVENING,
        **more,
    }
    return pl.DataFrame([row], schema=MIXUPS)


def found(tally: Tally, mixups: pl.DataFrame = NO_MIXUPS) -> tuple[Incident, ...]:
    return incidents(tally, mixups, RULES)
