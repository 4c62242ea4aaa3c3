"""A case: all that is known of one customer whose playback fell below the standard."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detectors.finding import Finding
from remediation.book import Book, Entry
from remediation.orders import Customer, OrderLine


@dataclass(frozen=True, slots=True)
class Case:
    """One customer's order lines with what was found on each, and every remedy that the ledger holds for them."""

    customer_id: str
    customer: Customer | None
    lines: tuple[tuple[OrderLine, tuple[Finding, ...]], ...]
    history: tuple[Entry, ...]


def cases(findings: Iterable[Finding], book: Book) -> tuple[Case, ...]:
    """One case a customer, in the order of customer ids, from findings that `bind` has bound.

    Three questions to the book, however many findings there are.

    Raises:
      KeyError: A finding names an order line that the book does not have, so that
        it cannot have been bound by this book.
      ValueError: A finding is not bound.
    """
    found: defaultdict[str, defaultdict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for finding in findings:
        if finding.customer_id is None or finding.order_line_id is None:
            raise ValueError(f"finding {finding.finding_id} is not bound to an order line: bind it first")
        found[finding.customer_id][finding.order_line_id].append(finding)
    lines = book.order_lines({line_id for by_line in found.values() for line_id in by_line})
    customers = book.customers(found.keys())
    history = book.remedies_of(found.keys())
    return tuple(
        Case(
            customer_id,
            customers.get(customer_id),
            tuple((lines[line_id], tuple(by_line[line_id])) for line_id in sorted(by_line)),
            tuple(history.get(customer_id, ())),
        )
        for customer_id, by_line in sorted(found.items())
    )


def evidence_sha256(findings: Sequence[Finding]) -> str:
    """Hex digest of what was found: kinds, subjects, times, figures and faults.

    Order and repetition leave it alone. So does the detector's version: a new
    detector that finds the same has learnt nothing new. Neither does it hold to
    whom the findings were bound, which is no evidence of what went wrong.
    """
    return hashlib.sha256("\n".join(sorted({spelled(finding) for finding in findings})).encode()).hexdigest()


def spelled(finding: Finding) -> str:
    """What the finding says, in one spelling; findings that say the same are equal, and all others have an order."""
    content = [
        finding.kind,
        finding.subject.type,
        finding.subject.id,
        finding.severity,
        finding.occurred_from,
        finding.occurred_to,
        dict(finding.evidence),
        finding.fault,
    ]
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
