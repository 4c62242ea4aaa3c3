"""What identifies a person, table by table."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, delete, or_, select, update

from remediation.ledger.control_tables import CLAIMS, SESSION_PRINTS
from remediation.ledger.forgotten import PLACELESS
from remediation.ledger.sql import affected
from remediation.ledger.survey_tables import SURVEYS, UNSAID
from remediation.ledger.tables import (
    CONTACTS,
    CUSTOMERS,
    FINDINGS,
    GRANTS,
    MAILS,
    ORDER_LINES,
    REMEDIES,
    REMEDY_FINDINGS,
    SCANS,
)
from remediation.mail import ERASED

LOCATING: Final = frozenset({"distance_m", "lat", "lon", "depot", "language", "voice"})
"""Figures of evidence that say where a person lives or how they write; no amount rests on them."""


def erase(connection: Connection, customer_id: str) -> Mapping[str, int]:
    """Erases all of it; returns how many rows of each kind were erased or had something erased in them."""
    line, scan, their_print = ORDER_LINES.c, SCANS.c, SESSION_PRINTS.c
    lines = select(line.order_line_id).where(line.customer_id == customer_id)
    parcels = select(line.tracking_number).where(line.customer_id == customer_id)
    has_place = or_(scan.lat.is_not(None), scan.lon.is_not(None), scan.depot.is_not(None))
    return {
        "customers": affected(connection, delete(CUSTOMERS).where(CUSTOMERS.c.customer_id == customer_id)),
        "contacts": affected(
            connection,
            delete(CONTACTS).where(or_(CONTACTS.c.customer_id == customer_id, CONTACTS.c.order_line_id.in_(lines))),
        ),
        "grants": affected(connection, delete(GRANTS).where(GRANTS.c.customer_id == customer_id)),
        "destinations": affected(
            connection,
            update(ORDER_LINES).where(line.customer_id == customer_id, line.ship_to.is_not(None)).values(ship_to=None),
        ),
        "places of scans": affected(
            connection, update(SCANS).where(scan.tracking_number.in_(parcels), has_place).values(PLACELESS)
        ),
        "session prints": affected(
            connection, update(SESSION_PRINTS).where(their_print.customer_id == customer_id).values(customer_id=None)
        ),
        "claims": affected(connection, delete(CLAIMS).where(CLAIMS.c.customer_id == customer_id)),
        "mails": _mails(connection, customer_id),
        "surveys": affected(
            connection,
            update(SURVEYS).where(SURVEYS.c.customer_id == customer_id, SURVEYS.c.text != ERASED).values(UNSAID),
        ),
        "evidence": _evidence(connection, customer_id),
    }


def _mails(connection: Connection, customer_id: str) -> int:
    """Language and message id stay: that a mail was sent, and under which id, is part of what was done."""
    theirs = select(REMEDIES.c.remedy_id).where(REMEDIES.c.customer_id == customer_id)
    texts = dict.fromkeys(("subject", "text", "html"), ERASED)
    return affected(
        connection, update(MAILS).where(MAILS.c.remedy_id.in_(theirs), MAILS.c.text != ERASED).values(texts)
    )


def _evidence(connection: Connection, customer_id: str) -> int:
    """The digest of a finding's figures stays, so that the same night made again does not bring them back."""
    lines = select(ORDER_LINES.c.order_line_id).where(ORDER_LINES.c.customer_id == customer_id)
    remedies = select(REMEDIES.c.remedy_id).where(REMEDIES.c.customer_id == customer_id)
    theirs = or_(FINDINGS.c.customer_id == customer_id, FINDINGS.c.order_line_id.in_(lines))
    return _without_place(connection, FINDINGS, theirs) + _without_place(
        connection, REMEDY_FINDINGS, REMEDY_FINDINGS.c.remedy_id.in_(remedies)
    )


def _without_place(connection: Connection, table: Table, theirs: ColumnElement[bool]) -> int:
    keys = tuple(table.primary_key.columns)
    count = 0
    for row in connection.execute(select(*keys, table.c.evidence).where(theirs)).all():
        *key, evidence = row
        kept = {name: figure for name, figure in (evidence or {}).items() if name not in LOCATING}
        if kept != (evidence or {}):
            this = (column == value for column, value in zip(keys, key, strict=True))
            connection.execute(update(table).where(*this).values(evidence=kept))
            count += 1
    return count
