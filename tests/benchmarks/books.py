"""A ledger of many remedies, each refunded, settled and told: what `makegood verify` has to look through."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, insert

from detectors.finding import content_id
from remediation.database import open_database, writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.control_tables import BUDGETS, SPENDINGS
from remediation.ledger.policies import keep_policy
from remediation.ledger.tables import (
    CUSTOMERS,
    FINDINGS,
    MAILS,
    ORDER_LINES,
    OUTBOX,
    POSTINGS,
    REMEDIES,
    REMEDY_FINDINGS,
    RUNS,
)
from remediation.policy.load import default_policy

MORNING: Final = 1_795_338_000_000
PORTION: Final = 5_000
POLICY: Final = default_policy().sha256
STYLE: Final = "p{color:#222;margin:0 0 12px}" * 80
PAGE: Final = (
    f"<html><style>{STYLE}</style><body>{'<p>We are sorry.</p>' * 60}<p>We have refunded $2.00.</p></body></html>"
)
LETTER: Final = "We noticed that it did not play smoothly.\n3 stalls, 4 min 10 s in all\nWe have refunded $2.00.\n"
STEPS: Final = {
    "refund": (("approved", "sending"), ("sending", "sent"), ("sent", "settled")),
    "mail": (("approved", "sending"), ("sending", "sent")),
}

Row = Mapping[str, Any]


def write_ledger(url: str, remedies: int) -> None:
    """Fills an empty ledger by SQL, past the program, but in a way that it could have written itself."""
    engine = open_database(url)
    keep_policy(engine, default_policy())
    with writing(engine) as connection:
        _run(connection, remedies)
    for first in range(0, remedies, PORTION):
        _portion(engine, range(first, min(first + PORTION, remedies)))
    engine.dispose()


def _run(connection: Connection, remedies: int) -> None:
    counts = {"records": remedies, "used": remedies, "duplicate": 0, "rejected": 0, "late": 0}
    run = {"run_id": "run", "as_of": MORNING, "policy_sha256": POLICY, "detector_version": "1"}
    connection.execute(insert(RUNS).values(**run, counts=counts, state="released"))
    connection.execute(insert(BUDGETS).values(budget_id="day", cap=10**12, spent=200 * remedies))
    note(connection, Author("guards", MORNING), [Change("run", "run", "recording", "released", "nothing stands")])


def _portion(engine: Engine, numbers: Sequence[int]) -> None:
    rows: dict[Table, list[Row]] = {}
    for number in numbers:
        for table, row in _rows(number):
            rows.setdefault(table, []).append(row)
    with writing(engine) as connection:
        for table in (CUSTOMERS, ORDER_LINES, FINDINGS, REMEDIES, REMEDY_FINDINGS, MAILS, OUTBOX, POSTINGS, SPENDINGS):
            connection.execute(insert(table), rows[table])
        note(connection, Author("run run", MORNING), [change for number in numbers for change in _births(number)])
        note(connection, Author("payer", MORNING), [change for number in numbers for change in _steps(number)])


def _remedy(number: int) -> str:
    return content_id(order_line_id=f"line-{number}", payout_number="1")


def _item(number: int, kind: str) -> str:
    return content_id(remedy_id=_remedy(number), kind=kind)


def _births(number: int) -> Iterator[Change]:
    yield Change("remedy", _remedy(number), None, "approved", "The picture stood still for nine seconds.")
    yield from (Change("outbox", _item(number, kind), None, "approved", kind) for kind in STEPS)


def _steps(number: int) -> Iterator[Change]:
    for kind, steps in STEPS.items():
        yield from (Change("outbox", _item(number, kind), before, after, "done") for before, after in steps)


def _rows(number: int) -> Iterator[tuple[Table, Row]]:
    line, customer, remedy = f"line-{number}", f"customer-{number}", _remedy(number)
    person = {"email": f"c{number}@example.com", "name": f"Ilse Lund{number}", "locale": "en", "timezone": "UTC"}
    yield CUSTOMERS, {"customer_id": customer, "voice": "plain", **person}
    yield ORDER_LINES, _line(line, customer)
    finding = {"finding_id": content_id(kind="playback_stalls", subject_type="session", subject_id=f"S-{number}")}
    yield FINDINGS, {**finding, **_finding(number, line, customer)}
    yield REMEDIES, {"remedy_id": remedy, "order_line_id": line, "customer_id": customer, **_DECIDED}
    yield REMEDY_FINDINGS, {"remedy_id": remedy, **finding, "evidence": {"stall_ms": 9_000}}
    yield MAILS, {"remedy_id": remedy, "message_id": remedy, "language": "en", **_SAID}
    for kind, state, amount, currency in (("refund", "settled", 200, "USD"), ("mail", "sent", None, None)):
        item = {"outbox_id": _item(number, kind), "remedy_id": remedy, "kind": kind, "state": state, "attempts": 1}
        yield OUTBOX, {**item, "amount_minor": amount, "currency": currency, "not_before": 0, "claimed_at": MORNING}
    for event, debit, credit in (
        ("approved", "expense:goodwill_and_refunds", f"owed:{line}"),
        ("sent", f"owed:{line}", "provider:stripe"),
    ):
        transfer = {"transaction_id": content_id(remedy_id=remedy, event=event), "remedy_id": remedy, "currency": "USD"}
        yield POSTINGS, {**transfer, "account": debit, "amount_minor": 200, "posted_at": MORNING}
        yield POSTINGS, {**transfer, "account": credit, "amount_minor": -200, "posted_at": MORNING}
    yield SPENDINGS, {"budget_id": "day", "remedy_id": remedy, "amount": 200}


def _line(line: str, customer: str) -> Row:
    paid = {"amount_minor": 299, "shipping_minor": 0, "currency": "USD", "owed_minor": 200, "purchased_at": MORNING}
    item = {"kind": "rental", "item_id": "casablanca", "title": "Casablanca", "quantity": 1}
    return {"order_line_id": line, "order_id": line, "customer_id": customer, **paid, **item}


def _finding(number: int, line: str, customer: str) -> Row:
    about = {"kind": "playback_stalls", "subject_type": "session", "subject_id": f"S-{number}", "severity": 0.8}
    when = {"occurred_from": MORNING, "occurred_to": MORNING, "as_of": MORNING, "figures_sha256": "0" * 64}
    said = {"evidence": {"stall_ms": 9_000}, "fault": "unknown", "detector_version": "1", "content_id": "casablanca"}
    return {"order_line_id": line, "customer_id": customer, **about, **when, **said}


_DECIDED: Final[Row] = {
    "number": 1,
    "actions": [{"kind": "refund", "amount_minor": 200, "service_level": None}],
    "amount": 200,
    "currency": "USD",
    "policy_sha256": POLICY,
    "reason": "The picture stood still for nine seconds.",
    "state": "approved",
    "as_of": MORNING,
    "evidence_sha256": "e" * 64,
    "run_id": "run",
    "refund_reserved": True,
    "goods_reserved": False,
}
_SAID: Final[Row] = {"subject": "Our apology, and your refund of $2.00", "text": LETTER, "html": PAGE}


if __name__ == "__main__":
    write_ledger(sys.argv[1], int(sys.argv[2]))
