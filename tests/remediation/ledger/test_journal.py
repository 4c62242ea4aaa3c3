import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from remediation.database import writing
from remediation.ledger.book import SqlBook
from remediation.ledger.journal import Recorded, UnknownOrderLineError, record
from remediation.ledger.postings import unbalanced
from remediation.ledger.resolution import Resolution
from remediation.ledger.tables import (
    DECLINED,
    FINDINGS,
    MAILS,
    ORDER_LINES,
    OUTBOX,
    POSTINGS,
    REMEDIES,
    REMEDY_FINDINGS,
    RUNS,
)
from remediation.remedy import Action, Remedy
from tests.remediation.ledger.evenings import (
    GENEROUS,
    MORNING,
    a_finding,
    a_mail,
    a_remedy,
    a_run,
    an_order,
    count,
    declined,
    in_stock,
    owed,
    record_night,
    rows,
    with_orders,
)
from tests.support.examples import examples
from tests.support.stores import empty_ledger

NOTHING = Recorded(findings=0, remedies=0, remedy_findings=0, declined=0, mails=0, outbox=0, postings=0, held=())


def test_a_refund_leaves_its_whole_trace(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    remedy = a_remedy()
    recorded = record_night(ledger, owed(remedy, not_before=MORNING + 1))
    assert recorded == Recorded(
        findings=1, remedies=1, remedy_findings=1, declined=0, mails=1, outbox=2, postings=2, held=()
    )
    assert {(row["kind"], row["state"], row["amount_minor"], row["not_before"]) for row in rows(ledger, OUTBOX)} == {
        ("refund", "approved", 299, 0),
        ("mail", "approved", None, MORNING + 1),
    }
    assert {(row["account"], row["amount_minor"], row["posted_at"]) for row in rows(ledger, POSTINGS)} == {
        ("expense:goodwill_and_refunds", 299, MORNING),
        ("owed:OL-1", -299, MORNING),
    }
    assert rows(ledger, REMEDY_FINDINGS)[0]["evidence"] == {"stall_ms": 9_000}
    assert rows(ledger, MAILS)[0]["html"] == a_mail(remedy).html


def test_the_same_night_again_writes_nothing(ledger: Engine) -> None:
    with_orders(ledger, an_order(), an_order("OL-2"))
    night = (owed(a_remedy()), owed(a_remedy("OL-2", state="held")), declined())
    assert not record_night(ledger, *night).nothing_new
    again = record_night(ledger, *reversed(night))
    assert again == NOTHING
    assert again.nothing_new


def test_bundles_recorded_apart_or_twice_give_the_same_ledger(ledger: Engine) -> None:
    with_orders(ledger, an_order(), an_order("OL-2"))
    one, two, three = owed(a_remedy()), owed(a_remedy("OL-2")), declined()
    for bundle in ((two,), (three, two), (one, one), (three, one)):
        record_night(ledger, *bundle)
    assert record_night(ledger, one, two, three) == NOTHING
    assert [count(ledger, table) for table in (RUNS, REMEDIES, DECLINED, OUTBOX, POSTINGS)] == [1, 2, 1, 4, 4]


def test_a_held_remedy_is_kept_with_its_mail_and_sends_nothing(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    recorded = record_night(ledger, owed(a_remedy(state="held")))
    assert (recorded.remedies, recorded.mails, recorded.outbox, recorded.postings) == (1, 1, 0, 0)
    assert recorded.held == ()


def test_what_a_person_decided_meanwhile_stays(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy(state="held")))
    assert record_night(ledger, owed(a_remedy(refund=100, reason="Another view."))) == NOTHING
    (remedy,) = rows(ledger, REMEDIES)
    assert (remedy["state"], remedy["amount"], count(ledger, OUTBOX)) == ("held", 299, 0)


def test_a_decline_keeps_its_reason_and_its_finding(ledger: Engine) -> None:
    record_night(ledger, declined("S-9"))
    (row,) = rows(ledger, DECLINED)
    assert (row["subject_id"], row["code"], row["reason"]) == ("S-9", "no_order", "Nothing was ordered.")
    assert row["finding_ids"] == [rows(ledger, FINDINGS)[0]["finding_id"]]


def test_a_top_up_goes_out_beside_the_first_refund(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy(refund=100)))
    record_night(ledger, owed(a_remedy(refund=199, number=2)), as_of=MORNING + 1)
    assert rows(ledger, ORDER_LINES)[0]["owed_minor"] == 299
    assert Counter(row["kind"] for row in rows(ledger, OUTBOX)) == {"refund": 2, "mail": 2}


def test_goods_are_approved_and_credits_wait_for_a_person(ledger: Engine) -> None:
    with_orders(ledger, an_order(shipping_minor=500))
    in_stock(ledger, 1)
    actions = [
        Action("refund", amount_minor=99),
        Action("shipping_refund", amount_minor=500),
        Action("credit", amount_minor=50),
        Action("replacement", service_level="next_day"),
    ]
    record_night(ledger, owed(a_remedy(actions=actions)))
    assert {(row["kind"], row["state"], row["amount_minor"]) for row in rows(ledger, OUTBOX)} == {
        ("refund", "approved", 599),
        ("credit", "manual", 50),
        ("replacement", "approved", None),
        ("mail", "approved", None),
    }
    assert rows(ledger, ORDER_LINES)[0]["owed_minor"] == 599


