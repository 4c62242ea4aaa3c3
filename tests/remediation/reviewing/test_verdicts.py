"""Held remedies: one person up to a sum, two above it, and never more than was paid."""

import pytest
from sqlalchemy import Engine

from remediation.ledger.audit import Author, history
from remediation.ledger.postings import unbalanced
from remediation.ledger.tables import ORDER_LINES, OUTBOX, POSTINGS, REMEDIES, STOCK
from remediation.remedy import Action
from remediation.reviewing.cases import list_cases, show_case
from remediation.reviewing.verdicts import ReviewError, approve, reject
from tests.remediation.ledger.evenings import (
    MORNING,
    a_remedy,
    an_order,
    in_stock,
    owed,
    record_night,
    rows,
    with_orders,
)
from tests.remediation.outbox.senders import Gateway, Mailbox, send, states

ADA, BEN = Author("person ada", MORNING + 1), Author("person ben", MORNING + 2)
HELD = a_remedy(state="held")


def hold(ledger: Engine, amount: int = 299) -> str:
    """One held remedy; the built-in policy wants a second person above 30 USD."""
    with_orders(ledger, an_order(amount_minor=amount))
    remedy = a_remedy(refund=amount, state="held")
    record_night(ledger, owed(remedy))
    return remedy.remedy_id


def balances(ledger: Engine) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows(ledger, POSTINGS):
        found[row["account"]] = found.get(row["account"], 0) + row["amount_minor"]
    return found


def test_what_is_held_is_on_the_list_with_its_reason(ledger: Engine) -> None:
    remedy_id = hold(ledger)
    (case,) = list_cases(ledger)
    assert (case.case_id, case.what, case.reason) == (remedy_id, "remedy", HELD.reason)


def test_one_person_approves_a_small_sum_and_it_is_sent(ledger: Engine) -> None:
    remedy_id = hold(ledger)
    assert approve(ledger, remedy_id, ADA, "seen the recording") == "approved"
    gateway, mailbox = Gateway(), Mailbox()
    send(ledger, gateway, mailbox, MORNING + 3)
    assert (len(gateway.made), len(mailbox.taken)) == (1, 1)
    assert (list_cases(ledger), unbalanced(ledger)) == ((), ())


def test_a_large_sum_needs_two_different_people(ledger: Engine) -> None:
    remedy_id = hold(ledger, 3_001)
    assert approve(ledger, remedy_id, ADA, "looks right") == "endorsed"
    assert states(ledger) == []
    with pytest.raises(ReviewError, match=r"30\.01 USD need a second person, and person ada was the first"):
        approve(ledger, remedy_id, ADA, "still looks right")
    assert show_case(ledger, remedy_id).verdicts == ("endorsed by person ada: looks right",)
    assert approve(ledger, remedy_id, BEN, "I agree") == "approved"
    assert states(ledger) == [("mail", "approved"), ("refund", "approved")]


def test_exactly_the_sum_needs_one(ledger: Engine) -> None:
    assert approve(ledger, hold(ledger, 3_000), ADA, "fine") == "approved"


def test_goods_count_with_their_price(ledger: Engine) -> None:
    with_orders(ledger, an_order(kind="goods", amount_minor=3_001))
    in_stock(ledger, 1)
    remedy = a_remedy(actions=[Action("replacement")], state="held")
    record_night(ledger, owed(remedy))
    assert approve(ledger, remedy.remedy_id, ADA, "broken on arrival") == "endorsed"


def test_nobody_approves_more_than_was_paid(ledger: Engine) -> None:
    with_orders(ledger, an_order(amount_minor=200))
    remedy = a_remedy(refund=201)
    assert record_night(ledger, owed(remedy)).held == (remedy.remedy_id,)
    with pytest.raises(ReviewError, match="does not fit what was paid"):
        approve(ledger, remedy.remedy_id, ADA, "generous")
    assert [row["owed_minor"] for row in rows(ledger, ORDER_LINES)] == [0]
    assert [row["state"] for row in rows(ledger, REMEDIES)] == ["held"]


