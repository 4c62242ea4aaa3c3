import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from remediation.database import (
    DatabaseUnusableError,
    is_database_url,
    open_database,
    open_order_book,
    wal_is_safe,
    writing,
)

NEW_RUN = text(
    "INSERT INTO runs (run_id, as_of, policy_sha256, detector_version, counts) VALUES ('r', 0, 'p', '1', '{}')"
)


def test_a_new_ledger_makes_its_folder_and_opens_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a' / 'b' / 'ledger.db'}"
    for _ in range(2):
        engine = open_database(url)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM remedies")) == 0
        engine.dispose()


def test_every_connection_to_sqlite_keeps_foreign_keys_and_waits_for_the_disk(tmp_path: Path) -> None:
    ledger = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    with ledger.connect() as first, ledger.connect() as second:
        for connection in (first, second):
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
            assert connection.scalar(text("PRAGMA synchronous")) == 2
            journal = "wal" if wal_is_safe(sqlite3.sqlite_version_info[:3]) else "delete"
            assert connection.scalar(text("PRAGMA journal_mode")) == journal
    ledger.dispose()


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
    ids=str,
)
def test_write_ahead_logging_only_where_it_cannot_corrupt(version: tuple[int, int, int], *, safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_two_who_read_and_then_write_take_turns(ledger: Engine) -> None:
    def spend() -> None:
        for _ in range(20):
            with writing(ledger) as connection:
                spent = connection.scalar(text("SELECT as_of FROM runs"))
                connection.execute(text("UPDATE runs SET as_of = :spent"), {"spent": (spent or 0) + 1})

    with writing(ledger) as connection:
        connection.execute(NEW_RUN)
    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.connect() as connection:
        assert connection.scalar(text("SELECT as_of FROM runs")) == 80


def test_a_transaction_that_fails_leaves_nothing(ledger: Engine) -> None:
    def fail_half_way() -> None:
        with writing(ledger) as connection:
            connection.execute(NEW_RUN)
            connection.execute(text("INSERT INTO remedy_findings VALUES ('no such remedy', 'no such finding', NULL)"))

    with pytest.raises(IntegrityError):
        fail_half_way()
    with ledger.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM runs")) == 0


def test_several_first_starts_at_once_make_one_ledger(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def start() -> None:
        try:
            open_database(f"sqlite:///{tmp_path / 'ledger.db'}").dispose()
        except DatabaseUnusableError as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ledger.db", "ledger.db is not a database URL"),
        ("postgresql:/rick:secret@host/x", "is not a database URL"),
        ("postgresql://rick:secret@host:no/x", r"postgresql://\*\*\* is not a database URL"),
        ("mysql://rick:secret@host/x?password=secret", r"mysql://rick:\*\*\*@host/x is neither a sqlite nor"),
        ("sqlite:////proc/nowhere/ledger.db", "cannot be used"),
    ],
)
def test_a_url_that_cannot_be_opened_is_named_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(DatabaseUnusableError, match=sentence) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order_line_id\n" * 200)
    with pytest.raises(DatabaseUnusableError, match="file is not a database"):
        open_database(f"sqlite:///{file}")
    assert file.read_text() == "order_line_id\n" * 200


def _database(file: Path, *statements: str) -> str:
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return f"sqlite:///{file}"


def test_somebody_elses_database_gets_no_tables(tmp_path: Path) -> None:
    url = _database(tmp_path / "shop.db", "CREATE TABLE baskets (id INTEGER)")
    with pytest.raises(DatabaseUnusableError, match="not a ledger but holds other tables"):
        open_database(url)


@pytest.mark.parametrize(
    ("version", "advice"), [("0001", "back it up, then run makegood migrate"), ("9999", "newer than this program")]
)
def test_a_ledger_of_another_version_is_left_alone(tmp_path: Path, version: str, advice: str) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_database(url).dispose()
    _database(tmp_path / "ledger.db", f"UPDATE alembic_version SET version_num = '{version}'")  # noqa: S608 - two literals
    with pytest.raises(DatabaseUnusableError, match=f"is a ledger of version {version}.*{advice}"):
        open_database(url)


def test_an_order_book_is_read_and_never_written(ledger: Engine) -> None:
    book = open_order_book(ledger.url.render_as_string(hide_password=False))
    with book.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM order_lines")) == 0
        with pytest.raises(DBAPIError, match=r"read-?only"):
            connection.execute(text("DELETE FROM order_lines"))
    book.dispose()


def test_an_order_book_without_its_tables_says_which(tmp_path: Path) -> None:
    url = _database(tmp_path / "shop.db", "CREATE TABLE customers (customer_id TEXT, email TEXT)")
    with pytest.raises(DatabaseUnusableError, match=r"lacks order_lines, customers\.name, .*grants"):
        open_order_book(url)


def test_an_order_book_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusableError, match="does not exist"):
        open_order_book(f"sqlite:///{tmp_path / 'shop.db'}")
    assert not (tmp_path / "shop.db").exists()


@pytest.mark.parametrize(
    ("name", "is_url"),
    [
        ("sqlite:///orders.db", True),
        ("postgresql+psycopg://host/shop", True),
        ("orders.jsonl", False),
        ("sqlite", False),
        ("gs://bucket/orders.jsonl", False),
    ],
)
def test_a_path_is_told_from_a_database(name: str, *, is_url: bool) -> None:
    assert is_database_url(name) is is_url
