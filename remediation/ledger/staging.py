"""Brings many rows into a table at once: staged first, then judged and merged by the database.

A conflict between two rows of one file may show a million rows apart. Staging
finds it without holding the file in memory, and takes the ledger's write lock
only for the merge.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.schema import DropTable

from remediation.canonical import canonical_json
from remediation.database import begin_writing
from remediation.ledger.control_tables import FORGOTTEN
from remediation.ledger.forgotten import REFUSED
from remediation.ledger.sql import affected, insert
from remediation.ledger.tables import ORDER_LINES, REMEDIES

BATCH_ROWS: Final = 5_000
_SETTLED_FACTS: Final = ("customer_id", "currency", "amount_minor", "shipping_minor")
"""What a remedy on an order line rests on: no later file may change it."""
_AMBIGUOUS: Final = "duplicate_id: other rows of this file have the same id and other content, so none of them was used"
_CONTRADICTS: Final = (
    "conflicts_with_ledger: a remedy rests on this order line's customer, currency and amounts, and the row changes one"
)


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row by its columns, with its line in the file."""

    line: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A staged row that was not merged, and why."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows changed the table, how many repeated another row of the file, and which were refused."""

    changed: int
    duplicates: int
    refused: tuple[Refusal, ...]


def merge(engine: Engine, table: Table, columns: Sequence[str], rows: Iterable[StagedRow]) -> Merged:
    """Inserts or updates `columns` of `table` from `rows`, matching by primary key.

    Rows that share a key and not their content are all refused, and so are an
    order line that contradicts what a remedy rests on, and every row of a
    customer who is forgotten.
    """
    with engine.connect() as connection:
        staged = _staging_table(table, columns)
        try:
            with connection.begin():
                staged.create(connection)
                _fill(connection, staged, rows)
            with begin_writing(connection):
                return _merge(connection, table, staged, columns)
        finally:
            with connection.begin():
                connection.execute(DropTable(staged, if_exists=True))


def _staging_table(table: Table, columns: Sequence[str]) -> Table:
    return Table(
        f"staged_{table.name}",
        MetaData(),
        Column("line", BigInteger, primary_key=True, autoincrement=False),
        Column("digest", BigInteger, nullable=False),
        *(Column(name, table.c[name].type) for name in columns),
        Index(f"ix_staged_{table.name}", *(column.name for column in table.primary_key.columns), "digest", "line"),
        prefixes=["TEMPORARY"],
    )


def _fill(connection: Connection, staged: Table, rows: Iterable[StagedRow]) -> None:
    """Inserts by the driver itself: SQLAlchemy's own handling of parameters would take half as long again."""
    dialect = connection.dialect
    statement = staged.insert().compile(dialect=dialect)
    columns = [(column.name, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in [*staged.c][2:]]

    def parameters(row: StagedRow) -> tuple[object, ...] | dict[str, object]:
        given = [row.values[name] for name, _ in columns]
        # The digest lives no longer than this import, so that Python's own hash serves.
        digest = hash(tuple(canonical_json(value) if isinstance(value, dict) else value for value in given))
        bound = [process(value) if process else value for value, (_, process) in zip(given, columns, strict=True)]
        complete = (row.line, digest, *bound)
        return complete if statement.positional else dict(zip(staged.c.keys(), complete, strict=True))

    remaining = iter(rows)
    while batch := [parameters(row) for row in islice(remaining, BATCH_ROWS)]:
        connection.exec_driver_sql(str(statement), batch)


def _merge(connection: Connection, table: Table, staged: Table, columns: Sequence[str]) -> Merged:
    """Takes away what must not be merged, step by step, and merges the rest."""
    key = [staged.c[column.name] for column in table.primary_key.columns]
    forgotten = _refuse_forgotten(connection, staged)
    agreed = func.min(staged.c.digest) == func.max(staged.c.digest)
    ambiguous = tuple_(*key).in_(select(*key).group_by(*key).having(not_(agreed)))
    refused = [*forgotten, *_refuse(connection, staged, ambiguous, key[0].name, _AMBIGUOUS)]
    repeats = staged.c.line.not_in(select(func.min(staged.c.line)).group_by(*key))
    duplicates = affected(connection, delete(staged).where(repeats))
    if table is ORDER_LINES:
        refused += _refuse(connection, staged, _contradicts_remedy(staged), "amount_minor", _CONTRADICTS)
    return Merged(_upsert(connection, table, staged, columns), duplicates, tuple(refused))


def _refuse_forgotten(connection: Connection, staged: Table) -> list[Refusal]:
    if "customer_id" not in staged.c:
        return []
    theirs = staged.c.customer_id.in_(select(FORGOTTEN.c.customer_id))
    return _refuse(connection, staged, theirs, "customer_id", REFUSED)


def _refuse(
    connection: Connection, staged: Table, where: ColumnElement[bool], field: str, reason: str
) -> list[Refusal]:
    lines = connection.scalars(select(staged.c.line).where(where)).all()
    if lines:
        connection.execute(delete(staged).where(staged.c.line == bindparam("refused")), [{"refused": n} for n in lines])
    return [Refusal(line, field, reason) for line in lines]


def _contradicts_remedy(staged: Table) -> ColumnElement[bool]:
    """Whether the staged line would change what a remedy on it rests on."""
    other = or_(*(ORDER_LINES.c[name] != staged.c[name] for name in _SETTLED_FACTS))
    return exists(
        select(REMEDIES.c.remedy_id)
        .join(ORDER_LINES, ORDER_LINES.c.order_line_id == REMEDIES.c.order_line_id)
        .where(ORDER_LINES.c.order_line_id == staged.c.order_line_id, other)
    )


def _upsert(connection: Connection, table: Table, staged: Table, columns: Sequence[str]) -> int:
    """The number of rows inserted or altered: one that says what the table holds already is neither."""
    # SQLite needs the WHERE: without it, it takes ON CONFLICT for the condition of a join.
    source = select(*(staged.c[name] for name in columns)).where(true())
    statement = insert(connection, table).from_select(columns, source)
    new = statement.excluded
    key = set(table.primary_key.columns.keys())
    values = [name for name in columns if name not in key]
    # PostgreSQL cannot compare JSON, but the ledger writes it canonically, so that its text can be compared.
    differs = or_(*(cast(new[name], Text).is_distinct_from(cast(table.c[name], Text)) for name in values))
    upsert = statement.on_conflict_do_update(
        index_elements=table.primary_key.columns, set_={name: new[name] for name in values}, where=differs
    )
    return affected(connection, upsert)
