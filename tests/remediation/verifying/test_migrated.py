"""A ledger from before there was an audit log: its log begins with what was there, and hides nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, insert, update

from remediation.database import migrate_ledger, open_database, writing
from remediation.ledger.audit import history
from remediation.ledger.control_tables import AUDIT
from remediation.ledger.tables import ORDER_LINES, OUTBOX, REMEDIES, RUNS
from remediation.reviewing.verdicts import approve, reject
from remediation.verifying import verify
from remediation.verifying.trail import births, chain
from tests.remediation.ledger.evenings import MORNING, a_remedy, rows
from tests.remediation.outbox.senders import Gateway, Mailbox, send
from tests.remediation.verifying.ledgers import ADA, DAY, an_eventful_ledger, remedy_of, rows_named, run_of
from tests.support.stores import Store

NOW = MORNING + 5 * DAY


@pytest.fixture(scope="module")
def brought_up(store: Store) -> Iterator[str]:
    """An eventful ledger as the first program would have left it, brought to the present."""
    with store.ledger() as url:
        an_eventful_ledger(open_database(url)).dispose()
        migrate_ledger(url, "0001")
        migrate_ledger(url)
        yield url


@pytest.fixture
def migrated(store: Store, brought_up: str) -> Iterator[Engine]:
    """A copy of it."""
    with store.ledger(like=brought_up) as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def broken(ledger: Engine) -> list[tuple[str, int]]:
    return [(outcome.check.demand, outcome.count) for outcome in verify(ledger, NOW).outcomes if outcome.count]


def test_the_log_begins_with_what_was_there(migrated: Engine) -> None:
    told = {"run": (RUNS, "run_id"), "remedy": (REMEDIES, "remedy_id"), "outbox": (OUTBOX, "outbox_id")}
    with migrated.connect() as connection:
        assert rows_named(connection, chain) == []
        for entity, (table, key) in told.items():
            for row in rows(migrated, table):
                (first,) = history(connection, entity, row[key])  # type: ignore[arg-type]
                assert (first.before, first.after, first.actor) == (None, row["state"], "migration")
                assert first.at == MORNING + 3 * DAY
    number = {row["entity_id"]: row["number"] for row in rows(migrated, AUDIT)}
    mails, deeds = (
        [number[row["outbox_id"]] for row in rows(migrated, OUTBOX) if (row["kind"] == "mail") is is_mail]
        for is_mail in (True, False)
    )
    assert number[run_of()] < min(deeds) < max(deeds) < min(mails)


def test_it_is_sound_and_stays_so_while_it_goes_on(migrated: Engine) -> None:
    assert broken(migrated) == []
    approve(migrated, remedy_of("held"), ADA, "seen the recording")
    reject(migrated, remedy_of("refused"), ADA, "a test account")
    send(migrated, Gateway(), Mailbox(), MORNING + 4 * DAY)
    assert broken(migrated) == []


def test_what_was_held_can_be_approved_as_before(migrated: Engine) -> None:
    """Its part of the price was set aside before, and is not asked for a second time."""
    reserved = {row["order_line_id"]: row["refund_reserved"] for row in rows(migrated, REMEDIES) if row["number"] == 1}
    assert (reserved["held"], reserved["paid"], reserved["refused"]) == (True, True, False)
    owed = {row["order_line_id"]: row["owed_minor"] for row in rows(migrated, ORDER_LINES)}
    approve(migrated, remedy_of("held"), ADA, "seen the recording")
    assert {row["order_line_id"]: row["owed_minor"] for row in rows(migrated, ORDER_LINES)} == owed


def test_what_is_put_in_later_is_not_taken_for_old(migrated: Engine) -> None:
    """However old it claims to be."""
    forged = a_remedy("paid", number=9, refund=1)
    row = {
        **rows(migrated, REMEDIES)[0],
        "remedy_id": forged.remedy_id,
        "order_line_id": "paid",
        "number": 9,
        "as_of": 1,
    }
    with writing(migrated) as connection:
        connection.execute(insert(REMEDIES).values(row))
        assert [key for _, key, _ in rows_named(connection, births)] == [forged.remedy_id]


def test_money_that_was_raised_later_is_not_taken_for_old(migrated: Engine) -> None:
    with writing(migrated) as connection:
        connection.execute(update(ORDER_LINES).where(ORDER_LINES.c.order_line_id == "paid").values(owed_minor=299))
    assert [demand for demand, _ in broken(migrated)] == ["What is set aside of a price is what its remedies need."]
