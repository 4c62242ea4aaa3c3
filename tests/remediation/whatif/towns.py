"""A small service whose nights are found, decided, recorded and judged as a nightly run does it, but without Beam."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine

from detectors.finding import DeliveryKind, Fault, Finding, PlaybackKind, Provenance, Scalar, Subject
from remediation.binding import bind
from remediation.guards.figures import Figures, Judged, from_json, to_json, with_remedies
from remediation.guards.judge import trips
from remediation.imports import import_customers, import_grants, import_orders, import_stock
from remediation.ledger.audit import Author
from remediation.ledger.book import SqlBook
from remediation.ledger.budgets import Caps
from remediation.ledger.journal import record
from remediation.ledger.policies import keep_policy
from remediation.ledger.prints import record_prints
from remediation.ledger.run import Objection, Run, finish_run, judge_run, released_figures, start_run
from remediation.policy.load import default_policy
from remediation.policy.model import Policy
from remediation.report.recorded import recorded_remedies
from remediation.resolve import declined, resolve
from tests.remediation.ledger.evenings import EVENING, MORNING, a_customer, an_order, json_lines

DAY: Final = 86_400_000
HOUR: Final = 3_600_000
POLICY: Final = default_policy()
ADA: Final = Author("person ada", MORNING + HOUR)
BEN: Final = Author("person ben", MORNING + HOUR)

SESSIONS: Final = 200
"""So many sessions every night, of which few failed."""


def changed(policy: Policy = POLICY, /, **figures: Any) -> Policy:
    """The policy with some figures replaced, named by their path with `__` between its parts."""
    content: dict[str, Any] = policy.model_dump(mode="json")
    for path, value in figures.items():
        *sections, name = path.split("__")
        section = content
        for each in sections:
            section = section[each]
        assert name in section, path
        section[name] = value
    return Policy.model_validate(content)


STALLS: Final[Mapping[str, Scalar]] = {
    "stall_count": 5,
    "long_stall_count": 5,
    "worst_window_stall_count": 2,
    "quality_score": 2.0,
    "worst_window_score": 2.0,
}


def stalled(line: str, stall_ms: int = 108_000, *, day: int = 0, session: str | None = None, **also: Any) -> Finding:
    """Stalls of an hour's film: 2 % are bad, so that 108 s are one and a half times as much, a severity of 0.33."""
    name = session or f"session of {line} on day {day}"
    severity = max(0.0, round(1 - 0.02 / (stall_ms / HOUR), 4))
    figures = {**STALLS, "stall_ms": stall_ms, "watched_ms": HOUR, "longest_stall_ms": 9_000}
    return a_finding("playback_stalls", Subject("session", name), severity, figures, day=day, **also)


FOUND: Final[Mapping[str, Mapping[str, Scalar]]] = {
    "late": {"promised_date": "2026-11-20", "delivered_date": None, "days_late": 1},
    "lost": {"days_silent": 7, "last_scan_at": EVENING - 7 * DAY, "never_scanned": False, "declared": False},
    "damaged": {"reason": "damaged", "scanned_at": EVENING},
    "returned": {"reason": "refused", "scanned_at": EVENING},
}


def gone_wrong(
    line: str, kind: DeliveryKind = "lost", *, day: int = 0, fault: Fault = "carrier", **evidence: Scalar
) -> Finding:
    """Something that happened to a parcel."""
    usual = FOUND.get(kind, {"scanned_at": EVENING})
    subject = Subject("order_line", line)
    return a_finding(kind, subject, 1.0, {**usual, **evidence}, day=day, fault=fault, order_line_id=line)


def a_finding(  # noqa: PLR0913 each matters to some story
    kind: PlaybackKind | DeliveryKind,
    subject: Subject,
    severity: float,
    evidence: Mapping[str, Scalar],
    *,
    day: int = 0,
    fault: Fault = "unknown",
    **also: Any,
) -> Finding:
    at = EVENING + day * DAY
    told = Provenance(at, at + HOUR, at + HOUR, HOUR, fingerprints=(f"course of {subject.id}",))
    told = told if subject.type == "session" else Provenance()
    return Finding(kind, subject, severity, at, at + HOUR, evidence, fault, "1", **{"provenance": told, **also})