@pytest.mark.parametrize(
    ("order", "remedy", "reason"),
    [
        (
            {},
            a_remedy(refund=300),
            "Held: the refunds of order line OL-1 would come to 300 of 299 USD minor units paid.",
        ),
        ({"currency": "JPY"}, a_remedy(), "Held: order line OL-1 was paid in JPY, and the remedy is in USD."),
        ({"customer_id": "C-2"}, a_remedy(), "Held: order line OL-1 belongs to another customer than the remedy."),
    ],
    ids=["more than paid", "other currency", "other customer"],
)
def test_a_refund_that_the_order_does_not_cover_is_held(
    ledger: Engine, order: dict[str, Any], remedy: Remedy, reason: str
) -> None:
    with_orders(ledger, an_order(**order))
    recorded = record_night(ledger, owed(remedy))
    assert (recorded.held, recorded.outbox, recorded.postings) == ((remedy.remedy_id,), 0, 0)
    assert rows(ledger, REMEDIES)[0]["state"] == "held"
    assert rows(ledger, REMEDIES)[0]["reason"] == f"{reason} The picture stood still for nine seconds."
    assert record_night(ledger, owed(remedy)) == NOTHING


def test_a_remedy_without_its_order_line_stops_the_whole_call(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    with pytest.raises(UnknownOrderLineError, match=r"order line OL-404 .* import or adopt"):
        record_night(ledger, owed(a_remedy()), owed(a_remedy("OL-404")), declined())
    assert [count(ledger, table) for table in (RUNS, FINDINGS, REMEDIES, DECLINED, OUTBOX)] == [0] * 5


def test_the_database_itself_refuses_to_owe_more_than_was_paid(ledger: Engine) -> None:
    with_orders(ledger, an_order())

    def owe(amount: int) -> None:
        with writing(ledger) as connection:
            connection.execute(text("UPDATE order_lines SET owed_minor = :amount"), {"amount": amount})

    owe(299)
    with pytest.raises(IntegrityError, match="owed_within_paid"):
        owe(300)


def test_writers_at_once_never_owe_more_than_was_paid(ledger: Engine) -> None:
    with_orders(ledger, an_order(amount_minor=1_000))

    def top_up(number: int) -> None:
        record_night(ledger, owed(a_remedy(refund=150, number=number), mail=False), as_of=MORNING + number)

    threads = [threading.Thread(target=top_up, args=(number,)) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = Counter(row["state"] for row in rows(ledger, REMEDIES))
    assert states == {"approved": 6, "held": 6}
    assert rows(ledger, ORDER_LINES)[0]["owed_minor"] == 900
    assert sum(row["amount_minor"] for row in rows(ledger, OUTBOX)) == 900


@given(
    amounts=st.lists(
        st.tuples(st.integers(1, 500), st.sampled_from(["USD", "JPY"]), st.booleans()), min_size=1, max_size=12
    )
)
@examples(25)
def test_refunds_of_a_line_stay_within_its_price_and_every_transaction_sums_to_zero(
    amounts: list[tuple[int, str, bool]],
) -> None:
    with empty_ledger() as ledger:
        with_orders(ledger, an_order("OL-USD", amount_minor=900), an_order("OL-JPY", amount_minor=900, currency="JPY"))
        for number, (amount, currency, approved) in enumerate(amounts, start=1):
            state = "approved" if approved else "held"
            remedy = a_remedy(f"OL-{currency}", refund=amount, number=number, currency=currency, state=state)
            for _ in range(2):
                record_night(ledger, owed(remedy))
        assert unbalanced(ledger) == ()
        for currency in ("USD", "JPY"):
            in_currency = [row for row in rows(ledger, OUTBOX) if row["currency"] == currency]
            posted = [row for row in rows(ledger, POSTINGS) if row["account"] == f"owed:OL-{currency}"]
            assert all(row["currency"] == currency for row in posted)
            assert -sum(row["amount_minor"] for row in posted) == sum(row["amount_minor"] for row in in_currency) <= 900


def test_the_book_returns_the_remedy_that_was_recorded(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    in_stock(ledger, 1)
    remedy = a_remedy(actions=[Action("refund", amount_minor=299), Action("replacement", service_level="next_day")])
    record_night(ledger, owed(remedy))
    (entry,) = SqlBook(ledger).remedies_of(["C-1"])["C-1"]
    assert (entry.remedy, entry.as_of, entry.evidence_sha256) == (remedy, MORNING, "e" * 64)


def test_a_mail_id_that_two_remedies_share_is_an_error_and_not_a_lost_mail(ledger: Engine) -> None:
    with_orders(ledger, an_order(), an_order("OL-2"))
    first, second = a_remedy(), a_remedy("OL-2")
    night = [
        Resolution((a_finding(),), remedy, "e" * 64, a_mail(remedy, message_id="same"), not_before=0)
        for remedy in (first, second)
    ]
    with pytest.raises(IntegrityError, match="message_id"):
        record(ledger, a_run(), night, GENEROUS)
    assert count(ledger, REMEDIES) == 0