def test_what_was_out_of_stock_is_approved_once_it_is_there(ledger: Engine) -> None:
    with_orders(ledger, an_order(kind="goods"))
    remedy = a_remedy(actions=[Action("replacement")])
    record_night(ledger, owed(remedy))
    with pytest.raises(ReviewError, match="import the stock"):
        approve(ledger, remedy.remedy_id, ADA, "send it")
    in_stock(ledger, 1)
    assert approve(ledger, remedy.remedy_id, ADA, "send it") == "approved"
    assert [row["promised"] for row in rows(ledger, STOCK)] == [1]


@pytest.mark.parametrize("again", [approve, reject], ids=["approve", "reject"])
def test_what_was_approved_and_sent_is_beyond_a_verdict(ledger: Engine, again: object) -> None:
    remedy_id = hold(ledger)
    approve(ledger, remedy_id, ADA, "fine")
    send(ledger, Gateway(), Mailbox(), MORNING + 3)
    with pytest.raises(ReviewError):
        again(ledger, remedy_id, BEN, "again")  # type: ignore[operator]


@pytest.mark.parametrize("state", ["held", "approved"])
def test_a_rejected_remedy_frees_what_was_set_aside_and_is_never_sent(ledger: Engine, state: str) -> None:
    with_orders(ledger, an_order(kind="goods"))
    in_stock(ledger, 3)
    remedy = a_remedy(actions=[Action("refund", 299), Action("replacement")], state=state)
    record_night(ledger, owed(remedy))
    reject(ledger, remedy.remedy_id, ADA, "the agent has paid already")
    assert [row["owed_minor"] for row in rows(ledger, ORDER_LINES)] == [0]
    assert [row["promised"] for row in rows(ledger, STOCK)] == [0]
    assert {row["state"] for row in rows(ledger, OUTBOX)} <= {"cancelled"}
    assert set(balances(ledger).values()) <= {0}
    gateway = Gateway()
    send(ledger, gateway, Mailbox(), MORNING + 3)
    assert gateway.made == []


def test_a_stock_that_was_counted_anew_gives_nothing_back_twice(ledger: Engine) -> None:
    with_orders(ledger, an_order(kind="goods"))
    in_stock(ledger, 3)
    remedy = a_remedy(actions=[Action("replacement")])
    record_night(ledger, owed(remedy))
    in_stock(ledger, 2)
    reject(ledger, remedy.remedy_id, ADA, "a mistake")
    assert [(row["available"], row["promised"]) for row in rows(ledger, STOCK)] == [(2, 0)]


def test_every_verdict_has_a_reason_and_stands_in_the_log(ledger: Engine) -> None:
    remedy_id = hold(ledger)
    with pytest.raises(ReviewError, match="given for a reason"):
        approve(ledger, remedy_id, ADA, " \n ")
    approve(ledger, remedy_id, ADA, "seen\nthe recording")
    with ledger.connect() as connection:
        last = history(connection, "remedy", remedy_id)[-1]
    assert (last.before, last.after, last.actor, last.reason) == (
        "held",
        "approved",
        "person ada",
        "seen the recording",
    )


def test_a_currency_without_limits_always_needs_two(ledger: Engine) -> None:
    with_orders(ledger, an_order(currency="ISK", amount_minor=1))
    remedy = a_remedy(refund=1, currency="ISK", state="held")
    record_night(ledger, owed(remedy))
    assert approve(ledger, remedy.remedy_id, ADA, "one krona") == "endorsed"


def test_a_verdict_on_nothing_says_where_to_look(ledger: Engine) -> None:
    with pytest.raises(ReviewError, match="there is no remedy nobody: see makegood review list"):
        approve(ledger, "nobody", ADA, "why not")
