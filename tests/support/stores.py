"""Empty ledgers for tests, on SQLite by default and on PostgreSQL where the environment says so."""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Protocol
from uuid import uuid4

from sqlalchemy import create_engine, text

from remediation.database import open_database, parse_url
from tests.support.postgres import running_postgres

STORE: Final = os.environ.get("MAKEGOOD_TEST_STORE", "sqlite")
"""`sqlite` or `postgresql`: `make test-postgres` runs the ledger's tests on the latter."""


class Store(Protocol):
    """Makes one empty ledger after another."""

    def ledger(self) -> AbstractContextManager[str]:
        """The URL of a new, empty ledger, gone at the end of the context."""
        ...


class SqliteStore:
    """Files in a folder. A copy of one blank ledger each, since making the tables takes longer than most tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blank = folder / "blank.db"
        open_database(f"sqlite:///{self._blank}").dispose()

    @contextmanager
    def ledger(self) -> Iterator[str]:
        """A file of its own."""
        file = self._folder / f"{uuid4().hex}.db"
        shutil.copy(self._blank, file)
        yield f"sqlite:///{file}"
        for left in self._folder.glob(f"{file.name}*"):
            left.unlink()


class PostgresStore:
    """Databases on a server, each a copy of a blank one."""

    def __init__(self, server: str) -> None:
        self._blank = f"blank_{uuid4().hex}"
        self._admin = create_engine(parse_url(server), isolation_level="AUTOCOMMIT")
        self._do(f"CREATE DATABASE {self._blank}")
        open_database(self._url(self._blank)).dispose()

    @contextmanager
    def ledger(self) -> Iterator[str]:
        """A database of its own."""
        name = f"ledger_{uuid4().hex}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {self._blank}")
        yield self._url(name)
        self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Removes what it made."""
        self._do(f"DROP DATABASE {self._blank} WITH (FORCE)")
        self._admin.dispose()

    def _do(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _url(self, database: str) -> str:
        return self._admin.url.set(drivername="postgresql", database=database).render_as_string(hide_password=False)


@contextmanager
def open_store(name: str, folder: Path) -> Iterator[Store]:
    """The store of this name, with `folder` for its files."""
    if name == "sqlite":
        yield SqliteStore(folder)
        return
    short = Path(mkdtemp(prefix="makegood-"))  # a socket's path may have 107 characters
    short.chmod(0o755)
    try:
        with running_postgres(short) as server:
            store = PostgresStore(server)
            yield store
            store.close()
    finally:
        shutil.rmtree(short, ignore_errors=True)
