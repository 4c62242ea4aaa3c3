"""The version of a ledger's tables, and the way from one version to another.

Alembic is imported only where tables are made or altered: whoever finds a ledger
of the present version pays nothing for it.
"""

import sqlite3
from importlib import resources
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

HEAD: Final = "0006"
"""The version that this program reads and writes."""

BEFORE_VERSIONS: Final = "0001"
"""What a ledger is that names no version: the first program wrote none down."""

NOTHING: Final = "base"
"""The version of an empty database."""


class MigrationError(Exception):
    """The tables could not be brought to the wished version; nothing was altered. The text follows a ledger's name."""


def version(connection: Connection) -> str:
    """The version of the ledger in this database, `NOTHING` in an empty one.

    Raises:
      MigrationError: There are tables, but not a ledger's.
    """
    names = set(inspect(connection).get_table_names())
    if "alembic_version" in names:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found is not None:
            return str(found)
    if {"runs", "outbox", "postings"} <= names:
        return BEFORE_VERSIONS
    if names - {"alembic_version"}:
        raise MigrationError("is not a ledger but holds other tables: name a new or empty database")
    return NOTHING


def migrate(connection: Connection, to: str = HEAD) -> tuple[str, str]:
    """Brings the ledger to the version `to`, up or down; returns the versions before and after.

    The connection is in a transaction, and on SQLite references are unchecked in
    it: to alter a table, SQLite makes it anew.

    Raises:
      MigrationError: There is no such version, the database holds something else,
        or a row does not fit the tables of that version.
    """
    from alembic.util import CommandError  # noqa: PLC0415 see above

    before = version(connection)
    try:
        _run(connection, before, to)
        _demand_references(connection)
    except (CommandError, SQLAlchemyError, sqlite3.Error) as error:
        cause = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise MigrationError(f"cannot be brought from version {before} to {to}: {cause}") from error
    return before, version(connection)


def _run(connection: Connection, before: str, to: str) -> None:
    from alembic import command  # noqa: PLC0415 see above
    from alembic.config import Config  # noqa: PLC0415 likewise

    config = Config()
    config.set_main_option("script_location", str(resources.files("remediation") / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if before == BEFORE_VERSIONS:
        command.stamp(config, BEFORE_VERSIONS)
    is_down = to == NOTHING or (before != NOTHING and to < before)
    (command.downgrade if is_down else command.upgrade)(config, to)


def _demand_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise MigrationError(
                f"has a row {broken[1]} of {broken[0]} without its row of {broken[2]}: mend that first"
            )
