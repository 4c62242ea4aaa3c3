"""What nobody needs any more goes when its days are over; what an open case needs stays, and the books stand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import polars as pl
import pytest
from sqlalchemy import Engine, insert, update

from detectors.finding import Kind, Subject
from remediation.blocks import block, unblock
from remediation.database import writing
from remediation.gateways.refunds import RefundStatus
from remediation.imports import import_customers, import_grants, import_orders
from remediation.ledger.audit import Author, note
from remediation.ledger.control_tables import AUDIT, CLAIMS, SESSION_PRINTS
from remediation.ledger.parcels import LOOKBACK_MS, record_contacts, record_scans
from remediation.ledger.prints import record_prints
from remediation.ledger.resolution import Resolution
from remediation.ledger.tables import (
    CONTACTS,
    CUSTOMERS,
    DECLINED,
    FINDINGS,
    GRANTS,
    MAILS,
    ORDER_LINES,
    OUTBOX,
    POSTINGS,
    REMEDIES,
    REMEDY_FINDINGS,
    SCANS,
)
from remediation.mail import ERASED
from remediation.policy.load import default_policy
from remediation.remedy import Declined
from remediation.report.explain import explain
from remediation.report.words import KINDS, evidence
from remediation.retention import retain as module
from remediation.retention.needed import needed_lines
from remediation.retention.retain import retain
from remediation.retention.rules import LOOKBACK_DAYS
from remediation.reviewing.cases import close
from remediation.reviewing.verdicts import reject
from remediation.verifying import verify
from tests.remediation.forgetting.persons import a_contact, a_grant, a_print, a_scan, astray
from tests.remediation.ledger.evenings import EVENING, MORNING, a_customer, a_finding, an_order, count, json_lines, rows
from tests.remediation.outbox.senders import Gateway, Mailbox, send
from tests.remediation.verifying.ledgers import a_due, a_night, remedy_of

DAY: Final = 86_400_000
RULES: Final = default_policy().retention
LONG_AGO: Final = 2_000
ADA: Final = Author("person ada", MORNING)


def after(days: int) -> Author:
    """Retention at work, so many days after the morning."""
    return Author("retention", MORNING + days * DAY)


def a_parcel_that_went_astray(ledger: Engine, line: str = "parcel", gateway: Gateway | None = None) -> Engine:
    """Bought, left far from the door, reported, made good and told: all of it over by noon."""
    import_customers(ledger, json_lines(a_customer("C-1")), "customers.jsonl")
    goods = {"kind": "goods", "tracking_number": f"T-{line}", "ship_to": {"country": "US", "lat": 1.5, "lon": 2.5}}
    import_orders(ledger, json_lines(an_order(line, **goods)), "orders.jsonl")
    import_grants(ledger, json_lines(a_grant(f"S-{line}", line)), "grants.jsonl")
    record_scans(ledger, a_scan(f"T-{line}"))
    record_contacts(ledger, a_contact(f"K-{line}", "C-1", line))
    record_prints(ledger, MORNING, [a_print(f"S-{line}", "C-1")])
    a_night(ledger, a_due(line, refund=200, findings=(astray(line),)))
    send(ledger, gateway or Gateway(), Mailbox(), MORNING)
    return ledger


def left(ledger: Engine) -> dict[str, int]:
    """How much of each kind is still there."""
    return {
        "mail texts": sum(row["text"] != ERASED for row in rows(ledger, MAILS)),
        "figures of findings": sum(row["evidence"] != {} for row in rows(ledger, FINDINGS)),
        "figures of remedies": sum(row["evidence"] != {} for row in rows(ledger, REMEDY_FINDINGS)),
        "claims": count(ledger, CLAIMS),
        "contacts": count(ledger, CONTACTS),
        "scans": count(ledger, SCANS),
        "destinations": sum(row["ship_to"] is not None for row in rows(ledger, ORDER_LINES)),
        "grants": count(ledger, GRANTS),
        "session prints": count(ledger, SESSION_PRINTS),
        "customers": count(ledger, CUSTOMERS),
    }


def kept(ledger: Engine) -> set[str]:
    return {what for what, still in left(ledger).items() if still}


DAYS: Final = {
    "mail texts": RULES.mail_texts,
    "figures of findings": RULES.evidence,
    "figures of remedies": RULES.evidence,
    "claims": RULES.evidence,
    "contacts": RULES.contacts,
    "scans": RULES.scans,
    "destinations": RULES.destinations,
    "grants": RULES.grants,
    "session prints": RULES.session_prints,
    "customers": RULES.customers,
}


def test_everything_has_its_days(ledger: Engine) -> None:
    a_parcel_that_went_astray(ledger)
    assert set(left(ledger).values()) == {1}
    for days in sorted(set(DAYS.values())):
        # Everything began in the evening before the morning, so that its last day is over a day earlier.
        retain(ledger, RULES, Author("retention", EVENING - 3_600_000 + days * DAY))
        assert kept(ledger) == {what for what, last in DAYS.items() if last >= days}, days
        retain(ledger, RULES, after(days + 1))
        assert kept(ledger) == {what for what, last in DAYS.items() if last > days}, days


def test_the_books_are_not_touched_and_the_ledger_is_sound(ledger: Engine) -> None:
    a_parcel_that_went_astray(ledger)
    books = {table.name: rows(ledger, table) for table in (REMEDIES, OUTBOX, POSTINGS)}
    mail = {name: rows(ledger, MAILS)[0][name] for name in ("remedy_id", "message_id", "language")}
    retain(ledger, RULES, after(LONG_AGO))
    assert {table.name: rows(ledger, table) for table in (REMEDIES, OUTBOX, POSTINGS)} == books
    assert {name: rows(ledger, MAILS)[0][name] for name in mail} == mail
    verdict = verify(ledger, MORNING + LONG_AGO * DAY)
    assert [outcome for outcome in verdict.outcomes if outcome.count] == []
    told = explain(ledger, "parcel").as_text()
    assert "2.00 USD" in told
    assert ERASED in told


@pytest.mark.parametrize("kind", KINDS)
def test_a_finding_without_its_figures_can_still_be_told(kind: Kind) -> None:
    assert evidence(replace(a_finding(), kind=kind, evidence={}))


def test_what_was_erased_is_told_and_logged_once(ledger: Engine) -> None:
    a_parcel_that_went_astray(ledger)
    before = count(ledger, AUDIT)
    assert retain(ledger, RULES, after(LONG_AGO)) == dict.fromkeys(DAYS, 1)
    logged = rows(ledger, AUDIT)[before:]
    assert [row["reason"] for row in logged] == [f"1 {what}, older than {days} days" for what, days in DAYS.items()]
    assert {(row["entity"], row["entity_id"], row["after"]) for row in logged} == {("control", "retention", "erased")}
    assert retain(ledger, RULES, after(LONG_AGO)) == {}
    assert count(ledger, AUDIT) == before + len(DAYS)


def held(ledger: Engine) -> None:
    a_night(ledger, a_due("parcel", number=2, refund=50, state="held", findings=(astray(),)), as_of=MORNING + DAY)


def in_a_held_run(ledger: Engine) -> None:
    a_night(ledger, a_due("parcel", number=2, refund=50, findings=(astray(),)), as_of=MORNING + DAY, held=True)


def unsent(ledger: Engine) -> None:
    a_night(ledger, a_due("parcel", number=2, refund=50, findings=(astray(),)), as_of=MORNING + DAY)


def blocked(ledger: Engine) -> None:
    block(ledger, "parcel", "dispute", ADA, "the bank says so")


def doubtful(ledger: Engine) -> None:
    declined = {
        "declined_id": "D-1",
        "subject_type": "order_line",
        "subject_id": "parcel",
        "order_line_id": "parcel",
        "finding_ids": [],
        "outcome": "review",
        "code": "fault_unclear",
        "reason": "A person must decide.",
        "run_id": rows(ledger, REMEDIES)[0]["run_id"],
    }
    with writing(ledger) as connection:
        connection.execute(insert(DECLINED).values(declined))


def bought_lately(ledger: Engine) -> None:
    lately = MORNING + (LONG_AGO - LOOKBACK_DAYS) * DAY
    with writing(ledger) as connection:
        connection.execute(update(ORDER_LINES).values(purchased_at=lately))


OPEN: Final = {
    "a held remedy": held,
    "a held run": in_a_held_run,
    "a refund that is not sent": unsent,
    "a block": blocked,
    "a doubtful finding": doubtful,
    "an order line that is still judged": bought_lately,
}


@pytest.mark.parametrize("case", OPEN.values(), ids=OPEN.keys())
def test_an_open_case_keeps_what_it_needs(ledger: Engine, case: Callable[[Engine], None]) -> None:
    a_parcel_that_went_astray(ledger)
    case(ledger)
    before = left(ledger)
    assert retain(ledger, RULES, after(LONG_AGO)) == {"session prints": 1}
    assert left(ledger) == {**before, "session prints": 0}


def test_a_refund_that_has_not_settled_keeps_them_and_one_that_has_does_not(ledger: Engine) -> None:
    gateway = Gateway(status=RefundStatus.PENDING)
    a_parcel_that_went_astray(ledger, gateway=gateway)
    assert retain(ledger, RULES, after(LONG_AGO)) == {"session prints": 1}
    gateway.status = RefundStatus.SUCCEEDED
    send(ledger, gateway, Mailbox(), MORNING + DAY)
    assert "mail texts" in retain(ledger, RULES, after(LONG_AGO))


def test_a_doubtful_visit_of_nobodys_order_keeps_its_figures(ledger: Engine) -> None:
    """A person who is to say whose it was needs them."""
    doubt = Declined(("F",), Subject("session", "S-1"), "review", "several_orders", "Two orders covered it.")
    finding = a_finding("S-1")
    a_night(ledger, Resolution((finding,), declined=replace(doubt, finding_ids=(finding.finding_id,))))
    assert retain(ledger, RULES, after(LONG_AGO)) == {}
    close(ledger, doubt.declined_id, "it was the other one", ADA)
    assert retain(ledger, RULES, after(LONG_AGO)) == {"figures of findings": 1}


def test_a_case_that_is_closed_keeps_nothing(ledger: Engine) -> None:
    a_parcel_that_went_astray(ledger)
    for opened in (held, blocked, doubtful):
        opened(ledger)
    reject(ledger, remedy_of("parcel", 2), ADA, "seen the photo")
    unblock(ledger, "parcel", "dispute", ADA, "the bank has decided")
    close(ledger, "D-1", "seen the photo", ADA)
    assert set(retain(ledger, RULES, after(LONG_AGO))) == set(DAYS)


def a_customer_with(ledger: Engine, **order: Any) -> None:
    import_customers(ledger, json_lines(a_customer("C-1")), "customers.jsonl")
    if order:
        import_orders(ledger, json_lines(an_order(purchased_at=MORNING, **order)), "orders.jsonl")


@pytest.mark.parametrize(
    ("order", "goes"),
    [
        ({"kind": "rental"}, True),
        ({"kind": "rental", "available_until": MORNING + LONG_AGO * DAY}, False),
        ({"kind": "subscription"}, False),
        ({"kind": "subscription", "available_until": MORNING + 30 * DAY}, True),
        ({}, False),
    ],
    ids=["long ago", "can still be watched", "a running subscription", "one that ended", "nothing known"],
)
def test_an_address_goes_when_nothing_was_ordered_for_long(
    ledger: Engine, order: dict[str, object], *, goes: bool
) -> None:
    a_customer_with(ledger, **order)
    retain(ledger, RULES, after(LONG_AGO))
    assert (count(ledger, CUSTOMERS) == 0) is goes


def test_a_long_list_goes_in_portions_each_with_its_row_in_the_log(
    ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION_ROWS", 2)
    monkeypatch.setattr(module, "PASS_ROWS", 3)
    record_scans(ledger, pl.concat([a_scan(f"T-{number}") for number in range(7)]))
    assert retain(ledger, RULES, after(LONG_AGO)) == {"scans": 7}
    assert [row["reason"].split()[0] for row in rows(ledger, AUDIT)] == ["2", "1", "2", "1", "1"]


def test_a_run_that_breaks_off_has_erased_what_the_log_says(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PORTION_ROWS", 2)
    record_scans(ledger, pl.concat([a_scan(f"T-{number}") for number in range(5)]))

    def break_off(*arguments: Any) -> None:
        if count(ledger, AUDIT):
            raise OSError("the disk is full")
        note(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("remediation.retention.retain.note", break_off)
        with pytest.raises(OSError, match="the disk"):
            retain(ledger, RULES, after(LONG_AGO))
    assert (count(ledger, SCANS), count(ledger, AUDIT)) == (3, 1)
    assert retain(ledger, RULES, after(LONG_AGO)) == {"scans": 3}


def test_what_is_judged_is_kept_as_long_as_it_is_judged() -> None:
    assert LOOKBACK_DAYS * DAY == LOOKBACK_MS
    assert min(RULES.contacts, RULES.scans, RULES.destinations, RULES.grants, RULES.customers) >= LOOKBACK_DAYS
    assert set(needed_lines(MORNING).c.keys()) == {"order_line_id", "tracking_number", "customer_id"}
