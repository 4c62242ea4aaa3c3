"""Not one row of a ledger changes, and none can: on SQLite and on PostgreSQL."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, insert, select, text
from sqlalchemy.exc import DBAPIError

from remediation.database import DatabaseUnusableError, migrate_ledger, open_database, read_ledger, writing
from remediation.ledger.tables import GRANTS
from remediation.whatif.answer import what_if
from tests.remediation.whatif.test_replay import an_eventful_week
from tests.remediation.whatif.towns import Town, changed
from tests.support.stores import Store

NEW = changed(refund__rental__playback_stalls={"mild": 1, "moderate": 2, "severe": 3}, playback__stalls__bad_ratio=0.03)


@contextmanager
def opened(engine: Engine) -> Iterator[Engine]:
    with closing(engine.connect()):
        yield engine
    engine.dispose()


def digest(url: str) -> str:
    """Of every row of every table, whatever the program knows of them."""
    found = hashlib.sha256()
    with opened(read_ledger(url)) as engine, engine.connect() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            rows = sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            found.update(f"{table.name} {len(rows)} {rows}".encode())
    return found.hexdigest()


def file_bytes(url: str) -> bytes:
    """The file's own bytes; of a server, none."""
    return Path(url.removeprefix("sqlite:///")).read_bytes() if url.startswith("sqlite:") else b""


def test_a_replay_leaves_every_row_and_every_byte(store: Store) -> None:
    with store.ledger() as url:
        with opened(open_database(url)) as engine:
            an_eventful_week(Town(engine))
        before, its_bytes = digest(url), file_bytes(url)
        with opened(read_ledger(url)) as engine:
            assert not what_if(engine, None, NEW, 30).difference.is_none
        assert (digest(url), file_bytes(url)) == (before, its_bytes)


def test_nothing_can_be_written_through_it(store: Store) -> None:
    with store.ledger() as url:
        row = {"session_id": "S", "order_line_id": "OL", "customer_id": "C", "granted_at": 1}
        with opened(read_ledger(url)) as engine:
            with pytest.raises(DBAPIError, match=r"read-?only"), writing(engine) as connection:
                connection.execute(insert(GRANTS).values(row))
            with pytest.raises(DBAPIError, match=r"read-?only"), engine.begin() as connection:
                connection.execute(text("CREATE TABLE more (number INTEGER)"))
        with opened(open_database(url)) as engine, writing(engine) as connection:
            connection.execute(insert(GRANTS).values(row))


def test_a_file_that_is_no_ledger_is_not_made_one(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusableError, match="does not exist"):
        read_ledger(f"sqlite:///{tmp_path / 'none.db'}")
    (tmp_path / "empty.db").touch()
    with pytest.raises(DatabaseUnusableError, match="is empty: name the ledger"):
        read_ledger(f"sqlite:///{tmp_path / 'empty.db'}")
    assert (tmp_path / "empty.db").read_bytes() == b""
    with store.ledger() as url:
        migrate_ledger(url, "0003")
        with pytest.raises(DatabaseUnusableError, match=r"version 0003.*run makegood migrate"):
            read_ledger(url)


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'what? 100 % of #1.db'}"
    open_database(url).dispose()
    with opened(read_ledger(url)) as engine, engine.connect() as connection:
        assert connection.execute(select(GRANTS)).all() == []
