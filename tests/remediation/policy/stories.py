"""Small builders for stories about money: each shows only what matters to its test."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from detectors.finding import Fault, Finding, Kind, Provenance, Scalar, Subject
from remediation.book import Entry, FailedVisit, Seen
from remediation.orders import Customer, Grant, OrderKind, OrderLine
from remediation.policy.case import Case, evidence_sha256
from remediation.policy.decide import Decision
from remediation.policy.load import default_text, load_policy
from remediation.policy.model import Policy
from remediation.remedy import Declined, Remedy

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
EVENING: Final = 1_795_287_600_000  # 2026-11-21T19:00:00Z
MORNING: Final = EVENING + 12 * HOUR
PURCHASED: Final = EVENING - HOUR


def a_finding(  # noqa: PLR0913 each figure matters to some story
    kind: Kind = "playback_stalls",
    severity: float = 0.8,
    session: str = "session-1",
    *,
    at: int = EVENING,
    fault: Fault = "unknown",
    customer_id: str | None = "ilsa",
    content_id: str | None = "casablanca",
    order_line_id: str | None = None,
    subject: Subject | None = None,
    provenance: Provenance | None = None,
    **evidence: Scalar,
) -> Finding:
    """A finding of a session that the service had allowed a minute before; a binding notes that."""
    return Finding(
        kind=kind,
        subject=subject or Subject("session", session),
        severity=severity,
        occurred_from=at,
        occurred_to=at + 60_000,
        evidence=evidence,
        fault=fault,
        detector_version="1",
        customer_id=customer_id,
        content_id=content_id,
        order_line_id=order_line_id,
        provenance=Provenance(granted_at=at - 60_000) if provenance is None else provenance,
    )


def a_line(  # noqa: PLR0913 likewise
    kind: OrderKind = "rental",
    amount_minor: int = 299,
    currency: str = "USD",
    *,
    line_id: str = "line-1",
    customer_id: str = "ilsa",
    item_id: str = "casablanca",
    purchased_at: int = PURCHASED,
    available_until: int | None = None,
) -> OrderLine:
    return OrderLine(
        order_line_id=line_id,
        order_id="order-1",
        customer_id=customer_id,
        kind=kind,
        item_id=item_id,
        title="Casablanca",
        amount_minor=amount_minor,
        currency=currency,
        purchased_at=purchased_at,
        available_until=available_until,
    )


def a_parcel(  # noqa: PLR0913 likewise
    amount_minor: int = 2_000,
    shipping_minor: int = 500,
    currency: str = "USD",
    *,
    line_id: str = "line-1",
    order_id: str | None = None,
    tracking_number: str | None = None,
    item_id: str = "runes",
    quantity: int = 1,
) -> OrderLine:
    """An order line of goods; each in a parcel and an order of its own, unless they are named."""
    line = a_line("goods", amount_minor, currency, line_id=line_id, item_id=item_id, purchased_at=EVENING - 9 * DAY)
    return line.model_copy(
        update={
            "order_id": order_id or f"order of {line_id}",
            "shipping_minor": shipping_minor,
            "tracking_number": tracking_number,
            "quantity": quantity,
        }
    )


def a_failure(
    kind: Kind, fault: Fault = "carrier", *, line_id: str = "line-1", severity: float = 1.0, **evidence: Scalar
) -> Finding:
    """Something that went wrong with a parcel."""
    subject = Subject("order_line", line_id)
    bare = a_finding(kind, severity, fault=fault, content_id=None, order_line_id=line_id, subject=subject)
    return replace(bare, evidence=evidence)


def a_month(amount_minor: int = 3_000, currency: str = "USD") -> OrderLine:
    """A subscription of thirty days, so that a day's share is a thirtieth."""
    start = EVENING - 10 * DAY
    return a_line(
        "subscription", amount_minor, currency, item_id="plan", purchased_at=start, available_until=start + 30 * DAY
    )


def a_customer(timezone: str = "UTC") -> Customer:
    return Customer(customer_id="ilsa", email="ilsa@example.com", timezone=timezone)


def a_case(
    *findings: Finding,
    line: OrderLine | None = None,
    customer: Customer | None = a_customer(),  # noqa: B008 it is frozen
    history: Iterable[Entry] = (),
    stock: Mapping[str, int] | None = None,
) -> Case:
    """One customer with one order line on which `findings` were found."""
    return Case("ilsa", customer, ((line or a_line(), findings),), tuple(history), stock=stock or {})


