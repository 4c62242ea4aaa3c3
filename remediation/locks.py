"""Rights on a ledger that one process has at a time, and who has them.

A process that dies gives its rights back, however it dies: the operating system
lets go of a file, PostgreSQL of a connection's locks.
"""

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self, TextIO

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

IsHeld = Callable[[], bool]
"""Whether the right is still this process's own."""

_LONGEST_HOST: Final = 24
"""PostgreSQL cuts an application's name after 63 characters."""

_HOLDER: Final = text(
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = :high AND objid = :low"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_SIGN: Final = text(
    "SELECT set_config('application_name', :who || ' ' || extract(epoch FROM clock_timestamp())::bigint, false)"
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a right: its number, its machine, and since when, in seconds since the epoch."""

    pid: int
    host: str
    since_s: int

    @classmethod
    def parse(cls, signed: str) -> Self | None:
        """Who has signed `… PID HOST SECONDS`; null where nobody has."""
        words = signed.split()[-3:]
        if len(words) < 3 or not (words[0].isdecimal() and words[2].isdecimal()):  # noqa: PLR2004 - the three above
            return None
        return cls(int(words[0]), words[1], int(words[2]))

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since_s, UTC)
        return f"process {self.pid} on {self.host}, since {since:%Y-%m-%d %H:%M:%S} UTC"


class BusyError(Exception):
    """Another process has the right; the text says which, since when, and what to do."""


@dataclass(frozen=True, slots=True)
class Right:
    """Something that one process may do on a ledger at a time.

    `name` is short and a file's ending; `key` is any fixed number of up to 63 bits;
    `doing` and `advice` are said to whoever comes second.
    """

    name: str
    key: int
    doing: str
    advice: str
    error: type[BusyError] = BusyError

    def taken(self, holder: Holder | None) -> BusyError:
        """The error of whoever comes second."""
        return self.error(f"{self.doing} ({holder or 'it does not say who it is'}): {self.advice}")


@contextmanager
def held(engine: Engine, right: Right) -> Iterator[IsHeld]:
    """Holds a right for as long as the context lasts.

    SQLite ledgers use a lock on a file beside the ledger, `<ledger>.<name>-lock`; an
    in-memory ledger needs none. A server's lock is gone when its connection is: so
    it can be asked whether it still holds.

    Raises:
      BusyError: Another process, or another thread, has it.
      OSError: The file cannot be written or locked.
    """
    if engine.dialect.name == "postgresql":
        lock = _server_lock(engine, right)
    elif engine.url.database in {None, "", ":memory:"}:
        lock = _no_lock()
    else:
        lock = _file_lock(Path(f"{engine.url.database}.{right.name}-lock"), right)
    with lock as is_held:
        yield is_held


def _here() -> str:
    return f"{os.getpid()} {socket.gethostname().partition('.')[0][:_LONGEST_HOST] or 'localhost'}"


@contextmanager
def _server_lock(engine: Engine, right: Right) -> Iterator[IsHeld]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": right.key}):
            raise right.taken(_server_holder(connection, right))
        connection.execute(_SIGN, {"who": f"makegood {right.name} {_here()}"})

        def is_held() -> bool:
            try:
                return connection.scalar(text("SELECT true")) is True
            except SQLAlchemyError:
                return False

        try:
            yield is_held
        finally:
            if is_held():
                connection.execute(text("RESET application_name"))
                connection.scalar(text("SELECT pg_advisory_unlock(:key)"), {"key": right.key})


def _server_holder(connection: Connection, right: Right) -> Holder | None:
    high, low = divmod(right.key, 1 << 32)
    return Holder.parse(connection.scalar(_HOLDER, {"high": high, "low": low}) or "")


@contextmanager
def _file_lock(path: Path, right: Right) -> Iterator[IsHeld]:
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise right.taken(_file_holder(file)) from None
        file.truncate(0)
        file.write(_here())
        file.flush()
        yield _always


def _file_holder(file: TextIO) -> Holder | None:
    """Who has signed the file; it was written when the lock was taken."""
    file.seek(0)
    return Holder.parse(f"{file.read()} {int(os.fstat(file.fileno()).st_mtime)}")


@contextmanager
def _no_lock() -> Iterator[IsHeld]:
    yield _always


def _always() -> bool:
    return True
