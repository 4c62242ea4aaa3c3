"""What the ledger knows of a customer's visits beside the findings that are to be decided."""

from dataclasses import dataclass

from detectors.finding import Finding
from remediation.book import FailedVisit


@dataclass(frozen=True, slots=True)
class Conduct:
    """`copies` are those sessions of this run that took the course of an earlier one under another name.

    `failed_visits` are what earlier runs found, where their word was good enough.
    """

    copies: frozenset[str] = frozenset()
    failed_visits: tuple[FailedVisit, ...] = ()


def seen_at(finding: Finding, as_of: int) -> int:
    """When the finding's session was last heard of, by the server's clock; the run's moment where nobody knows."""
    received_at = finding.provenance.received_at
    return as_of if received_at is None else received_at
