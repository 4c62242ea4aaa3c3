"""Customers who are forgotten: their ids alone are kept, so that nothing of them is taken in again."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, select

from remediation.ledger.control_tables import FORGOTTEN
from remediation.ledger.sql import chunks
from remediation.ledger.tables import ORDER_LINES

REFUSED: Final = "forgotten_customer: this customer is to be forgotten, so that nothing of them is taken in again"
"""Why a row of an import was not used."""

PLACELESS: Final = {"lat": None, "lon": None, "depot": None}
"""What a scan keeps of its place where its parcel's customer is forgotten."""


def forgotten_among(connection: Connection, customer_ids: Collection[str]) -> frozenset[str]:
    """Those of these customers who are forgotten."""
    found: set[str] = set()
    for keys in chunks(customer_ids):
        found.update(connection.scalars(select(FORGOTTEN.c.customer_id).where(FORGOTTEN.c.customer_id.in_(keys))))
    return frozenset(found)


def parcels_of_forgotten(connection: Connection, tracking_numbers: Collection[str]) -> frozenset[str]:
    """Those of these parcels that went to a customer who is forgotten."""
    line = ORDER_LINES.c
    theirs = select(line.tracking_number).join(FORGOTTEN, FORGOTTEN.c.customer_id == line.customer_id)
    found: set[str] = set()
    for keys in chunks(tracking_numbers):
        found.update(number for number in connection.scalars(theirs.where(line.tracking_number.in_(keys))) if number)
    return frozenset(found)
