"""Migrations, up and down, empty and with data; and the tables that they make are those of the models."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from remediation.database import DatabaseUnusableError, migrate_ledger, open_database, parse_url, writing
from remediation.ledger import control_tables, survey_tables
from remediation.ledger.audit import entries, first_break
from remediation.ledger.postings import unbalanced
from remediation.ledger.tables import METADATA, OUTBOX, POSTINGS, REMEDIES, RUNS
from remediation.schema import HEAD
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, rows, with_orders
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, send, states
from tests.support.stores import Store

assert control_tables.AUDIT.metadata is survey_tables.SURVEYS.metadata is METADATA


@pytest.fixture
def url(store: Store) -> Iterator[str]:
    """The URL of an empty ledger of the present version."""
    with store.ledger() as made:
        yield made


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def drawn(connection: Connection) -> dict[str, object]:
    """Everything that the database says of its tables, in one spelling."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": sorted(
                (each["name"], str(each["type"]), each["nullable"], _default(each["default"]))
                for each in inspector.get_columns(table)
            ),
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(
                (each["name"] or "", each["constrained_columns"], each["referred_table"], each["referred_columns"])
                for each in inspector.get_foreign_keys(table)
            ),
            "unique": sorted(
                (each["name"] or "", each["column_names"]) for each in inspector.get_unique_constraints(table)
            ),
            "checks": sorted((each["name"] or "", each["sqltext"]) for each in inspector.get_check_constraints(table)),
            "indexes": sorted((each["name"] or "", each["column_names"]) for each in inspector.get_indexes(table)),
        }
        for table in sorted(inspector.get_table_names())
        if table != "alembic_version"
    }


def _default(text_of: str | None) -> str:
    """`'0'` and `0` are the same default, whichever way it was written down."""
    return str(text_of).split("::")[0].strip("'")


def test_the_migrations_make_what_the_models_say(store: Store, url: str) -> None:
    with opened(url) as engine, engine.connect() as connection:
        migrated = drawn(connection)
    with store.ledger() as other:
        migrate_ledger(other, "base")
        engine = create_engine(parse_url(other))
        METADATA.create_all(engine)
        with engine.connect() as connection:
            modelled = drawn(connection)
        engine.dispose()
    assert migrated == modelled


def test_down_to_nothing_and_up_again(url: str) -> None:
    with opened(url) as engine, engine.connect() as connection:
        before = drawn(connection)
    assert migrate_ledger(url, "base") == (HEAD, "base")
    assert migrate_ledger(url) == ("base", HEAD)
    with opened(url) as engine, engine.connect() as connection:
        assert drawn(connection) == before


def a_full_ledger(engine: Engine) -> None:
    """Three order lines: one refunded and told, one approved, one held."""
    approve(engine, 1)
    send(engine, Gateway(), Mailbox(), MORNING)
    with_orders(engine, an_order("OL-2"), an_order("OL-3"))
    record_night(engine, owed(a_remedy("OL-2")), owed(a_remedy("OL-3", state="held")), as_of=MORNING + 1)


def test_a_ledger_keeps_its_books_down_and_up_again(url: str) -> None:
    with opened(url) as engine:
        a_full_ledger(engine)
        with writing(engine) as connection:
            connection.execute(text("UPDATE runs SET counts = '{\"used\": 1}'"))
        before = (rows(engine, POSTINGS), states(engine), [row["state"] for row in rows(engine, REMEDIES)])
    assert migrate_ledger(url, "0001") == (HEAD, "0001")
    assert migrate_ledger(url) == ("0001", HEAD)
    with opened(url) as engine:
        after = (rows(engine, POSTINGS), states(engine), [row["state"] for row in rows(engine, REMEDIES)])
        assert after == before
        assert {row["state"] for row in rows(engine, RUNS)} == {"released"}
        assert unbalanced(engine) == ()
        gateway = Gateway()
        send(engine, gateway, Mailbox(), MORNING + 2)
        assert [payout.order_line_id for payout in gateway.made] == ["OL-2"]
        with engine.connect() as connection:
            assert first_break(entries(connection)) is None


def test_what_was_never_released_is_not_sent_because_of_going_down_and_up(url: str) -> None:
    with opened(url) as engine:
        with_orders(engine, an_order())
        record_night(engine, owed(a_remedy()))
        with writing(engine) as connection:
            connection.execute(text("UPDATE runs SET state = 'held'"))
    migrate_ledger(url, "0001")
    migrate_ledger(url)
    with opened(url) as engine:
        gateway = Gateway()
        send(engine, gateway, Mailbox(), MORNING)
        assert gateway.made == []
        assert [row["state"] for row in rows(engine, RUNS)] != ["released"]


def test_a_ledger_from_before_versions_is_known_by_its_tables(url: str) -> None:
    migrate_ledger(url, "0001")
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    engine.dispose()
    with pytest.raises(DatabaseUnusableError, match=r"version 0001.*run makegood migrate"):
        open_database(url)
    assert migrate_ledger(url) == ("0001", HEAD)


def test_a_migration_that_fails_leaves_everything_as_it_was(url: str) -> None:
    migrate_ledger(url, "0001")
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE audit (number INTEGER)"))
    with pytest.raises(DatabaseUnusableError, match="cannot be brought from version 0001 to 0006"):
        migrate_ledger(url)
    with engine.begin() as connection:
        assert "retry_at" not in {each["name"] for each in inspect(connection).get_columns("outbox")}
        connection.execute(text("DROP TABLE audit"))
    engine.dispose()
    assert migrate_ledger(url) == ("0001", HEAD)


def test_there_is_no_way_to_a_version_that_is_not_there(url: str) -> None:
    with pytest.raises(DatabaseUnusableError, match="cannot be brought from version 0006 to 9999"):
        migrate_ledger(url, "9999")


def test_references_hold_after_a_migration(url: str) -> None:
    migrate_ledger(url, "0001")
    migrate_ledger(url)
    with opened(url) as engine:
        row = {"outbox_id": "o", "remedy_id": "nobody", "kind": "mail", "state": "approved", "not_before": 0}
        with pytest.raises(IntegrityError), writing(engine) as connection:
            connection.execute(OUTBOX.insert().values(row))
        with engine.connect() as connection:
            assert connection.scalar(select(func.count()).select_from(OUTBOX)) == 0
