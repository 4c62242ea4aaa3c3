"""Not one byte of the person is left in a SQLite file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from remediation import database
from remediation.database import open_database
from remediation.forgetting import compact, forget
from tests.remediation.forgetting.persons import ADA, EMAIL, LAT, LON, NAME, a_known_person
from tests.support.stores import STORE

PLANTED = (NAME.encode(), EMAIL.encode(), str(LAT).encode(), str(LON).encode())
ELSE = b"Rick Blaine"

pytestmark = pytest.mark.skipif(STORE != "sqlite", reason="a server keeps its files to itself")


def file_of(ledger: Engine) -> Path:
    return Path(str(ledger.url.database))


def left_in(ledger: Engine) -> list[bytes]:
    """What of the planted texts the ledger's files still hold."""
    files = file_of(ledger).parent.glob(f"{file_of(ledger).name}*")
    content = b"".join(file.read_bytes() for file in files)
    assert ELSE in content
    return [text for text in PLANTED if text in content]


def alone(ledger: Engine) -> None:
    """Nobody else lives where she lived."""
    with ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE order_lines SET ship_to = NULL WHERE order_line_id = 'else'")


def test_erased_rows_are_overwritten_at_once(ledger: Engine) -> None:
    alone(a_known_person(ledger))
    assert left_in(ledger) == list(PLANTED)
    forget(ledger, "C-1", ADA, "request 2026-17")
    assert left_in(ledger) == []


def test_every_connection_overwrites_what_it_erases(ledger: Engine) -> None:
    """Whatever its SQLite was built to do by itself."""

    def built_otherwise(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA secure_delete = OFF")

    event.listen(ledger, "connect", built_otherwise, insert=True)
    with ledger.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
    event.remove(ledger, "connect", built_otherwise)


def test_what_an_older_program_left_in_unused_parts_goes_as_well(ledger: Engine) -> None:
    alone(a_known_person(ledger))
    with closing(sqlite3.connect(file_of(ledger), isolation_level=None)) as older:
        older.execute("PRAGMA secure_delete = OFF")
        older.execute("DELETE FROM customers WHERE customer_id = 'C-1'")
        older.execute("UPDATE order_lines SET ship_to = NULL")
    assert EMAIL.encode() in left_in(ledger)
    forget(ledger, "C-1", ADA, "request 2026-17")
    assert compact(ledger)
    assert left_in(ledger) == []


def test_a_file_that_is_in_use_is_not_compacted(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0)
    impatient = open_database(str(ledger.url))
    with closing(sqlite3.connect(file_of(ledger), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM customers").fetchone()
        assert not compact(impatient)
    assert compact(impatient)
    impatient.dispose()
