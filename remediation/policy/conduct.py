"""What the ledger knows of a customer's visits beside the findings that are to be decided."""

from dataclasses import dataclass

from remediation.book import FailedVisit


@dataclass(frozen=True, slots=True)
class Conduct:
    """`copies` are those sessions of this run that took the course of an earlier one under another name.

    `failed_visits` are what earlier runs found, where their word was good enough.
    """

    copies: frozenset[str] = frozenset()
    failed_visits: tuple[FailedVisit, ...] = ()
