"""In which voice a failure may be spoken of: not every failure bears a jest."""

from collections.abc import Sequence
from typing import Final

from detectors.finding import Finding, Kind
from remediation.orders import Voice

_BEARS_A_JEST: Final[frozenset[Kind]] = frozenset({"delivered_not_received", "wrong_item", "late", "lost"})
"""Nothing was broken, and nothing of the customer's lies at a stranger's door."""

_GRAVELY_LATE_DAYS: Final = 7


def fitting(voice: Voice, findings: Sequence[Finding]) -> Voice:
    """The voice itself, but warm instead of playful where one of the failures is grave.

    Grave is what is not in the list above, and a parcel a week late or later.
    """
    return "warm" if voice == "playful" and any(map(_is_grave, findings)) else voice


def _is_grave(finding: Finding) -> bool:
    days_late = finding.evidence.get("days_late")
    return finding.kind not in _BEARS_A_JEST or (isinstance(days_late, int) and days_late >= _GRAVELY_LATE_DAYS)
