"""What may be paid without a person: never more than the limit, and never denied."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from remediation.database import writing
from remediation.ledger.budgets import Caps
from remediation.ledger.control_tables import BUDGETS, SPENDINGS
from remediation.ledger.tables import ORDER_LINES, REMEDIES
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, rows, with_orders
from tests.remediation.outbox.senders import Gateway, Mailbox, send

DAY = 86_400_000


def caps(*, month: int = 10**6, day: int = 10**6, count: int = 100) -> Caps:
    return Caps({"USD": month}, {"USD": day}, count)


def two_rentals(ledger: Engine, limits: Caps, *, later_ms: int = 0) -> list[str]:
    """Two refunds of 299 USD for one customer, one after the other; the state of each."""
    with_orders(ledger, an_order("OL-1"), an_order("OL-2"))
    record_night(ledger, owed(a_remedy("OL-1")), caps=limits)
    record_night(ledger, owed(a_remedy("OL-2")), caps=limits, as_of=MORNING + later_ms)
    by_line = {row["order_line_id"]: row["state"] for row in rows(ledger, REMEDIES)}
    return [by_line["OL-1"], by_line["OL-2"]]


@pytest.mark.parametrize(
    ("limits", "states"),
    [
        (caps(month=598), ["approved", "approved"]),
        (caps(month=597), ["approved", "held"]),
        (caps(day=597), ["approved", "held"]),
        (caps(count=1), ["approved", "held"]),
        (caps(month=298), ["held", "held"]),
        (Caps({}, {}, 9), ["held", "held"]),
    ],
    ids=["all of it", "month", "day", "count", "not even one", "no limit for the currency"],
)
def test_what_does_not_fit_waits_for_a_person(ledger: Engine, limits: Caps, states: list[str]) -> None:
    assert two_rentals(ledger, limits, later_ms=1) == states
    for row in rows(ledger, BUDGETS):
        mine = [each["amount"] for each in rows(ledger, SPENDINGS) if each["budget_id"] == row["budget_id"]]
        assert row["spent"] == sum(mine) <= row["cap"]


def test_a_new_day_has_a_new_budget_and_the_month_goes_on(ledger: Engine) -> None:
    assert two_rentals(ledger, caps(day=299, month=598), later_ms=DAY) == ["approved", "approved"]


def test_each_currency_has_its_own_budgets(ledger: Engine) -> None:
    with_orders(ledger, an_order("OL-1"), an_order("OL-2", currency="JPY"))
    limits = Caps({"USD": 299, "JPY": 299}, {"USD": 299, "JPY": 299}, 2)
    record_night(ledger, owed(a_remedy("OL-1")), owed(a_remedy("OL-2", currency="JPY")), caps=limits)
    assert [row["state"] for row in rows(ledger, REMEDIES)] == ["approved", "approved"]


def test_the_reason_says_which_budget_and_how_much(ledger: Engine) -> None:
    two_rentals(ledger, caps(month=300), later_ms=1)
    held = next(row["reason"] for row in rows(ledger, REMEDIES) if row["state"] == "held")
    assert held.startswith("Held: this customer's budget of 2026-11 is used up (300 USD in minor units)")


def test_a_limit_that_is_lowered_below_what_was_spent_stops_the_rest(ledger: Engine) -> None:
    with_orders(ledger, an_order("OL-1"), an_order("OL-2"))
    record_night(ledger, owed(a_remedy("OL-1")), caps=caps())
    record_night(ledger, owed(a_remedy("OL-2")), caps=caps(month=100), as_of=MORNING + 1)
    assert sorted(row["state"] for row in rows(ledger, REMEDIES)) == ["approved", "held"]
    spent = {row["budget_id"].split(":")[0]: (row["spent"], row["cap"]) for row in rows(ledger, BUDGETS)}
    assert spent["customer"] == (299, 299)


def test_what_is_held_by_a_budget_keeps_its_part_of_the_price_and_sends_nothing(ledger: Engine) -> None:
    two_rentals(ledger, caps(month=299), later_ms=1)
    gateway = Gateway()
    send(ledger, gateway, Mailbox(), MORNING + 2)
    assert len(gateway.made) == 1
    assert [row["owed_minor"] for row in rows(ledger, ORDER_LINES)] == [299, 299]


def test_the_database_itself_refuses_to_overspend(ledger: Engine) -> None:
    two_rentals(ledger, caps())
    with pytest.raises(IntegrityError, match="spent_within_cap"), writing(ledger) as connection:
        connection.execute(text("UPDATE budgets SET spent = cap + 1"))
