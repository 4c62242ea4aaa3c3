"""Scans and contacts stay; every promise of goods is read with all that is known of it."""

import polars as pl
import pytest
from sqlalchemy import Engine

from detectors.schemas import CONTACTS, TRACKING, complete
from remediation.imports import import_customers
from remediation.ledger import parcels
from remediation.ledger.parcels import (
    Bounds,
    Parcels,
    goods_chunks,
    read_mixups,
    read_parcels,
    record_contacts,
    record_scans,
)
from tests.remediation.ledger.evenings import MORNING, a_customer, an_order, json_lines, with_orders

BOUGHT = MORNING - 86_400_000


def scan(number: str, at: int = MORNING, status: str = "in_transit", **fields: object) -> pl.DataFrame:
    return complete(pl.DataFrame([{"tracking_number": number, "event_time": at, "status": status, **fields}]), TRACKING)


def contact(contact_id: str, customer_id: str, line: str | None, at: int = MORNING, **fields: object) -> pl.DataFrame:
    row = {"contact_id": contact_id, "customer_id": customer_id, "order_line_id": line, "event_time": at, **fields}
    return complete(pl.DataFrame([{"topic": "wrong_item", **row}]), CONTACTS)


def goods(order_line_id: str, **fields: object) -> dict[str, object]:
    return an_order(order_line_id, **{"kind": "goods", "purchased_at": BOUGHT, **fields})


def known(ledger: Engine, bounds: Bounds) -> Parcels:
    return read_parcels(ledger, ledger, bounds, MORNING, read_mixups(ledger, ledger, MORNING))


def test_a_scan_is_written_once(ledger: Engine) -> None:
    assert record_scans(ledger, scan("T-1")) == 1
    assert record_scans(ledger, scan("T-1")) == 0
    assert record_scans(ledger, scan("T-1", reason="did_not_occur")) == 1


def test_a_promise_is_read_whether_or_not_it_was_ever_scanned(ledger: Engine) -> None:
    with_orders(
        ledger,
        goods("OL-1", tracking_number="T-1", ship_to={"country": "US", "lat": 40.0, "lon": -75.0}),
        goods("OL-2"),
        an_order("OL-3"),
    )
    import_customers(ledger, json_lines(a_customer(timezone="Asia/Tokyo")), "customers.jsonl")
    record_scans(ledger, pl.concat([scan("T-1"), scan("T-9")]))
    (bounds,) = goods_chunks(ledger, MORNING)
    read = known(ledger, bounds)
    assert read.promises["order_line_id"].to_list() == ["OL-1", "OL-2"]
    assert read.promises.select("country", "lat", "timezone").rows() == [
        ("US", 40.0, "Asia/Tokyo"),
        (None, None, "Asia/Tokyo"),
    ]
    assert read.scans["tracking_number"].to_list() == ["T-1"]


def test_an_order_of_tomorrow_is_not_yet_a_promise(ledger: Engine) -> None:
    with_orders(ledger, goods("OL-1", purchased_at=MORNING + 1))
    assert list(goods_chunks(ledger, MORNING)) == []


def test_an_order_of_last_year_is_judged_no_more(ledger: Engine) -> None:
    with_orders(ledger, goods("OL-1", purchased_at=MORNING - parcels.LOOKBACK_MS - 1))
    assert list(goods_chunks(ledger, MORNING)) == []


def test_chunks_cover_every_line_once(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "CHUNK_LINES", 2)
    with_orders(ledger, *(goods(f"OL-{number}") for number in range(5)))
    bounds = list(goods_chunks(ledger, MORNING))
    lines = [line for each in bounds for line in known(ledger, each).promises["order_line_id"]]
    assert len(bounds) == 3
    assert lines == [f"OL-{number}" for number in range(5)]


def test_contacts_are_the_customers_and_mixups_everybodys(ledger: Engine) -> None:
    with_orders(
        ledger,
        goods("OL-1", item_id="decaf"),
        goods("OL-2", item_id="decaf", customer_id="C-2"),
        goods("OL-3", item_id="tea"),
    )
    record_contacts(ledger, contact("M-1", "C-1", None, topic="other"))
    record_contacts(ledger, contact("M-2", "C-2", "OL-2", received_item_id="coffee"))
    record_contacts(ledger, contact("M-3", "C-1", "OL-1", received_item_id="coffee", at=MORNING + 1))
    record_contacts(ledger, contact("M-4", "C-9", "OL-9", received_item_id="coffee"))
    (bounds,) = goods_chunks(ledger, MORNING)
    read = known(ledger, bounds)
    assert read.contacts["contact_id"].sort().to_list() == ["M-1", "M-2"]
    assert read.mixups.rows(named=True) == [
        {
            "contact_id": "M-2",
            "order_line_id": "OL-2",
            "customer_id": "C-2",
            "item_id": "decaf",
            "received_item_id": "coffee",
            "event_time": MORNING,
        }
    ]
