"""Scans and contacts that belong to no order line that we have: nothing is lost, a person or a count tells of them."""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Engine, select

from detectors.finding import Subject
from remediation.ledger.sql import chunks
from remediation.ledger.tables import CONTACTS, ORDER_LINES, SCANS
from remediation.remedy import Declined

ABOUT_PARCELS: Final = ("not_received", "wrong_item", "damaged")


class _Contact(NamedTuple):
    contact_id: str
    customer_id: str
    order_line_id: str | None


def unplaced_parcels(ledger: Engine, orders: Engine) -> int:
    """How many tracking numbers were scanned that no order line names."""
    with ledger.connect() as connection:
        scanned = set(connection.scalars(select(SCANS.c.tracking_number).distinct()))
    with orders.connect() as connection:
        for keys in chunks(sorted(scanned)):
            number = ORDER_LINES.c.tracking_number
            scanned -= set(connection.scalars(select(number).where(number.in_(keys))))
    return len(scanned)


def unplaced_contacts(ledger: Engine, orders: Engine, as_of: int) -> tuple[Declined, ...]:
    """Customers who wrote about a parcel and named no order line of their own: each for a person to look at."""
    query = (
        select(CONTACTS.c.contact_id, CONTACTS.c.customer_id, CONTACTS.c.order_line_id)
        .where(CONTACTS.c.topic.in_(ABOUT_PARCELS), CONTACTS.c.event_time <= as_of)
        .order_by(CONTACTS.c.contact_id)
    )
    with ledger.connect() as connection:
        contacts = [_Contact(*row) for row in connection.execute(query)]
    owners = _owners(orders, {contact.order_line_id for contact in contacts if contact.order_line_id})
    return tuple(
        _for_a_person(contact) for contact in contacts if owners.get(contact.order_line_id or "") != contact.customer_id
    )


def _owners(orders: Engine, order_line_ids: Collection[str]) -> Mapping[str, str]:
    line = ORDER_LINES.c
    found: dict[str, str] = {}
    with orders.connect() as connection:
        for keys in chunks(order_line_ids):
            rows = connection.execute(select(line.order_line_id, line.customer_id).where(line.order_line_id.in_(keys)))
            found |= {row.order_line_id: row.customer_id for row in rows}
    return found


def _for_a_person(contact: _Contact) -> Declined:
    return Declined(
        finding_ids=(),
        subject=Subject("order_line", contact.order_line_id or contact.contact_id),
        outcome="review",
        code="contact_without_order",
        reason=f"Contact {contact.contact_id} is about a parcel, but names no order line of this customer that we have:"
        " find the order, and answer.",
        customer_id=contact.customer_id,
    )
