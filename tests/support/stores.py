"""Empty ledgers for tests, on SQLite by default and on PostgreSQL where the environment says so."""

import atexit
import functools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Protocol
from uuid import uuid4

from sqlalchemy import Engine, create_engine, event, text

from remediation.database import open_database, parse_url
from tests.support.postgres import running_postgres

STORE: Final = os.environ.get("MAKEGOOD_TEST_STORE", "sqlite")
"""`sqlite` or `postgresql`: `make test-postgres` runs the ledger's tests on the latter."""

_ROOM_BYTES: Final = 4 << 30  # for two servers, each with a gigabyte of its log before it is cut


class Store(Protocol):
    """Makes one empty ledger after another."""

    def ledger(self, like: str | None = None) -> AbstractContextManager[str]:
        """The URL of a new ledger, gone at the end of the context: empty, or a copy of one that nobody has open."""
        ...

    def opened(self) -> AbstractContextManager[Engine]:
        """A new, empty ledger, opened, gone at the end of the context.

        One engine serves one test after another, each time on another empty ledger:
        an engine keeps the statements that it has compiled, which takes longer than
        to run them on a ledger of three rows. A test takes its listeners off again.
        """
        ...


class SqliteStore:
    """Files in a folder. A copy of one blank ledger each, since making the tables takes longer than most tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blank = folder / "blank.db"
        self._idle: list[Engine] = []
        open_database(f"sqlite:///{self._blank}").dispose()

    @contextmanager
    def ledger(self, like: str | None = None) -> Iterator[str]:
        """A file of its own."""
        file = self._folder / f"{uuid4().hex}.db"
        shutil.copy(like.removeprefix("sqlite:///") if like else self._blank, file)
        yield f"sqlite:///{file}"
        self._remove(file)

    @contextmanager
    def opened(self) -> Iterator[Engine]:
        """A file of its own, whose engine has served other tests."""
        engine = self._idle.pop() if self._idle else self._open()
        file = Path(str(engine.url.database))
        shutil.copy(self._blank, file)
        yield engine
        self._remove(file)
        self._idle.append(engine)

    def copy(self, file: Path) -> str:
        """The URL of an empty ledger in this file."""
        shutil.copy(self._blank, file)
        return f"sqlite:///{file}"

    def _open(self) -> Engine:
        engine = open_database(self.copy(self._folder / f"{uuid4().hex}.db"))
        event.listen(engine, "connect", _hurry)
        return engine

    def _remove(self, file: Path) -> None:
        for left in self._folder.glob(f"{file.name}*"):
            left.unlink()


def _hurry(connection: sqlite3.Connection, _record: object) -> None:
    """No test of one process outlives the machine, so none waits for its disk."""
    connection.execute("PRAGMA synchronous = OFF")


class PostgresStore:
    """Databases on a server, each a copy of a blank one."""

    def __init__(self, server: str) -> None:
        self._blank = f"blank_{uuid4().hex}"
        self._admin = create_engine(parse_url(server), isolation_level="AUTOCOMMIT")
        self._idle: list[Engine] = []
        self._do(f"CREATE DATABASE {self._blank}")
        open_database(self._url(self._blank)).dispose()

    @contextmanager
    def ledger(self, like: str | None = None) -> Iterator[str]:
        """A database of its own."""
        name = f"ledger_{uuid4().hex}"
        self._make(name, parse_url(like).database if like else None)
        yield self._url(name)
        self._drop(name)

    @contextmanager
    def opened(self) -> Iterator[Engine]:
        """A database of its own, whose engine has served other tests."""
        engine = self._idle.pop() if self._idle else None
        name = str(engine.url.database) if engine else f"ledger_{uuid4().hex}"
        self._make(name)
        engine = engine or open_database(self._url(name))
        yield engine
        engine.dispose()
        self._drop(name)
        self._idle.append(engine)

    def close(self) -> None:
        """Removes what it made."""
        self._drop(self._blank)
        self._admin.dispose()

    def _make(self, name: str, like: str | None = None) -> None:
        self._do(f"CREATE DATABASE {name} TEMPLATE {like or self._blank}")

    def _drop(self, name: str) -> None:
        self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _url(self, database: str) -> str:
        return self._admin.url.set(drivername="postgresql", database=database).render_as_string(hide_password=False)


def empty_ledger() -> AbstractContextManager[Engine]:
    """A new, empty ledger for a test that is about something else than the database: SQLite, always."""
    return _files().opened()


def empty_file(file: Path) -> str:
    """The URL of a new, empty ledger in this file."""
    return _files().copy(file)


@functools.cache
def _files() -> SqliteStore:
    folder = Path(mkdtemp(prefix="makegood-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return SqliteStore(folder)


@contextmanager
def open_store(name: str, folder: Path, *, on_disk: bool = False) -> Iterator[Store]:
    """The store of this name, with `folder` for its files. `on_disk` keeps a server out of memory, to measure it."""
    if name == "sqlite":
        yield SqliteStore(folder)
        return
    short = Path(
        mkdtemp(prefix="makegood-", dir=None if on_disk else _memory())
    )  # a socket's path may have 107 characters
    short.chmod(0o755)
    try:
        with running_postgres(short) as server:
            store = PostgresStore(server)
            yield store
            store.close()
    finally:
        shutil.rmtree(short, ignore_errors=True)


def _memory() -> Path | None:
    """A folder in memory where there is a roomy one: a new database is hundreds of files, and slow on some disks."""
    folder = Path("/dev/shm")  # noqa: S108 - what is made in it has a name that nobody can guess
    try:
        return folder if shutil.disk_usage(folder).free >= _ROOM_BYTES else None
    except OSError:
        return None
