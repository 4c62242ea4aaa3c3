"""A case: all that is known of one customer whose playback or delivery fell below the standard."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.finding import Finding
from remediation.book import Book, Entry
from remediation.orders import Customer, OrderLine
from remediation.policy.conduct import Conduct
from remediation.remedy import Arm

_NOT_CARRIED_OUT: Final = frozenset({"rejected", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Case:
    """One customer's order lines with what was found on each, and every remedy that the ledger holds for them.

    `earlier_lines` are those that only `history` names. `stock` is how many of
    each item can be sent; an item that is absent was never counted. `arm` says
    whether this customer gets goodwill or is compared with those who do; null
    where nobody is held out.
    """

    customer_id: str
    customer: Customer | None
    lines: tuple[tuple[OrderLine, tuple[Finding, ...]], ...]
    history: tuple[Entry, ...]
    earlier_lines: tuple[OrderLine, ...] = ()
    stock: Mapping[str, int] = field(default_factory=dict)
    conduct: Conduct = field(default_factory=Conduct)
    arm: Arm | None = None


def standing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The remedies that were carried out, or still may be: not rejected by a person, not withdrawn with their run."""
    return tuple(entry for entry in entries if entry.remedy.state not in _NOT_CARRIED_OUT)


def cases(findings: Iterable[Finding], book: Book) -> tuple[Case, ...]:
    """One case a customer, in the order of customer ids, from findings that `bind` has bound.

    Four questions to the book, however many findings there are.

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
    customers = book.customers(found.keys())
    history = book.remedies_of(found.keys())
    earlier = {
        customer_id: {entry.remedy.order_line_id for entry in history.get(customer_id, ())}.difference(by_line)
        for customer_id, by_line in found.items()
    }
    lines = book.order_lines({line_id for by_line in found.values() for line_id in by_line}.union(*earlier.values()))
    goods = {lines[line_id].item_id for by_line in found.values() for line_id in by_line if _is_goods(lines[line_id])}
    stock = book.stock(goods) if goods else {}
    return tuple(
        Case(
            customer_id,
            customers.get(customer_id),
            tuple((lines[line_id], tuple(by_line[line_id])) for line_id in sorted(by_line)),
            tuple(history.get(customer_id, ())),
            # Without its order line an earlier remedy still counts, so that a line that is gone is no error.
            tuple(lines[line_id] for line_id in sorted(earlier[customer_id]) if line_id in lines),
            {item: stock[item] for item in sorted({lines[line_id].item_id for line_id in by_line} & stock.keys())},
        )
        for customer_id, by_line in sorted(found.items())
    )


def _is_goods(line: OrderLine) -> bool:
    return line.kind == "goods"


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
