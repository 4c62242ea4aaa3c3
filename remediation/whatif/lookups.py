"""What the ledger knows of customers' visits: the same in every world, asked once a run and not once a customer."""

from collections.abc import Collection, Iterable, Mapping

from remediation.book import FailedVisit, Seen
from remediation.ledger.book import SqlBook
from remediation.orders import Grant
from remediation.whatif.events import Unit


class Lookups:
    """Answers from the ledger, kept for one run."""

    def __init__(self, book: SqlBook) -> None:
        self._book = book
        self.open_run(())

    def open_run(self, units: Iterable[Unit]) -> None:
        """What is asked from here on is about these claims."""
        claims = [claim for unit in units for claim in unit.claims]
        marks = {mark for claim in claims for each in claim.findings for mark in each.provenance.fingerprints}
        self._customers = frozenset(claim.customer_id for claim in claims)
        self._seen = self._book.seen(marks) if marks else {}
        self._failed: dict[tuple[int, int], Mapping[str, tuple[FailedVisit, ...]]] = {}
        self._grants: dict[str, tuple[Grant, ...]] = {}

    def seen(self, fingerprints: Collection[str]) -> Mapping[str, tuple[Seen, ...]]:
        """As `Book.seen`."""
        return {mark: self._seen[mark] for mark in fingerprints if mark in self._seen}

    def failed_visits(
        self, customer_ids: Collection[str], since: int, as_of: int
    ) -> Mapping[str, tuple[FailedVisit, ...]]:
        """As `Book.failed_visits`."""
        if (since, as_of) not in self._failed:
            self._failed[since, as_of] = self._book.failed_visits(self._customers, since, as_of)
        found = self._failed[since, as_of]
        return {customer_id: found[customer_id] for customer_id in customer_ids if customer_id in found}

    def grants(self, session_ids: Collection[str]) -> Mapping[str, tuple[Grant, ...]]:
        """As `Book.grants`."""
        new = [session_id for session_id in session_ids if session_id not in self._grants]
        if new:
            self._grants |= {**dict.fromkeys(new, ()), **self._book.grants(new)}
        return {session_id: self._grants[session_id] for session_id in session_ids if self._grants[session_id]}
