"""Scans and contacts in the ledger: written as they come, read beside the promise of every order line of goods.

A nightly file holds that night's scans only; what earlier nights brought stays
here, so that a parcel which fell silent last week is not taken for one that was
never sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl
from sqlalchemy import ColumnElement, Engine, Select, and_, func, select

from detectors.finding import content_id
from detectors.incidents import MIXUPS
from detectors.schemas import CONTACTS as CONTACT_COLUMNS
from detectors.schemas import PROMISES, TRACKING, complete
from remediation.database import writing
from remediation.durations import DAY_MS
from remediation.ledger.forgotten import PLACELESS, forgotten_among, parcels_of_forgotten
from remediation.ledger.sql import chunks, insert_new
from remediation.ledger.tables import CONTACTS, CUSTOMERS, ORDER_LINES, SCANS

CHUNK_LINES: Final = 10_000
"""Order lines that are judged together: some megabytes, however large the order book."""

LOOKBACK_MS: Final = 180 * DAY_MS
"""How long an order line is judged: half a year after it was bought, nobody waits for it any more."""


class Bounds(NamedTuple):
    """The first and the last order line of a chunk, by id."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Parcels:
    """What is known of a chunk of order lines.

    `promises` is `schemas.PROMISES` and `orders_known` (order lines of the customer),
    `scans` is `schemas.TRACKING`; `contacts` (`schemas.CONTACTS`) are all of these
    customers, `mixups` all of these items.
    """

    promises: pl.DataFrame
    scans: pl.DataFrame
    contacts: pl.DataFrame
    mixups: pl.DataFrame


def record_scans(engine: Engine, scans: pl.DataFrame) -> int:
    """Writes new scans (`schemas.TRACKING`) down; returns how many were new.

    Where the parcels of a forgotten customer were is not taken in.
    """
    rows = [
        {
            "scan_id": content_id(
                tracking_number=row["tracking_number"],
                event_time=str(row["event_time"]),
                status=row["status"],
                reason=row["reason"],
            ),
            **row,
        }
        for row in complete(scans, TRACKING).iter_rows(named=True)
    ]
    with writing(engine) as connection:
        forgotten = parcels_of_forgotten(connection, {row["tracking_number"] for row in rows})
        for row in rows:
            if row["tracking_number"] in forgotten:
                row.update(PLACELESS)
        return insert_new(connection, SCANS, rows)


def record_contacts(engine: Engine, contacts: pl.DataFrame) -> int:
    """Writes new contacts (`schemas.CONTACTS`) down, but of nobody who is forgotten; returns how many were new."""
    rows = complete(contacts, CONTACT_COLUMNS).to_dicts()
    with writing(engine) as connection:
        forgotten = forgotten_among(connection, {row["customer_id"] for row in rows})
        return insert_new(connection, CONTACTS, [row for row in rows if row["customer_id"] not in forgotten])


def goods_chunks(orders: Engine, as_of: int) -> Iterator[Bounds]:
    """Chunks that cover every order line of goods bought in the half year up to `as_of`, shipped or not."""
    last = ""
    lines = select(ORDER_LINES.c.order_line_id).where(_is_judged(as_of))
    while True:
        query = lines.where(ORDER_LINES.c.order_line_id > last).order_by(ORDER_LINES.c.order_line_id).limit(CHUNK_LINES)
        with orders.connect() as connection:
            ids = connection.scalars(query).all()
        if not ids:
            return
        last = ids[-1]
        yield Bounds(ids[0], last)


def read_parcels(ledger: Engine, orders: Engine, bounds: Bounds, as_of: int, mixups: pl.DataFrame) -> Parcels:
    """Everything known up to `as_of` of the order lines of a chunk; `mixups` are those of all items."""
    promises = _promises(ledger, orders, bounds, as_of)
    numbers = promises["tracking_number"].drop_nulls().unique().to_list()
    customers = promises["customer_id"].unique().to_list()
    items = promises["item_id"].unique().to_list()
    scans = [
        select(*(SCANS.c[name] for name in TRACKING)).where(SCANS.c.tracking_number.in_(keys))
        for keys in chunks(numbers)
    ]
    of_contact = [CONTACTS.c[name] for name in CONTACT_COLUMNS]
    contacts = [
        select(*of_contact).where(CONTACTS.c.customer_id.in_(keys), CONTACTS.c.event_time <= as_of)
        for keys in chunks(customers)
    ]
    return Parcels(
        promises=promises.join(_orders_known(orders, customers), on="customer_id", how="left"),
        scans=_frame(ledger, scans, TRACKING),
        contacts=_frame(ledger, contacts, CONTACT_COLUMNS),
        mixups=mixups.filter(pl.col("item_id").is_in(items)),
    )


