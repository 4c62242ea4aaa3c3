"""The provider's memory: one SQLite file that outlives the process, or none at all."""

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS state (
  one INTEGER PRIMARY KEY CHECK (one = 1), now_ms INTEGER NOT NULL, calls INTEGER NOT NULL DEFAULT 0,
  next_status TEXT NOT NULL DEFAULT 'succeeded', seed INTEGER NOT NULL DEFAULT 0, share REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS charges (
  charge_id TEXT PRIMARY KEY, payment_intent TEXT UNIQUE, amount INTEGER NOT NULL, currency TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS refunds (
  number INTEGER PRIMARY KEY, charge_id TEXT NOT NULL REFERENCES charges, amount INTEGER NOT NULL,
  status TEXT NOT NULL, metadata TEXT NOT NULL, reason TEXT, created_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_of_a_charge ON refunds (charge_id);
CREATE TABLE IF NOT EXISTS keys (
  key TEXT PRIMARY KEY, params TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL, saved_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS faults (call INTEGER PRIMARY KEY, fault TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""


class Store:
    """Everything in one transaction a call, so that a kill leaves either all of a call's effect or none of it."""

    def __init__(self, path: Path | None, now_ms: int) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._database.close)  # tests make many in memory, and close none
        self._database.row_factory = sqlite3.Row
        # Tests kill the process, not the machine: what the system has taken over is not lost.
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_TABLES)
        self._database.execute("INSERT OR IGNORE INTO state (one, now_ms) VALUES (1, ?)", (now_ms,))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """For one caller at a time; undone by an exception."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def copy_to(self, other: "Store") -> None:
        """Makes the other one remember what this one does, and nothing else."""
        with self._lock:
            self._database.backup(other._database)  # noqa: SLF001 - of the same class

    def close(self) -> None:
        """Nothing may be asked of it afterwards."""
        self._database.close()
