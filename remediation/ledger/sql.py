"""What SQLite and PostgreSQL share and SQLAlchemy spells once for each, and look-ups of many keys."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import Connection, Table, UpdateBase

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, object]
T = TypeVar("T")

CHUNK_KEYS: Final = 500
"""Keys a query: enough to make the round trip cheap, and below every driver's bound on parameters."""


def insert(connection: Connection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """An insert that takes `on_conflict_do_nothing` and `on_conflict_do_update`."""
    # Only the dialect in use is imported: PostgreSQL's takes a tenth of the sender's start.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(table)


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Inserts the rows whose primary key is new and returns how many; what was there stays.

    Raises:
      sqlalchemy.exc.IntegrityError: A row breaks any other constraint.
    """
    if not rows:
        return 0
    statement = insert(connection, table).on_conflict_do_nothing(index_elements=table.primary_key.columns)
    return affected(connection, statement, rows)


def affected(connection: Connection, statement: UpdateBase, rows: Sequence[Row] | None = None) -> int:
    """Executes the statement and returns how many rows it inserted, altered or deleted."""
    # Without the option SQLAlchemy drops the driver's count of an INSERT, and PostgreSQL's becomes -1.
    counted = statement.execution_options(preserve_rowcount=True)
    return connection.execute(counted, rows).rowcount


def chunks(keys: Collection[T]) -> Iterator[list[T]]:
    """The keys in portions of `CHUNK_KEYS`."""
    remaining = iter(keys)
    while chunk := list(islice(remaining, CHUNK_KEYS)):
        yield chunk