def _orders_known(orders: Engine, customers: Sequence[str]) -> pl.DataFrame:
    """How many order lines each customer has: a history speaks for a claim."""
    line = ORDER_LINES.c
    queries = [
        select(line.customer_id, func.count()).where(line.customer_id.in_(keys)).group_by(line.customer_id)
        for keys in chunks(customers)
    ]
    return _frame(orders, queries, pl.Schema({"customer_id": pl.String(), "orders_known": pl.Int64()}))


def _is_judged(as_of: int) -> ColumnElement[bool]:
    return and_(ORDER_LINES.c.kind == "goods", ORDER_LINES.c.purchased_at.between(as_of - LOOKBACK_MS, as_of))


def _promises(ledger: Engine, orders: Engine, bounds: Bounds, as_of: int) -> pl.DataFrame:
    """What was promised. Where a forgotten customer lives is not asked for, whoever else may still know it."""
    line = ORDER_LINES.c
    query = (
        select(
            line.order_line_id,
            line.order_id,
            line.customer_id,
            line.item_id,
            line.purchased_at,
            line.promised_date,
            line.tracking_number,
            line.carrier,
            line.ship_to,
            CUSTOMERS.c.timezone,
        )
        .join(CUSTOMERS, CUSTOMERS.c.customer_id == line.customer_id, isouter=True)
        .where(_is_judged(as_of), line.order_line_id.between(*bounds))
        .order_by(line.order_line_id)
    )
    with orders.connect() as connection:
        rows = [row._asdict() for row in connection.execute(query)]
    with ledger.connect() as connection:
        forgotten = forgotten_among(connection, {row["customer_id"] for row in rows})
    known = ({} if row["customer_id"] in forgotten else row["ship_to"] or {} for row in rows)
    return pl.DataFrame([{**row, **place} for row, place in zip(rows, known, strict=True)], schema=PROMISES)


def read_mixups(ledger: Engine, orders: Engine, as_of: int) -> pl.DataFrame:
    """`incidents.MIXUPS`: every report up to `as_of` that another item came than the one that was ordered."""
    reports = select(
        CONTACTS.c.contact_id, CONTACTS.c.order_line_id, CONTACTS.c.received_item_id, CONTACTS.c.event_time
    ).where(
        CONTACTS.c.topic == "wrong_item",
        CONTACTS.c.event_time <= as_of,
        CONTACTS.c.order_line_id.is_not(None),
        CONTACTS.c.received_item_id.is_not(None),
    )
    with ledger.connect() as connection:
        reported = [row._asdict() for row in connection.execute(reports.order_by(CONTACTS.c.contact_id))]
    line = ORDER_LINES.c
    ordered: dict[str, dict[str, str]] = {}
    with orders.connect() as connection:
        for keys in chunks({row["order_line_id"] for row in reported}):
            query = select(line.order_line_id, line.item_id, line.customer_id).where(line.order_line_id.in_(keys))
            ordered |= {row.order_line_id: row._asdict() for row in connection.execute(query)}
    known = [row | ordered[row["order_line_id"]] for row in reported if row["order_line_id"] in ordered]
    return pl.DataFrame(known, schema=MIXUPS)


def _frame(engine: Engine, queries: Sequence[Select[tuple[object, ...]]], schema: pl.Schema) -> pl.DataFrame:
    rows: list[tuple[object, ...]] = []
    with engine.connect() as connection:
        for query in queries:
            rows += (tuple(row) for row in connection.execute(query))
    return pl.DataFrame(rows, schema=schema, orient="row")
