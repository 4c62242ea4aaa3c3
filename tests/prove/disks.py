"""Ledgers of which a photograph can be taken: what is committed at a moment is what a crash there leaves behind."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, delete, insert, select

from remediation.database import open_database
from remediation.ledger.control_tables import CONTROL
from remediation.ledger.tables import METADATA
from tests.support.stores import Store, open_store


class Disk(Protocol):
    """Where ledgers of one kind lie. A photograph is comparable; what else it is only the disk knows."""

    def blank(self) -> Engine:
        """An empty ledger. It may be the one that was given out before, emptied."""
        ...

    def photograph(self, ledger: Engine) -> object:
        """What is committed now."""
        ...

    def develop(self, photo: object) -> Engine:
        """A ledger that holds exactly that; as `blank`."""
        ...


class MemoryDisk:
    """SQLite in memory: one ledger, copied whole in no time."""

    def __init__(self) -> None:
        self._ledger = open_database("sqlite://")
        with self._ledger.connect() as connection:
            raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        self.raw = raw
        self._empty = self.photograph(self._ledger)

    def blank(self) -> Engine:
        return self.develop(self._empty)

    def photograph(self, ledger: Engine) -> bytes:
        assert ledger is self._ledger
        assert not self.raw.in_transaction, "nothing outside may be asked while a transaction is open"
        return self.raw.serialize()

    def develop(self, photo: object) -> Engine:
        assert isinstance(photo, bytes)
        with closing(sqlite3.connect(":memory:")) as copy:
            copy.deserialize(photo)
            # Put under the feet of a connection in use, a database can crash SQLite; copied into it, it does not.
            copy.backup(self.raw)
        return self._ledger


class ServerDisk:
    """PostgreSQL: the rows of every table, put into a new database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last = ExitStack()

    def blank(self) -> Engine:
        self.close()
        ledger = open_database(self._last.enter_context(self._store.ledger()))
        self._last.callback(ledger.dispose)
        return ledger

    def photograph(self, ledger: Engine) -> Mapping[str, list[dict[str, Any]]]:
        with ledger.connect() as connection:
            return {
                table.name: [row._asdict() for row in connection.execute(select(table).order_by(*table.primary_key))]
                for table in METADATA.sorted_tables
            }

    def develop(self, photo: object) -> Engine:
        assert isinstance(photo, dict)
        ledger = self.blank()
        with ledger.begin() as connection:
            connection.execute(delete(CONTROL))  # a new ledger has a switch of its own
            for table in METADATA.sorted_tables:
                if photo[table.name]:
                    connection.execute(insert(table), photo[table.name])
        return ledger

    def close(self) -> None:
        """Drops the ledger that was given out last."""
        self._last.close()


@contextmanager
def open_disk(store: str, folder: Path) -> Iterator[Disk]:
    """The disk of a store: `sqlite`, or `postgresql` with `folder` for its server."""
    if store == "sqlite":
        yield MemoryDisk()
        return
    with open_store(store, folder) as opened:
        disk = ServerDisk(opened)
        yield disk
        disk.close()
