"""One person of whom the ledger knows everything that it can know, and somebody else beside her."""

from typing import Final

import polars as pl
from sqlalchemy import Engine

from detectors import schemas
from detectors.finding import Finding, Provenance, Subject
from remediation.imports import import_customers, import_grants, import_orders
from remediation.ledger.audit import Author
from remediation.ledger.parcels import record_contacts, record_scans
from remediation.ledger.prints import record_prints
from tests.remediation.ledger.evenings import EVENING, MORNING, a_customer, an_order, in_stock, json_lines
from tests.remediation.verifying.ledgers import a_due, a_night

NAME: Final = "Ilse Lund"
EMAIL: Final = "ilse.lund@example.com"
LAT, LON, DEPOT = 37.871593, -122.272743, "BERKELEY, CA"
ADA: Final = Author("person ada", MORNING + 10)
ILSE: Final = a_customer("C-1", email=EMAIL, name=NAME, timezone="Europe/London")
HOME: Final = {"country": "US", "lat": LAT, "lon": LON}
PARCEL: Final = {"kind": "goods", "shipping_minor": 499, "tracking_number": "T-1", "ship_to": HOME}


def astray(order_line_id: str = "parcel", customer_id: str = "C-1") -> Finding:
    """Her parcel was left far from her door."""
    return Finding(
        kind="misdelivered",
        subject=Subject("order_line", order_line_id),
        severity=0.8,
        occurred_from=EVENING,
        occurred_to=EVENING,
        evidence={"distance_m": 430, "delivered_at": EVENING, "voice": "warm"},
        fault="carrier",
        detector_version="1",
        customer_id=customer_id,
        order_line_id=order_line_id,
    )


def a_known_person(ledger: Engine) -> Engine:
    """A film that is to be paid, a parcel that went astray, a held remedy; and all that was ever noted of her."""
    import_customers(ledger, json_lines(ILSE, a_customer("C-2", name="Rick Blaine")), "customers.jsonl")
    import_orders(
        ledger,
        json_lines(
            *map(an_order, ("film", "held")),
            an_order("parcel", **PARCEL),
            an_order("else", customer_id="C-2", kind="goods", tracking_number="T-2", ship_to=HOME),
        ),
        "orders.jsonl",
    )
    grants = (a_grant("S-1", "film"), a_grant("S-2", "else", customer_id="C-2"))
    import_grants(ledger, json_lines(*grants), "grants.jsonl")
    record_scans(ledger, pl.concat([a_scan("T-1"), a_scan("T-2")]))
    record_contacts(ledger, pl.concat([a_contact("K-1", "C-1", "parcel"), a_contact("K-2", "C-2", "else")]))
    record_prints(ledger, MORNING, [a_print("S-1", "C-1"), a_print("S-2", "C-2")])
    in_stock(ledger, 9)
    a_night(
        ledger,
        a_due("film", refund=200),
        a_due("held", state="held"),
        a_due("parcel", refund=299, findings=(astray(),)),
        a_due("else", refund=100, customer_id="C-2", findings=(astray("else", "C-2"),)),
    )
    return ledger


def a_grant(session_id: str, order_line_id: str, customer_id: str = "C-1") -> dict[str, object]:
    return {
        "session_id": session_id,
        "customer_id": customer_id,
        "order_line_id": order_line_id,
        "granted_at": EVENING,
    }


def a_scan(number: str, at: int = EVENING) -> pl.DataFrame:
    row = {"tracking_number": number, "event_time": at, "status": "delivered", "lat": LAT, "lon": LON, "depot": DEPOT}
    return schemas.complete(pl.DataFrame([row]), schemas.TRACKING)


def a_contact(contact_id: str, customer_id: str, order_line_id: str) -> pl.DataFrame:
    row = {
        "contact_id": contact_id,
        "customer_id": customer_id,
        "order_line_id": order_line_id,
        "event_time": EVENING,
        "topic": "not_received",
        "voice": "warm",
    }
    return schemas.complete(pl.DataFrame([row]), schemas.CONTACTS)


def a_print(session_id: str, customer_id: str) -> Finding:
    """A failed visit with a fingerprint."""
    return Finding(
        kind="playback_stalls",
        subject=Subject("session", session_id),
        severity=0.5,
        occurred_from=EVENING,
        occurred_to=EVENING,
        evidence={},
        fault="unknown",
        detector_version="1",
        customer_id=customer_id,
        provenance=Provenance(fingerprints=(f"print-{session_id}",)),
    )
