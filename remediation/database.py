"""The way in to a database: SQLite and PostgreSQL through the same code, with the pragmas that money needs.

SQLite facts that this module answers: foreign keys are off unless asked for,
`BEGIN` takes its lock only at the first write (so that two readers who then write
fail), and write-ahead logging could corrupt a file before certain releases.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from remediation.canonical import canonical_json
from remediation.ledger.tables import CUSTOMERS, GRANTS, ORDER_LINES
from remediation.schema import HEAD, NOTHING, MigrationError, migrate, version

BUSY_TIMEOUT_S: Final = 30
"""How long a writer waits for another one; an import of a million lines holds the lock for a few seconds."""

_BACKENDS: Final = ("sqlite", "postgresql")
_WRITES: Final = "makegood_writes"
_WRITE_LOCK: Final = 0x6D616B65  # any fixed number; see `writing`
_WAL_SAFE: Final = (3, 51, 3)
_WAL_SAFE_BACKPORTS: Final = {(3, 50): (3, 50, 7), (3, 44): (3, 44, 6)}
_DRIVERS: Final = {"postgresql": "postgresql+psycopg"}
"""The driver that is installed, where a URL names none."""

_LEDGER_OWN: Final = frozenset({"owed_minor"})  # kept by the ledger alone: a shop's own tables do not have it


class DatabaseUnusableError(Exception):
    """A database that cannot be opened, or is not what it should be; the text names it without its password."""


def is_database_url(name: str) -> bool:
    """Whether `name` is the URL of a database that could be opened here, and not a path or another URL."""
    return name.partition("://")[0].partition("+")[0] in _BACKENDS and "://" in name


def parse_url(url: str) -> URL:
    """The parsed URL of a SQLite or PostgreSQL database.

    Raises:
      DatabaseUnusableError: It is no URL, or names another kind of database.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseUnusableError(
            f"{_without_secrets(url)} is not a database URL: write sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    if parsed.get_backend_name() not in _BACKENDS:
        raise DatabaseUnusableError(f"{_named(parsed)} is neither a sqlite nor a postgresql database: use one of these")
    return parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))


def open_database(url: str) -> Engine:
    """The ledger at `url`, with its folder and tables made where they are missing.

    An in-memory ledger (`sqlite://`) is one connection and serves one thread.

    Raises:
      DatabaseUnusableError: The URL is not one, the database cannot be reached,
        or what is there is not a ledger of this version.
    """
    parsed = parse_url(url)
    file = _file(parsed)
    with _explained(parsed):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(parsed)
        with _disposed_on_error(engine):
            _bring_up(engine, _named(parsed))
    return engine


def migrate_ledger(url: str, to: str = HEAD) -> tuple[str, str]:
    """Brings the ledger at `url` to a version of its tables, up or down; returns the versions before and after.

    All of it happens or nothing. Going down loses what the older tables cannot hold.

    Raises:
      DatabaseUnusableError: As `open_ledger`; or there is no way to that version.
    """
    parsed = parse_url(url)
    _demand_file(parsed, "name the ledger that a nightly run wrote")
    with _explained(parsed):
        engine = _engine(parsed)
        try:
            return _migrated(engine, _named(parsed), to)
        finally:
            engine.dispose()


def open_ledger(url: str) -> Engine:
    """The ledger at `url`, which a nightly run has made.

    Raises:
      DatabaseUnusableError: As `open_database`; and where a file is not there.
    """
    parsed = parse_url(url)
    _demand_file(parsed, "name the ledger that a nightly run wrote")
    return open_database(url)


def ledger_file(url: str) -> Path | None:
    """The file of a SQLite ledger, there or not; None where it is in memory or on a server.

    Raises:
      DatabaseUnusableError: The URL is not one.
    """
    return _file(parse_url(url))


def look_at_database(url: str, *, to_write: bool = False) -> Engine:
    """The database at `url`, whatever is in it, without making or demanding anything; for reading unless said.

    Raises:
      DatabaseUnusableError: The URL is not one, or the database cannot be reached.
    """
    parsed = parse_url(url)
    with _explained(parsed):
        engine = _engine(parsed, read_only=not to_write)
        with _disposed_on_error(engine), engine.connect():
            return engine


def read_ledger(url: str) -> Engine:
    """The ledger at `url`, opened so that nothing can be written through it.

    Raises:
      DatabaseUnusableError: It is not there, cannot be reached, or is not a ledger of this version.
    """
    parsed = parse_url(url)
    _demand_file(parsed, "name the ledger that a nightly run wrote")
    with _explained(parsed):
        engine = _engine(parsed, read_only=True)
        with _disposed_on_error(engine):
            _demand_version(_version(engine, _named(parsed)), _named(parsed))
    return engine


def open_order_book(url: str) -> Engine:
    """The service's own database with the tables `order_lines`, `customers` and `grants`, opened for reading only.

    Raises:
      DatabaseUnusableError: It cannot be reached, or a table or a column is missing.
    """
    parsed = parse_url(url)
    _demand_file(parsed, "name the database that holds the orders")
    with _explained(parsed):
        engine = _engine(parsed, read_only=True)
        with _disposed_on_error(engine), engine.connect() as connection:
            missing = _missing(connection, (ORDER_LINES, CUSTOMERS, GRANTS), without=_LEDGER_OWN)
            if missing:
                raise DatabaseUnusableError(f"{_named(parsed)} holds no orders to read: it lacks {', '.join(missing)}")
    return engine


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """One transaction that writes: takes the ledger's write lock at once, commits at the end, rolls back on an error.

    Without the lock at the start, two transactions that read and then write
    cannot both proceed on SQLite, and the later one fails instead of waiting. On
    PostgreSQL an advisory lock does the same, so that the audit log's chain has one
    order and two writers can never wait for each other in a circle.
    """
    return engine.execution_options(**{_WRITES: True}).begin()


