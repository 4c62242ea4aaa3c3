"""One sender at a time on a ledger.

A second one would find the first one's mail half sent and could not tell it from
the trace of a crash.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

_LOCK_KEY: Final = 0x73656E64  # any fixed number, the same for every sender

IsHeld = Callable[[], bool]
"""Whether the right to send is still this process's own."""


class SenderBusyError(Exception):
    """Another process is sending from this ledger."""


@contextmanager
def sender_lock(engine: Engine) -> Iterator[IsHeld]:
    """Holds the right to send for as long as the context lasts; a process that dies gives it back.

    SQLite ledgers use a lock on a small database beside the ledger,
    `<ledger>.sender-lock`; an in-memory ledger needs none. A server's lock is gone
    when its connection is: so it can be asked, before each item, whether it still holds.

    Raises:
      SenderBusyError: Another process, or another thread, holds it.
    """
    if engine.dialect.name == "postgresql":
        holder = _server_lock(engine)
    elif engine.url.database in {None, "", ":memory:"}:
        holder = _no_lock()
    else:
        holder = _file_lock(f"{engine.url.database}.sender-lock")
    with holder as is_held:
        yield is_held


@contextmanager
def _server_lock(engine: Engine) -> Iterator[IsHeld]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}):
            raise _busy()

        def is_held() -> bool:
            try:
                return connection.scalar(text("SELECT true")) is True
            except SQLAlchemyError:
                return False

        try:
            yield is_held
        finally:
            if is_held():
                connection.scalar(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})


@contextmanager
def _file_lock(path: str) -> Iterator[IsHeld]:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise _busy() from None
        yield _always


@contextmanager
def _no_lock() -> Iterator[IsHeld]:
    yield _always


def _always() -> bool:
    return True


def _busy() -> SenderBusyError:
    return SenderBusyError("another process is sending from this ledger: let it finish, then dispatch again")
