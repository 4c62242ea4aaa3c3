"""Names and addresses stand in `customers` alone: none of them in what is reviewed, logged, explained or sent."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import Column, ColumnElement, Connection, Text, and_, cast, func, or_, select

from remediation.ledger.control_tables import AUDIT, BLOCKS, CLAIMS, FORGOTTEN, REVIEWS, SESSION_PRINTS
from remediation.ledger.sql import chunks
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import (
    CONTACTS,
    CUSTOMERS,
    DECLINED,
    FINDINGS,
    GRANTS,
    MAILS,
    ORDER_LINES,
    OUTBOX,
    REMEDIES,
    REMEDY_FINDINGS,
    RUNS,
    TICKET_CHANGES,
    TICKETS,
)
from remediation.mail import ERASED
from remediation.verifying.breach import Breach, key

PAGE_ROWS: Final = 10_000
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),:;@]+@[^\s<>\"'(),:;@]+\.[^\s<>\"'(),:;@.]+")

_WORDS: Final = (
    REMEDIES.c.reason,
    DECLINED.c.reason,
    OUTBOX.c.problem,
    FINDINGS.c.evidence,
    REMEDY_FINDINGS.c.evidence,
    CLAIMS.c.findings,
    RUNS.c.trips,
    AUDIT.c.actor,
    AUDIT.c.reason,
    REVIEWS.c.actor,
    REVIEWS.c.reason,
    BLOCKS.c.reason,
    TICKETS.c.cohort,
    TICKETS.c.claim,
    TICKETS.c.suggested_action,
    TICKET_CHANGES.c.reason,
    TICKET_CHANGES.c.actor,
)
"""Texts that people or detectors write."""
_SHORT_NAME: Final = 2
"""Signs of a name that may be part of an ordinary word, in scripts without spaces between words."""

_MAILED: Final = (MAILS, SURVEYS)


def addresses(connection: Connection, _now: int) -> Iterator[Breach]:
    """Texts of the ledger that hold a customer's address. What a member of staff is called is no customer's."""
    for text in _WORDS:
        keys = tuple(text.table.primary_key.columns)
        with_sign = select(*keys, cast(text, Text)).where(cast(text, Text).contains("@"))
        found: dict[str, Iterable[object]] = {}
        for row in connection.execute(with_sign.execution_options(yield_per=PAGE_ROWS)):
            for address in _ADDRESS.findall(row[-1]):
                found.setdefault(address.rstrip(".").lower(), row[:-1])
        for address in _customers(connection, found):
            yield _breach(text, found[address], "holds a customer's address")


def mailed(connection: Connection, _now: int) -> Iterator[Breach]:
    """Mails that hold the address or the name of their recipient. A title that is the name is the catalogue's."""
    named = and_(_is_telling(), ~_holds(connection, cast(ORDER_LINES.c.title, Text), CUSTOMERS.c.name))
    whose = CUSTOMERS.c.customer_id == REMEDIES.c.customer_id
    for table in _MAILED:
        query = select(table.c.remedy_id).select_from(table.join(REMEDIES).join(CUSTOMERS, whose).join(ORDER_LINES))
        for text in (table.c.subject, table.c.text, table.c.html):
            name = and_(named, _holds(connection, text, CUSTOMERS.c.name))
            holds = or_(_holds(connection, text, CUSTOMERS.c.email), name)
            for remedy_id in connection.scalars(query.where(holds)):
                yield _breach(text, (remedy_id,), "holds its recipient's name or address")


def names(connection: Connection, _now: int) -> Iterator[Breach]:
    """Reasons, evidence and log rows that hold the name of the customer whom they are about."""
    remedy = REMEDIES.c
    about: tuple[tuple[Column[str], ColumnElement[bool]], ...] = (
        (remedy.reason, remedy.customer_id == CUSTOMERS.c.customer_id),
        (DECLINED.c.reason, DECLINED.c.customer_id == CUSTOMERS.c.customer_id),
        (FINDINGS.c.evidence, FINDINGS.c.customer_id == CUSTOMERS.c.customer_id),
        (CLAIMS.c.findings, CLAIMS.c.customer_id == CUSTOMERS.c.customer_id),
    )
    for text, is_theirs in about:
        keys = tuple(text.table.primary_key.columns)
        query = select(*keys).join(CUSTOMERS, is_theirs).where(_is_telling())
        for row in connection.execute(query.where(_holds(connection, cast(text, Text), CUSTOMERS.c.name))):
            yield _breach(text, row, "holds its customer's name")
    logged = (
        select(AUDIT.c.number)
        .join(REMEDIES, and_(AUDIT.c.entity == "remedy", AUDIT.c.entity_id == remedy.remedy_id))
        .join(CUSTOMERS, CUSTOMERS.c.customer_id == remedy.customer_id)
        .where(_is_telling(), _holds(connection, AUDIT.c.reason, CUSTOMERS.c.name))
    )
    for number in connection.scalars(logged):
        yield _breach(AUDIT.c.reason, (number,), "holds its customer's name")


def forgotten(connection: Connection, _now: int) -> Iterator[Breach]:
    """What is left, or has come back, of customers who are forgotten."""
    remedy, line = REMEDIES.c, ORDER_LINES.c
    left = {
        CUSTOMERS: CUSTOMERS.c.customer_id == FORGOTTEN.c.customer_id,
        CONTACTS: CONTACTS.c.customer_id == FORGOTTEN.c.customer_id,
        GRANTS: GRANTS.c.customer_id == FORGOTTEN.c.customer_id,
        SESSION_PRINTS: SESSION_PRINTS.c.customer_id == FORGOTTEN.c.customer_id,
        CLAIMS: CLAIMS.c.customer_id == FORGOTTEN.c.customer_id,
        ORDER_LINES: and_(line.customer_id == FORGOTTEN.c.customer_id, line.ship_to.is_not(None)),
    }
    for table, is_left in left.items():
        for row in connection.execute(select(*table.primary_key.columns).join(FORGOTTEN, is_left)):
            yield Breach(table.name, key(row), "its customer is forgotten")
    for table in _MAILED:
        told = table.join(REMEDIES).join(FORGOTTEN, FORGOTTEN.c.customer_id == remedy.customer_id)
        for remedy_id in connection.scalars(select(table.c.remedy_id).select_from(told).where(table.c.text != ERASED)):
            yield Breach(table.name, remedy_id, "its customer is forgotten")


def _customers(connection: Connection, addresses: Iterable[str]) -> Iterator[str]:
    """Those of the addresses, in small letters, that are a customer's."""
    address = func.lower(CUSTOMERS.c.email)
    for keys in chunks(list(addresses)):
        yield from connection.scalars(select(address).distinct().where(address.in_(keys)))


def _is_telling() -> ColumnElement[bool]:
    """Whether a name is more than an ordinary word such as May or Rose: two words, or three signs of another script."""
    name = CUSTOMERS.c.name
    return or_(name.contains(" "), and_(func.length(name) > _SHORT_NAME, name.regexp_match("[^ -~]")))


def _holds(connection: Connection, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
    find = func.strpos if connection.dialect.name == "postgresql" else func.instr
    return find(text, part) > 0


def _breach(text: Column[str], of_row: Iterable[object], problem: str) -> Breach:
    return Breach(text.table.name, key(of_row), f"its {text.name} {problem}")
