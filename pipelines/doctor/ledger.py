"""The ledger's database: reachable, of this version, safe to write to, and of one mind about the time."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from pipelines.doctor.lines import Line, State
from pipelines.failures import sentence
from remediation.database import ledger_file, look_at_database, wal_is_safe, writing
from remediation.ledger.control_tables import AUDIT
from remediation.ledger.tables import METADATA
from remediation.report.formats import duration, moment
from remediation.schema import HEAD, NOTHING, version

MAX_SKEW_MS: Final = 2_000
"""Between this machine's clock and the database's: far more than two clocks have that are set by the network."""

MAX_BACK_MS: Final = 300_000
"""So far may the ledger's newest entry lie ahead of the clock: as far as the guards let a night."""

OLDEST_POSTGRES: Final = 150_000

Clock = Callable[[], int]


def ledger_lines(url: str, clock: Clock) -> Iterator[Line]:
    """Everything about the ledger that can be found out without changing it; raises where it cannot be reached."""
    file = ledger_file(url)
    if file is not None and not file.exists():
        yield Line("ledger", State.WARN, f"{file} is not there yet", "the first night makes it; else correct --ledger")
        return
    engine = look_at_database(url)
    try:
        with engine.connect() as connection:
            found = version(connection)
            yield _version_line(found)
            yield from _server_lines(connection, clock)
            if found == HEAD:
                yield _history_line(connection, clock())
    finally:
        engine.dispose()
    if found == HEAD:
        yield _write_line(url)


def _version_line(found: str) -> Line:
    if found == HEAD:
        return Line("ledger", State.OK, f"it can be reached, and its tables are of version {HEAD}")
    if found == NOTHING:
        return Line("ledger", State.WARN, "the database is empty", "the first night makes the tables")
    if found < HEAD:
        return Line(
            "ledger",
            State.FAIL,
            f"its tables are of version {found}, and this program needs {HEAD}",
            "back it up, then run makegood migrate",
        )
    return Line("ledger", State.FAIL, f"its tables are of version {found}, newer than this program", "use a newer one")


def _server_lines(connection: Connection, clock: Clock) -> Iterator[Line]:
    if connection.dialect.name == "sqlite":
        yield _sqlite_line(str(connection.scalar(text("PRAGMA journal_mode"))), sqlite3.sqlite_version_info[:3])
        return
    number = int(connection.scalar(text("SHOW server_version_num")) or 0)
    shown = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < OLDEST_POSTGRES:
        yield Line("database", State.FAIL, f"{shown} is too old", "use PostgreSQL 15 or later")
    else:
        yield Line("database", State.OK, shown)
    before = clock()
    theirs = int(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp()) * 1000")) or 0)
    yield skew_line(theirs, before, clock())


def _sqlite_line(journal: str, release: tuple[int, int, int]) -> Line:
    shown = f"SQLite {'.'.join(map(str, release))}, journal {journal}"
    if journal == "wal" and not wal_is_safe(release):
        return Line(
            "database",
            State.FAIL,
            f"{shown}: this release can corrupt a write-ahead log",
            "use SQLite 3.51.3, 3.50.7 or 3.44.6",
        )
    return Line("database", State.OK, shown)


def skew_line(theirs_ms: int, before_ms: int, after_ms: int) -> Line:
    """How far the server's clock is from ours, which was read before and after it."""
    skew = max(before_ms - theirs_ms, theirs_ms - after_ms, 0)
    if skew > MAX_SKEW_MS:
        said = f"the database's clock differs from this machine's by {duration(skew)}"
        return Line("database clock", State.FAIL, said, "set both by the network (NTP)")
    return Line("database clock", State.OK, "it agrees with this machine's")


def _history_line(connection: Connection, now_ms: int) -> Line:
    """A clock that has gone back would judge a night by what has not been yet."""
    newest = connection.scalar(select(AUDIT.c.at).order_by(AUDIT.c.number.desc()).limit(1))
    if newest is not None and newest - now_ms > MAX_BACK_MS:
        said = f"the clock says {moment(now_ms)}, and the ledger was written to at {moment(newest)}"
        return Line("ledger clock", State.FAIL, said, "set the clock by the network (NTP)")
    return Line("ledger clock", State.OK, f"last written to {moment(newest)}" if newest else "nothing is in it yet")


def _write_line(url: str) -> Line:
    """Takes the lock that every writer takes, asks for the rights, and lets go of it again."""
    writer = look_at_database(url, to_write=True)
    try:
        with writing(writer) as connection:
            missing = [] if connection.dialect.name == "sqlite" else list(_without_rights(connection))
    except SQLAlchemyError as error:
        to_do = "see to the rights on the file and its folder, and that nobody has held its lock for long"
        return Line("ledger rights", State.FAIL, sentence(error), to_do)
    finally:
        writer.dispose()
    if missing:
        said = f"this user may not write {', '.join(missing)}"
        return Line("ledger rights", State.FAIL, said, "grant SELECT, INSERT, UPDATE and DELETE on the ledger's tables")
    return Line("ledger rights", State.OK, "it can be written")


def _without_rights(connection: Connection) -> Iterator[str]:
    if connection.scalar(text("SHOW transaction_read_only")) == "on":
        yield "anything: the server is a standby, or read-only"
        return
    ask = text("SELECT has_table_privilege(CAST(:name AS text), 'INSERT')")
    for table in METADATA.sorted_tables:
        if not connection.scalar(ask, {"name": table.name}):
            yield table.name
