"""Which of several failures a mail speaks of."""

from collections.abc import Sequence
from typing import Final

from detectors.finding import Finding, Kind

KIND_ORDER: Final[tuple[Kind, ...]] = (
    "playback_failed",
    "playback_stalls",
    "slow_seeks",
    "slow_start",
    "low_quality",
    "lost",
    "delivered_not_received",
    "misdelivered",
    "wrong_item",
    "damaged",
    "returned",
    "late",
)
"""Of equally severe failures, the one that took most from the customer comes first."""


def leading(findings: Sequence[Finding]) -> Finding:
    """The most severe finding, then the first by `KIND_ORDER`, then the earliest; the order passed has no say."""
    return min(findings, key=lambda each: (*rank(each.severity, each.kind, each.occurred_from), each.finding_id))


def rank(severity: float, kind: Kind, occurred_from: int) -> tuple[float, int, int]:
    """Where a finding stands among others; the first is the leading one."""
    return -severity, KIND_ORDER.index(kind), occurred_from
