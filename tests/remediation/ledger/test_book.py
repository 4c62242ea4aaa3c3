from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from detectors.finding import Finding, Subject
from remediation.book import Book, FailedVisit
from remediation.database import open_database, open_order_book, writing
from remediation.imports import import_grants
from remediation.ledger.book import OrderBookError, SqlBook
from remediation.ledger.findings import write_findings
from remediation.orders import OrderLine
from tests.remediation.ledger.evenings import (
    EVENING,
    MORNING,
    a_finding,
    a_remedy,
    an_order,
    json_lines,
    owed,
    record_night,
    with_orders,
)


def grant(session_id: str, order_line_id: str, granted_at: int = 1) -> dict[str, object]:
    return {
        "session_id": session_id,
        "customer_id": "C-1",
        "order_line_id": order_line_id,
        "granted_at": granted_at,
    }


def ids(lines: tuple[OrderLine, ...]) -> list[str]:
    return [line.order_line_id for line in lines]


def test_what_is_not_there_is_absent(ledger: Engine) -> None:
    book: Book = SqlBook(ledger)
    assert book.grants(["S-1"]) == {}
    assert book.order_lines(["OL-1"]) == {}
    assert book.order_lines_of([("C-1", "casablanca")]) == {}
    assert book.subscriptions_of(["C-1"]) == {}
    assert book.customers([]) == {}
    assert book.remedies_of(["C-1"]) == {}


def test_grants_come_by_session_the_earliest_first(ledger: Engine) -> None:
    import_grants(ledger, json_lines(grant("S-1", "OL-2", 9), grant("S-1", "OL-1", 9), grant("S-1", "OL-3", 1)), "g")
    assert [each.order_line_id for each in SqlBook(ledger).grants(["S-1", "S-2"])["S-1"]] == ["OL-3", "OL-1", "OL-2"]


def test_playback_lines_come_by_customer_and_item_and_goods_do_not(ledger: Engine) -> None:
    with_orders(
        ledger,
        an_order("OL-1"),
        an_order("OL-2", kind="purchase"),
        an_order("OL-3", kind="goods"),
        an_order("OL-4", item_id="notorious"),
        an_order("OL-5", customer_id="C-2"),
        an_order("OL-6", kind="subscription", item_id="monthly"),
    )
    book = SqlBook(ledger)
    found = book.order_lines_of([("C-1", "casablanca"), ("C-2", "casablanca"), ("C-2", "notorious")])
    assert {claim: ids(lines) for claim, lines in found.items()} == {
        ("C-1", "casablanca"): ["OL-1", "OL-2"],
        ("C-2", "casablanca"): ["OL-5"],
    }
    assert {customer: ids(lines) for customer, lines in book.subscriptions_of(["C-1", "C-2"]).items()} == {
        "C-1": ["OL-6"]
    }


def test_thousands_of_keys_are_asked_for_at_once(ledger: Engine) -> None:
    with_orders(ledger, *(an_order(f"OL-{number}", customer_id=f"C-{number}") for number in range(1_201)))
    book = SqlBook(ledger)
    assert len(book.order_lines([f"OL-{number}" for number in range(40_000)])) == 1_201
    assert len(book.order_lines_of([(f"C-{number}", "casablanca") for number in range(1_201)])) == 1_201


def test_remedies_come_oldest_first(ledger: Engine) -> None:
    with_orders(ledger, an_order(), an_order("OL-2"))
    record_night(ledger, owed(a_remedy("OL-2", refund=1)), as_of=MORNING + 2)
    record_night(ledger, owed(a_remedy(refund=2, number=2)), as_of=MORNING + 1)
    record_night(ledger, owed(a_remedy(refund=3)))
    entries = SqlBook(ledger).remedies_of(["C-1"])["C-1"]
    assert [entry.remedy.amount for entry in entries] == [3, 2, 1]


def a_failed_visit(session_id: str, customer_id: str | None = "C-1", **fields: Any) -> Finding:
    return a_finding(session_id, customer_id=customer_id, **fields)


class TestFailedVisits:
    """What earlier runs found of a customer, whatever became of it."""

    def recorded(self, ledger: Engine, *findings: Finding, as_of: int = MORNING) -> None:
        with writing(ledger) as connection:
            write_findings(connection, as_of, findings)

    def asked(self, ledger: Engine, *customers: str, since: int = EVENING - 1) -> dict[str, list[str]]:
        found = SqlBook(ledger).failed_visits(customers, since, MORNING + 1)
        return {customer_id: [visit.session_id for visit in visits] for customer_id, visits in found.items()}

    def test_each_session_once_by_customer(self, ledger: Engine) -> None:
        slow = replace(a_failed_visit("S-1"), kind="slow_start", occurred_from=EVENING - 5, order_line_id="OL-1")
        self.recorded(ledger, a_failed_visit("S-1"), slow, a_failed_visit("S-2"))
        self.recorded(ledger, a_failed_visit("S-3", "C-2"), a_failed_visit("S-4", None))
        assert self.asked(ledger, "C-1", "C-2", "C-3") == {"C-1": ["S-1", "S-2"], "C-2": ["S-3"]}
        first = SqlBook(ledger).failed_visits(["C-1"], 0, MORNING + 1)["C-1"][0]
        assert first == FailedVisit("S-1", "OL-1", EVENING - 5)

    def test_neither_old_ones_nor_those_of_this_run_nor_parcels(self, ledger: Engine) -> None:
        self.recorded(ledger, a_failed_visit("old"))
        self.recorded(ledger, replace(a_failed_visit("now"), occurred_from=EVENING + 1), as_of=MORNING + 1)
        self.recorded(ledger, replace(a_failed_visit("parcel"), subject=Subject("order_line", "OL-1")))
        assert self.asked(ledger, "C-1", since=EVENING) == {}
        assert self.asked(ledger, "C-1") == {"C-1": ["old"]}


def test_orders_may_stand_in_a_database_of_their_own(ledger: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('shop') / 'shop.db'}"
    shop = open_database(url)
    with_orders(shop, an_order(title={"ja": "カサブランカ"}))
    shop.dispose()
    with_orders(ledger, an_order(title="Old"))
    record_night(ledger, owed(a_remedy()))
    orders = open_order_book(url)
    book = SqlBook(ledger, orders)
    assert book.order_lines(["OL-1"])["OL-1"].title == {"ja": "カサブランカ"}
    assert book.customers(["C-1"])["C-1"].email == "c-1@example.com"
    assert len(book.remedies_of(["C-1"])["C-1"]) == 1
    orders.dispose()


def test_a_row_that_makes_no_sense_is_named_without_its_content(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    with writing(ledger) as connection:
        connection.execute(text("UPDATE customers SET email = 'rick at example'"))
    with pytest.raises(OrderBookError, match=r"customers, customer_id 'C-1', field email: is not an e-mail") as caught:
        SqlBook(ledger).customers(["C-1"])
    assert "rick" not in str(caught.value)
