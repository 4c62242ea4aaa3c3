"""Builders: one spoilt evening and what follows from it, in which a test names only what it is about."""

import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from sqlalchemy import Engine, Table, func, select

from detectors.finding import Finding, Subject
from remediation.imports import Imported, import_customers, import_orders, import_stock
from remediation.ledger.audit import Author
from remediation.ledger.budgets import Caps
from remediation.ledger.journal import Recorded, record
from remediation.ledger.resolution import Resolution
from remediation.ledger.run import Objection, Run, RunInput, judge_run
from remediation.mail import Mail
from remediation.remedy import Action, Declined, Remedy

GENEROUS = Caps({"USD": 10**9, "JPY": 10**9, "EUR": 10**9}, {"USD": 10**9, "JPY": 10**9, "EUR": 10**9}, 10**6)
"""Budgets that no test reaches which is not about them."""

EVENING = 1_795_290_000_000
MORNING = 1_795_338_000_000


def an_order(order_line_id: str = "OL-1", **fields: object) -> dict[str, object]:
    return {
        "order_line_id": order_line_id,
        "order_id": "O-1",
        "customer_id": "C-1",
        "kind": "rental",
        "item_id": "casablanca",
        "title": "Casablanca",
        "amount_minor": 299,
        "currency": "USD",
        "purchased_at": EVENING - 3_600_000,
        **fields,
    }


def a_customer(customer_id: str = "C-1", **fields: object) -> dict[str, object]:
    return {"customer_id": customer_id, "email": f"{customer_id.lower()}@example.com", **fields}


def json_lines(*rows: dict[str, object]) -> BytesIO:
    return BytesIO("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode())


def with_orders(ledger: Engine, *orders: dict[str, object]) -> Imported:
    """Orders, and the customers who made them."""
    customers = {str(order["customer_id"]): order for order in orders}
    import_customers(ledger, json_lines(*map(a_customer, customers)), "customers.jsonl")
    return import_orders(ledger, json_lines(*orders), "orders.jsonl")


def in_stock(ledger: Engine, available: int) -> None:
    """So many of the item that `an_order` orders."""
    item = str(an_order()["item_id"])
    import_stock(ledger, json_lines({"item_id": item, "available": available}), "stock.jsonl")


def a_finding(session_id: str = "S-1", *, stall_ms: int = 9_000, severity: float = 0.8, **fields: Any) -> Finding:
    return Finding(
        kind="playback_stalls",
        subject=Subject("session", session_id),
        severity=severity,
        occurred_from=EVENING,
        occurred_to=EVENING + stall_ms,
        evidence={"stall_ms": stall_ms},
        fault="unknown",
        detector_version="1",
        **fields,
    )


def a_remedy(
    order_line_id: str = "OL-1", *, refund: int = 299, actions: Sequence[Action] | None = None, **fields: Any
) -> Remedy:
    chosen = (Action("refund", amount_minor=refund),) if actions is None else tuple(actions)
    usual = {
        "number": 1,
        "customer_id": "C-1",
        "finding_ids": (a_finding().finding_id,),
        "amount": sum(action.amount_minor or 0 for action in chosen),
        "currency": "USD",
        "policy_sha256": "a" * 64,
        "reason": "The picture stood still for nine seconds.",
        "state": "approved",
    }
    return Remedy(order_line_id=order_line_id, actions=chosen, **{**usual, **fields})


def a_mail(remedy: Remedy, **fields: str) -> Mail:
    texts = {"language": "en", "subject": "Your refund", "text": "Sorry.", "html": "<p>Sorry.</p>"}
    return Mail(remedy.remedy_id, **{"message_id": remedy.remedy_id.replace("-", ""), **texts, **fields})


def owed(
    remedy: Remedy, *, findings: Sequence[Finding] = (a_finding(),), not_before: int = MORNING, mail: bool = True
) -> Resolution:
    return Resolution(
        tuple(findings),
        remedy=remedy,
        evidence_sha256="e" * 64,
        mail=a_mail(remedy) if mail else None,
        not_before=not_before if mail else None,
    )


def declined(session_id: str = "S-2") -> Resolution:
    finding = a_finding(session_id)
    refusal = Declined((finding.finding_id,), finding.subject, "declined", "no_order", "Nothing was ordered.")
    return Resolution((finding,), declined=refusal)


def a_run(as_of: int = MORNING, *inputs: RunInput) -> Run:
    return Run(as_of, policy_sha256="a" * 64, detector_version="1", inputs=inputs)


def record_night(
    ledger: Engine,
    *resolutions: Resolution,
    as_of: int = MORNING,
    caps: Caps = GENEROUS,
    objections: Sequence[Objection] = (),
) -> Recorded:
    """A whole run: recorded, then released unless something stands against it."""
    run = a_run(as_of)
    recorded = record(ledger, run, resolutions, caps)
    judge_run(ledger, run.run_id, Author("guards", as_of), None, objections)
    return recorded


def rows(ledger: Engine, table: Table) -> list[dict[str, Any]]:
    """All rows of a table, in the order of its primary key."""
    with ledger.connect() as connection:
        return [row._asdict() for row in connection.execute(select(table).order_by(*table.primary_key.columns))]


def count(ledger: Engine, table: Table) -> int:
    with ledger.connect() as connection:
        return connection.scalars(select(func.count()).select_from(table)).one()