def a_policy(*changes: tuple[str, str]) -> Policy:
    """The default policy with some of its text replaced."""
    text = default_text().decode()
    for old, new in changes:
        assert old in text, f"the default policy does not say {old!r}"
        text = text.replace(old, new)
    return load_policy(text.encode(), "policy.toml")


def the_remedy(decisions: tuple[Decision, ...]) -> Remedy:
    (decision,) = decisions
    assert isinstance(decision, Remedy), decision
    return decision


def the_declined(decisions: tuple[Decision, ...]) -> Declined:
    (decision,) = decisions
    assert isinstance(decision, Declined), decision
    return decision


def an_entry(remedy: Remedy, *findings: Finding, as_of: int = MORNING) -> Entry:
    """`remedy` as the ledger holds it after it was decided on `findings`."""
    return Entry(remedy, as_of, evidence_sha256(findings))


@dataclass
class MemoryBook:
    """A book of dictionaries that counts how often each question was asked."""

    granted: tuple[Grant, ...] = ()
    ordered: tuple[OrderLine, ...] = ()
    known: tuple[Customer, ...] = ()
    entries: tuple[Entry, ...] = ()
    counted: Mapping[str, int] = field(default_factory=dict)
    mended: frozenset[str] = frozenset()
    prints: tuple[Seen, ...] = ()
    failed: Mapping[str, tuple[FailedVisit, ...]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def grants(self, session_ids: Collection[str]) -> Mapping[str, tuple[Grant, ...]]:
        self.asked["grants"] += 1
        found: defaultdict[str, tuple[Grant, ...]] = defaultdict(tuple)
        for grant in self.granted:
            if grant.session_id in session_ids:
                found[grant.session_id] += (grant,)
        return dict(found)

    def order_lines(self, order_line_ids: Collection[str]) -> Mapping[str, OrderLine]:
        self.asked["order_lines"] += 1
        return {line.order_line_id: line for line in self.ordered if line.order_line_id in order_line_ids}

    def order_lines_of(self, claims: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[OrderLine, ...]]:
        self.asked["order_lines_of"] += 1
        found: defaultdict[tuple[str, str], tuple[OrderLine, ...]] = defaultdict(tuple)
        for line in self.ordered:
            if (line.customer_id, line.item_id) in claims and line.kind != "goods":
                found[line.customer_id, line.item_id] += (line,)
        return dict(found)

    def subscriptions_of(self, customer_ids: Collection[str]) -> Mapping[str, tuple[OrderLine, ...]]:
        self.asked["subscriptions_of"] += 1
        found: defaultdict[str, tuple[OrderLine, ...]] = defaultdict(tuple)
        for line in self.ordered:
            if line.customer_id in customer_ids and line.kind == "subscription":
                found[line.customer_id] += (line,)
        return dict(found)

    def customers(self, customer_ids: Collection[str]) -> Mapping[str, Customer]:
        self.asked["customers"] += 1
        return {customer.customer_id: customer for customer in self.known if customer.customer_id in customer_ids}

    def stock(self, item_ids: Collection[str]) -> Mapping[str, int]:
        self.asked["stock"] += 1
        return {item: available for item, available in self.counted.items() if item in item_ids}

    def corrected(self, item_ids: Collection[str]) -> frozenset[str]:
        self.asked["corrected"] += 1
        return self.mended & frozenset(item_ids)

    def seen(self, fingerprints: Collection[str]) -> Mapping[str, tuple[Seen, ...]]:
        self.asked["seen"] += 1
        found: defaultdict[str, tuple[Seen, ...]] = defaultdict(tuple)
        for each in self.prints:
            if each.fingerprint in fingerprints:
                found[each.fingerprint] += (each,)
        return dict(found)

    def failed_visits(
        self, customer_ids: Collection[str], since: int, as_of: int
    ) -> Mapping[str, tuple[FailedVisit, ...]]:
        self.asked["failed_visits"] += 1
        within = {
            customer_id: tuple(visit for visit in visits if since < visit.occurred_at < as_of)
            for customer_id, visits in self.failed.items()
        }
        return {customer_id: within[customer_id] for customer_id in customer_ids if within.get(customer_id)}

    def remedies_of(self, customer_ids: Collection[str]) -> Mapping[str, tuple[Entry, ...]]:
        self.asked["remedies_of"] += 1
        found: defaultdict[str, tuple[Entry, ...]] = defaultdict(tuple)
        for entry in self.entries:
            if entry.remedy.customer_id in customer_ids:
                found[entry.remedy.customer_id] += (entry,)
        return dict(found)
