"""Nothing of a forgotten customer is taken in again: by no import, no telemetry, and from nobody else's book."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, insert, update

from remediation.forgetting import forget
from remediation.imports import import_customers, import_grants, import_orders
from remediation.ledger.book import SqlBook
from remediation.ledger.control_tables import CLAIMS, SESSION_PRINTS
from remediation.ledger.forgotten import REFUSED
from remediation.ledger.journal import record
from remediation.ledger.parcels import Bounds, read_mixups, read_parcels, record_contacts, record_scans
from remediation.ledger.prints import record_prints
from remediation.ledger.tables import CONTACTS, CUSTOMERS, GRANTS, MAILS, ORDER_LINES, SCANS
from remediation.policy.load import default_policy
from remediation.remedy import Declined
from remediation.resolve import resolve
from remediation.verifying import verify
from tests.remediation.forgetting.persons import (
    ADA,
    DEPOT,
    EMAIL,
    ILSE,
    LAT,
    PARCEL,
    a_contact,
    a_grant,
    a_known_person,
    a_print,
    a_scan,
    astray,
)
from tests.remediation.ledger.evenings import GENEROUS, MORNING, a_customer, a_run, an_order, count, json_lines, rows


@pytest.fixture
def without_her(ledger: Engine) -> Engine:
    """A ledger that has forgotten her."""
    a_known_person(ledger)
    forget(ledger, "C-1", ADA, "request 2026-17")
    return ledger


def refused(*rows: int) -> list[tuple[int, str | None, str]]:
    return [(line, "customer_id", REFUSED) for line in rows]


def test_imports_refuse_her_row_by_row_and_take_the_others(without_her: Engine) -> None:
    customers = import_customers(without_her, json_lines(ILSE, a_customer("C-3")), "customers.jsonl")
    orders = import_orders(
        without_her,
        json_lines(an_order("new", customer_id="C-3"), an_order("film"), an_order("another", **PARCEL)),
        "orders.jsonl",
    )
    grants = import_grants(without_her, json_lines(a_grant("S-1", "film")), "grants.jsonl")
    for imported, lines in ((customers, [1]), (orders, [2, 3]), (grants, [1])):
        assert [(row.line, row.field, row.reason) for row in imported.rejects] == refused(*lines)
        assert EMAIL not in str(imported.rejects)
    assert {row["customer_id"] for row in rows(without_her, CUSTOMERS)} == {"C-2", "C-3"}
    assert {row["order_line_id"] for row in rows(without_her, ORDER_LINES)} == {"film", "held", "parcel", "else", "new"}
    assert [row["session_id"] for row in rows(without_her, GRANTS)] == ["S-2"]


def test_two_rows_of_hers_that_differ_are_refused_for_what_they_are(without_her: Engine) -> None:
    imported = import_customers(without_her, json_lines(ILSE, {**ILSE, "name": "Ilse Laszlo"}), "customers.jsonl")
    assert [row.reason for row in imported.rejects] == [REFUSED, REFUSED]
    assert (imported.rows, imported.duplicates, imported.changed) == (2, 0, 0)


def test_telemetry_brings_neither_her_contacts_nor_her_door(without_her: Engine) -> None:
    assert record_contacts(without_her, a_contact("K-9", "C-1", "parcel")) == 0
    assert record_contacts(without_her, a_contact("K-10", "C-2", "else")) == 1
    assert [row["contact_id"] for row in rows(without_her, CONTACTS)] == ["K-10", "K-2"]
    for number in ("T-1", "T-2"):
        assert record_scans(without_her, a_scan(number, MORNING)) == 1
    places = [(row["tracking_number"], row["lat"], row["depot"]) for row in rows(without_her, SCANS)]
    assert sorted(places, key=str) == [("T-1", None, None)] * 2 + [("T-2", LAT, DEPOT)] * 2


def test_a_copy_of_her_visit_is_known_without_her(without_her: Engine) -> None:
    assert record_prints(without_her, MORNING, [a_print("S-9", "C-1"), a_print("S-8", "C-2")]) == 2
    seen = {row["session_id"]: row["customer_id"] for row in rows(without_her, SESSION_PRINTS)}
    assert (seen["S-9"], seen["S-8"]) == (None, "C-2")


@pytest.fixture
def shop(fresh: Callable[[], Engine]) -> Engine:
    """The service's own order book, in which she still stands."""
    return a_known_person(fresh())


def test_a_finding_leads_to_a_person_and_to_no_mail(without_her: Engine, shop: Engine) -> None:
    """Even where the order book is the service's own and still knows her."""
    import_orders(shop, json_lines(an_order("later", **PARCEL)), "orders.jsonl")
    found = resolve([astray("later")], SqlBook(without_her, shop), default_policy(), MORNING)
    (resolution,) = found
    assert isinstance(resolution.declined, Declined)
    assert (resolution.declined.outcome, resolution.declined.code) == ("review", "unknown_customer")
    assert resolution.mail is None
    record(without_her, a_run(), found, GENEROUS)
    assert count(without_her, CLAIMS) == 1  # of somebody else
    known = resolve([astray("later")], SqlBook(shop), default_policy(), MORNING)
    assert known[0].mail is not None


def test_where_she_lives_is_not_asked_of_a_book_that_knows_it(without_her: Engine, shop: Engine) -> None:
    def read(ledger: Engine) -> dict[str, float | None]:
        mixups = read_mixups(ledger, shop, MORNING)
        promises = read_parcels(ledger, shop, Bounds("a", "z"), MORNING, mixups).promises
        return dict(promises.select("order_line_id", "lat").iter_rows())

    assert read(without_her) == {"else": LAT, "parcel": None}
    assert read(shop) == {"else": LAT, "parcel": LAT}


def test_what_comes_back_past_the_program_is_named(without_her: Engine) -> None:
    customer = {"customer_id": "C-1", "email": EMAIL, "locale": "en", "timezone": "UTC", "voice": "plain"}
    with without_her.begin() as connection:
        connection.execute(insert(CUSTOMERS).values(customer))
        connection.execute(insert(GRANTS).values(a_grant("S-3", "film")))
        connection.execute(update(ORDER_LINES).where(ORDER_LINES.c.order_line_id == "parcel").values(ship_to={}))
        connection.execute(update(MAILS).values(text="Sorry. $2.00 $2.99"))
    named = {
        (breach.table, breach.key)
        for outcome in verify(without_her, MORNING).outcomes
        for breach in outcome.breaches
        if breach.problem == "its customer is forgotten"
    }
    assert {table for table, _ in named} == {"customers", "grants", "order_lines", "mails"}
    assert len(named) == 5
