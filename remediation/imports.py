"""Reads orders, customers and grants into the ledger from JSON Lines or CSV, one bad row at a time.

JSON Lines: one record of `remediation.orders` a line. CSV: UTF-8, commas, a header
with the same field names, an empty cell for what is unknown. A title stands in
`title`, or by locale in `title.en`, `title.ja` or as JSON text in `title_json`; a
destination in `ship_to.country`, `ship_to.lat`, `ship_to.lon` or as `ship_to_json`.
Which of the two a file is, its content says, not its name.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeVar

from pydantic import BaseModel
from sqlalchemy import Engine, Table, update

from remediation.database import writing
from remediation.ledger.staging import StagedRow, merge
from remediation.ledger.tables import CUSTOMERS, GRANTS, ORDER_LINES, STOCK
from remediation.orders import Customer, Grant, OrderLine, Stock
from remediation.rows import Row, RowReject, parsed_rows

R = TypeVar("R", bound=BaseModel)

LISTED_REJECTS: Final = 10_000
"""Rows of one file that are rejected one by one; of more, nobody reads the reasons, and they fill the memory."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one source.

    `rows` were read, blank lines and a header apart. `changed` of them are new
    in the ledger or changed what it held; `duplicates` repeat another row word
    for word; the others are known already or stand in `rejects`.
    """

    rows: int
    changed: int
    duplicates: int
    rejects: tuple[RowReject, ...]


def import_orders(engine: Engine, stream: BinaryIO, source: str) -> Imported:
    """Imports order lines; `source` is the name that rejects carry.

    A line on which the ledger holds a remedy keeps its customer, currency and
    amounts: a row that says otherwise is the reject `conflicts_with_ledger`.
    The customer need not be known. Rows that share an id but not their content
    are all rejected.

    Raises:
      OSError: The stream cannot be read.
    """
    return _import(engine, stream, source, OrderLine, ORDER_LINES)


def import_customers(engine: Engine, stream: BinaryIO, source: str) -> Imported:
    """Imports customers; see `import_orders`."""
    return _import(engine, stream, source, Customer, CUSTOMERS)


def import_stock(engine: Engine, stream: BinaryIO, source: str) -> Imported:
    """Imports the stock of items, each row the whole count of its item; see `import_orders`.

    Another count than the last one knows of what was sent since, so that nothing
    counts as promised any more; the same file again changes nothing.
    """
    imported = _import(engine, stream, source, Stock, STOCK)
    with writing(engine) as connection:
        recounted = STOCK.c.counted.is_distinct_from(STOCK.c.available)
        connection.execute(update(STOCK).where(recounted).values(promised=0, counted=STOCK.c.available))
    return imported


def import_grants(engine: Engine, stream: BinaryIO, source: str) -> Imported:
    """Imports playback grants; see `import_orders`."""
    return _import(engine, stream, source, Grant, GRANTS)


def adopt_orders(engine: Engine, lines: Iterable[OrderLine]) -> Imported:
    """Copies order lines of a foreign order book into the ledger, before remedies are recorded on them.

    The `line` of a reject is the record's place in `lines`, from 1.
    """
    return _store(engine, _numbered(lines), "the order book", OrderLine, ORDER_LINES)


def adopt_customers(engine: Engine, customers: Iterable[Customer]) -> Imported:
    """Copies customers of a foreign order book into the ledger, where the mailer looks for their address."""
    return _store(engine, _numbered(customers), "the order book", Customer, CUSTOMERS)


def _numbered(records: Iterable[R]) -> Iterator[Row[R]]:
    return (Row(number, record) for number, record in enumerate(records, start=1))


def _import(engine: Engine, stream: BinaryIO, source: str, model: type[BaseModel], table: Table) -> Imported:
    return _store(engine, parsed_rows(stream, source, model), source, model, table)


def _store(
    engine: Engine, rows: Iterable[Row[R] | RowReject], source: str, model: type[BaseModel], table: Table
) -> Imported:
    rejects = _Rejects(source)
    accepted = 0

    def staged() -> Iterator[StagedRow]:
        nonlocal accepted
        for row in rows:
            if isinstance(row, RowReject):
                rejects.add(row)
                continue
            accepted += 1
            yield StagedRow(row.line, row.record.model_dump())

    merged = merge(engine, table, tuple(model.model_fields), staged())
    read = accepted + rejects.count
    for refusal in merged.refused:
        rejects.add(RowReject(source, refusal.line, refusal.field, refusal.reason))
    return Imported(read, merged.changed, merged.duplicates, rejects.in_order())


class _Rejects:
    """The rejects of one file: so many one by one, the later ones by what is wrong with them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._listed: list[RowReject] = []
        self._first: dict[tuple[str | None, str], int] = {}
        self._others = Counter[tuple[str | None, str]]()

    @property
    def count(self) -> int:
        """The rows that were rejected."""
        return len(self._listed) + self._others.total()

    def add(self, reject: RowReject) -> None:
        if len(self._listed) < LISTED_REJECTS:
            self._listed.append(reject)
            return
        wrong = (reject.field, reject.reason)
        self._first.setdefault(wrong, reject.line)
        self._others[wrong] += 1

    def in_order(self) -> tuple[RowReject, ...]:
        """By line, where several are one by the first."""
        others = (RowReject(self._source, self._first[wrong], *wrong, count) for wrong, count in self._others.items())
        return tuple(sorted([*self._listed, *others], key=lambda reject: reject.line))