def begin_writing(connection: Connection) -> AbstractContextManager[object]:
    """As `writing`, on a connection that is already open and keeps its temporary tables."""
    return connection.execution_options(**{_WRITES: True}).begin()


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite release is free of the write-ahead log's corruption race: 3.51.3, 3.50.7 or 3.44.6 on."""
    return version >= _WAL_SAFE or version >= _WAL_SAFE_BACKPORTS.get(version[:2], _WAL_SAFE)


def _holds_no_row(logged: logging.LogRecord) -> bool:
    return logged.levelno > logging.DEBUG  # SQLAlchemy logs all rows that it reads, names and addresses among them


def _engine(url: URL, *, read_only: bool = False) -> Engine:
    logging.getLogger("sqlalchemy.engine.Engine").addFilter(_holds_no_row)
    if url.get_backend_name() != "sqlite":
        options: dict[str, Any] = {"execution_options": {"postgresql_readonly": True}} if read_only else {}
        server = create_engine(url, json_serializer=canonical_json, hide_parameters=True, **options)
        event.listen(server, "begin", _take_turns)
        return server
    engine = create_engine(
        _sealed(url) if read_only else url,
        json_serializer=canonical_json,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S},
        # A file opens in a tenth of a millisecond: no connection is kept that somebody would have to close.
        poolclass=StaticPool if _file(url) is None else NullPool,
    )
    journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info[:3]) else "DELETE"

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where this module says, not where the driver guesses
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten, and not only forgotten
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITES, False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:  # takes no lock, so it cannot fail, and it is done more often than anything else
            _driver(connection).execute("BEGIN")

    return engine


def _sealed(url: URL) -> URL:
    """SQLite's own name for the file as one that it will not write to."""
    file = _file(url)
    if file is None:
        return url
    return url.set(database=f"file:{quote(str(file))}", query={"mode": "ro", "uri": "true"})


def _take_turns(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})


def _bring_up(engine: Engine, name: str) -> None:
    """Makes the tables of an empty database. A ledger of another version is altered only when somebody says so."""
    found = _version(engine, name)
    if found == NOTHING:
        _migrated(engine, name, HEAD)
    else:
        _demand_version(found, name)


def _version(engine: Engine, name: str) -> str:
    with _told(name), engine.connect() as connection:
        return version(connection)


def _demand_version(found: str, name: str) -> None:
    if found == NOTHING:
        raise DatabaseUnusableError(f"{name} is empty: name the ledger that a nightly run wrote")
    if found < HEAD:
        raise DatabaseUnusableError(
            f"{name} is a ledger of version {found}, this program needs {HEAD}: back it up, then run makegood migrate"
        )
    if found > HEAD:
        raise DatabaseUnusableError(f"{name} is a ledger of version {found}, newer than this program: use a newer one")


def _migrated(engine: Engine, name: str, to: str) -> tuple[str, str]:
    is_sqlite = engine.dialect.name == "sqlite"
    with _told(name), engine.connect() as connection:
        if is_sqlite:  # within a transaction the pragma does nothing
            _driver(connection).execute("PRAGMA foreign_keys = OFF")
        try:
            with begin_writing(connection):
                # Another first start may have been faster.
                return (HEAD, HEAD) if to == HEAD == version(connection) else migrate(connection, to)
        finally:
            if is_sqlite:
                _driver(connection).execute("PRAGMA foreign_keys = ON")


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("only SQLite's own driver is used for SQLite")
    return driver


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except MigrationError as error:
        raise DatabaseUnusableError(f"{name} {error}") from error


def _missing(
    connection: Connection, tables: Iterable[Table], *, without: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """The tables and columns that are not there, as `table` or `table.column`."""
    inspector = inspect(connection)
    present: Mapping[str, set[str]] = {
        name: {column["name"] for column in inspector.get_columns(name)} for name in inspector.get_table_names()
    }
    missing = []
    for table in tables:
        if table.name not in present:
            missing.append(table.name)
            continue
        wanted = (column.name for column in table.columns if column.name not in without)
        missing += [f"{table.name}.{column}" for column in wanted if column not in present[table.name]]
    return tuple(missing)


def _file(url: URL) -> Path | None:
    """The file of a SQLite URL; None for an in-memory or a PostgreSQL database."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def _demand_file(url: URL, advice: str) -> None:
    file = _file(url)
    if file is not None and not file.is_file():
        raise DatabaseUnusableError(f"{_named(url)} does not exist: {advice}")


@contextmanager
def _explained(url: URL) -> Iterator[None]:
    """Turns the many ways in which a database fails to open into one sentence."""
    try:
        yield
    except ImportError as error:
        raise DatabaseUnusableError(f"{_named(url)} needs the Python package {error.name}: install it") from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise DatabaseUnusableError(
            f"{_named(url)} cannot be used ({cause}): check the name, the rights and the server"
        ) from error


@contextmanager
def _disposed_on_error(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def _named(url: URL) -> str:
    """The URL as it may be shown: query arguments can carry a password too."""
    return url.set(query={}).render_as_string(hide_password=True)


def _without_secrets(url: str) -> str:
    """What may be shown of a text that is no URL: all of it, unless a password could stand anywhere in it."""
    return f"{url.partition(':')[0]}://***" if "@" in url or "?" in url else url
