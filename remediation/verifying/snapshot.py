"""One view of the whole ledger, as it stood at one moment, for as long as it takes to read it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that reads, and sees nothing of what is written meanwhile.

    On a server nobody waits for it. SQLite without its write-ahead log lets
    writers wait until the reading is over.
    """
    if engine.dialect.name == "postgresql":
        with engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True).connect() as server:
            yield server
        return
    with engine.connect() as file:
        file.exec_driver_sql("PRAGMA query_only = ON")
        try:
            yield file
        finally:
            file.exec_driver_sql("PRAGMA query_only = OFF")