@dataclass
class Town:
    """A ledger, and the policy under which its nights are decided."""

    ledger: Engine
    policy: Policy = POLICY

    def sells(self, *orders: dict[str, object]) -> None:
        """Orders, with a grant for a session of each of its days, as `stalled` names them."""
        customers = dict.fromkeys(str(order["customer_id"]) for order in orders)
        import_customers(self.ledger, json_lines(*map(a_customer, customers)), "customers.jsonl")
        import_orders(self.ledger, json_lines(*orders), "orders.jsonl")
        for order in orders:
            if order["kind"] != "goods":
                self.grants(order, *(f"session of {order['order_line_id']} on day {day}" for day in range(40)))

    def grants(self, order: Mapping[str, object], *sessions: str) -> None:
        """The service's word that these sessions were of this order."""
        known = {"customer_id": order["customer_id"], "order_line_id": order["order_line_id"]}
        rows = ({**known, "session_id": each, "granted_at": EVENING - HOUR} for each in sessions)
        import_grants(self.ledger, json_lines(*rows), "grants.jsonl")

    def stocks(self, **items: int) -> None:
        """How many of each item there are."""
        rows = ({"item_id": item, "available": available} for item, available in items.items())
        import_stock(self.ledger, json_lines(*rows), "stock.jsonl")

    def night(self, *found: Finding, day: int = 0, bundles: int = 2, clock: int = HOUR) -> str:
        """One night: its findings are decided in so many bundles, and it is judged at its end. Returns the run's id.

        `clock` is how much later than its moment it is judged; a night to come is held.
        """
        run = Run(MORNING + day * DAY, self.policy.sha256, "1", ())
        keep_policy(self.ledger, self.policy)
        start_run(self.ledger, run)
        book = SqlBook(self.ledger)
        record_prints(self.ledger, run.as_of, found)
        bound = bind(found, book, run.as_of)
        record(self.ledger, run, declined(found, bound.declined), Caps.of(self.policy))
        for bundle in _bundles(bound.findings, bundles):
            record(self.ledger, run, resolve(bundle, book, self.policy, run.as_of), Caps.of(self.policy))
        finish_run(self.ledger, run.run_id, {"records": 1}, {})
        self._judge(run, found, run.as_of + clock)
        return run.run_id

    def _judge(self, run: Run, found: Sequence[Finding], at: int) -> None:
        remedies = [row.remedy for row in recorded_remedies(self.ledger, run.run_id)]
        tonight = with_remedies(_figures(run, found), remedies)
        rules = self.policy.guards
        released = map(from_json, released_figures(self.ledger, rules.history.long_nights))
        against = [Objection(each.guard, each.reason) for each in trips(tonight, released, rules, at)]
        judge_run(self.ledger, run.run_id, Author("guards", at), to_json(tonight), against)


def a_rental(line: str = "film", customer: str = "C-1", price: int = 400) -> dict[str, object]:
    return an_order(line, customer_id=customer, amount_minor=price, purchased_at=EVENING - 2 * HOUR)


def a_plan(line: str = "plan", customer: str = "C-1", price: int = 3_000) -> dict[str, object]:
    """A subscription of thirty days."""
    until = EVENING + 29 * DAY
    return {**a_rental(line, customer, price), "kind": "subscription", "available_until": until}


def a_parcel(line: str = "parcel", customer: str = "C-1", item: str = "book") -> dict[str, object]:
    bought = {"purchased_at": EVENING - 9 * DAY, "shipping_minor": 500, "tracking_number": f"T {line}"}
    return {**a_rental(line, customer, 2_000), **bought, "kind": "goods", "item_id": item, "order_id": f"of {line}"}


def _bundles(findings: Iterable[Finding], count: int) -> list[list[Finding]]:
    """All findings of a customer in one of them."""
    shards: list[list[Finding]] = [[] for _ in range(count)]
    for finding in findings:
        shards[sum(map(ord, str(finding.customer_id))) % count].append(finding)
    return shards


def _figures(run: Run, found: Sequence[Finding]) -> Figures:
    sessions = {each.subject.id for each in found if each.subject.type == "session"}
    lines = {each.subject.id for each in found if each.subject.type == "order_line"}
    return Figures(
        as_of=run.as_of,
        policy_sha256=run.policy_sha256,
        detector_version=run.detector_version,
        records=1,
        used=1,
        duplicate=0,
        rejected=0,
        late=0,
        sources=(),
        sessions=Judged(SESSIONS, len(sessions)),
        order_lines=Judged(SESSIONS, len(lines)),
        median_age_ms=12 * HOUR,
        findings_by_kind={kind: sum(each.kind == kind for each in found) for kind in {each.kind for each in found}},
        remedies_by_state={},
        payouts=0,
        paid=(),
        goods=0,
        customers=0,
        groups=(),
    )
