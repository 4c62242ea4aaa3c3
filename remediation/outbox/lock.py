"""One sender at a time on a ledger.

A second one would find the first one's mail half sent and could not tell it from
the trace of a crash.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from sqlalchemy import Engine, text

_LOCK_KEY: Final = 0x73656E64  # any fixed number, the same for every sender


class SenderBusyError(Exception):
    """Another process is sending from this ledger."""


@contextmanager
def sender_lock(engine: Engine) -> Iterator[None]:
    """Holds the right to send for as long as the context lasts; a process that dies gives it back.

    SQLite ledgers use a lock on a small database beside the ledger,
    `<ledger>.sender-lock`; an in-memory ledger needs none.

    Raises:
      SenderBusyError: Another process, or another thread, holds it.
    """
    if engine.dialect.name == "postgresql":
        holder = _server_lock(engine)
    elif engine.url.database in {None, "", ":memory:"}:
        holder = _no_lock()
    else:
        holder = _file_lock(f"{engine.url.database}.sender-lock")
    with holder:
        yield


@contextmanager
def _server_lock(engine: Engine) -> Iterator[None]:
    with engine.connect() as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}):
            raise _busy()
        try:
            yield
        finally:
            connection.scalar(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})


@contextmanager
def _file_lock(path: str) -> Iterator[None]:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise _busy() from None
        yield


@contextmanager
def _no_lock() -> Iterator[None]:
    yield


def _busy() -> SenderBusyError:
    return SenderBusyError("another process is sending from this ledger: let it finish, then dispatch again")
