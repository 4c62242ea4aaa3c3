"""What deciding needs to know, asked in batches; the ledger answers it from SQL, a test from dictionaries."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from remediation.orders import Customer, Grant, OrderLine
from remediation.remedy import Remedy


@dataclass(frozen=True, slots=True)
class Entry:
    """A remedy as the ledger holds it.

    `as_of` is that of the run that decided it; `evidence_sha256` digests the
    findings on which it was decided, so that a rerun knows whether it has
    learnt anything new.
    """

    remedy: Remedy
    as_of: int
    evidence_sha256: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A session whose course had this fingerprint, and when it was last heard of: milliseconds since the epoch."""

    fingerprint: str
    session_id: str
    first_seen: int


@dataclass(frozen=True, slots=True)
class FailedVisit:
    """A session that an earlier run found to have failed, and when the failure began."""

    session_id: str
    order_line_id: str | None
    occurred_at: int


class Book(Protocol):
    """Look-ups by key, many at once. A key that is not there is absent from the answer."""

    def grants(self, session_ids: Collection[str]) -> Mapping[str, tuple[Grant, ...]]:
        """The grants of each session, by session id."""
        ...

    def order_lines(self, order_line_ids: Collection[str]) -> Mapping[str, OrderLine]:
        """Order lines by id."""
        ...

    def order_lines_of(self, claims: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[OrderLine, ...]]:
        """Playback order lines of each (customer id, item id)."""
        ...

    def subscriptions_of(self, customer_ids: Collection[str]) -> Mapping[str, tuple[OrderLine, ...]]:
        """All subscription lines of each customer, whatever item they name: a plan covers every title."""
        ...

    def customers(self, customer_ids: Collection[str]) -> Mapping[str, Customer]:
        """Customers by id."""
        ...

    def stock(self, item_ids: Collection[str]) -> Mapping[str, int]:
        """How many of each item can be sent; an item that nobody counted is absent, so that none is promised."""
        ...

    def corrected(self, item_ids: Collection[str]) -> frozenset[str]:
        """The items whose listing a person has corrected, so that a mail may say so."""
        ...

    def seen(self, fingerprints: Collection[str]) -> Mapping[str, tuple[Seen, ...]]:
        """Every session whose course had one of these fingerprints, by fingerprint."""
        ...

    def failed_visits(
        self, customer_ids: Collection[str], since: int, as_of: int
    ) -> Mapping[str, tuple[FailedVisit, ...]]:
        """The sessions that runs before `as_of` found failed after `since`, by customer, each once."""
        ...

    def remedies_of(self, customer_ids: Collection[str]) -> Mapping[str, tuple[Entry, ...]]:
        """All remedies ever recorded for each customer, oldest first."""
        ...
