"""What a constraint of the tables refuses is looked at once more, on tables from which it was taken."""
# ruff: noqa: S608 - the ids in these statements are our own

import pytest
from sqlalchemy import Connection, text

from remediation.verifying import slots, states
from remediation.verifying.checks import CHECKS
from tests.remediation.verifying.ledgers import item_of, remedy_of, rows_named
from tests.support.stores import STORE

PAID = remedy_of("paid")
only_sqlite = pytest.mark.skipif(STORE != "sqlite", reason="PostgreSQL has no way around its types and references")


def bare(connection: Connection, table: str) -> None:
    """Makes the table anew, without a single constraint."""
    for statement in (
        f"CREATE TABLE bare AS SELECT * FROM {table}",
        f"DROP TABLE {table}" + (" CASCADE" if STORE == "postgresql" else ""),
        f"ALTER TABLE bare RENAME TO {table}",
    ):
        connection.execute(text(statement))


def test_two_remedies_in_one_slot(spoilt: Connection) -> None:
    bare(spoilt, "remedies")
    spoilt.execute(text(f"UPDATE remedies SET number = 1 WHERE remedy_id = '{remedy_of('again', 2)}'"))
    assert rows_named(spoilt, slots.one_each) == [("remedies", "again", "2 remedies are its pay-out 1")]


def test_two_refunds_of_one_remedy(spoilt: Connection) -> None:
    bare(spoilt, "outbox")
    spoilt.execute(text(f"UPDATE outbox SET kind = 'refund' WHERE outbox_id = '{item_of('paid', 'mail')}'"))
    assert rows_named(spoilt, slots.one_each) == [("outbox", PAID, "this remedy has 2 items of the kind refund")]


def test_two_mails_under_one_message_id(spoilt: Connection) -> None:
    bare(spoilt, "mails")
    lines = ", ".join(f"'{remedy_of(line)}'" for line in ("paid", "held"))
    spoilt.execute(text(f"UPDATE mails SET message_id = 'm' WHERE remedy_id IN ({lines})"))
    assert rows_named(spoilt, slots.one_mail_each) == [("mails", "m", "2 mails have this message_id")]


@only_sqlite
def test_half_a_cent(spoilt: Connection) -> None:
    spoilt.execute(text(f"UPDATE outbox SET amount_minor = 2.5 WHERE outbox_id = '{item_of('paid', 'refund')}'"))
    named = [("outbox", item_of("paid", "refund"), "amount_minor is real, and no integer")]
    assert rows_named(spoilt, states.integers) == named


@only_sqlite
def test_a_row_whose_other_half_is_gone(spoilt: Connection) -> None:
    spoilt.execute(text("DELETE FROM order_lines WHERE order_line_id = 'paid'"))
    (named,) = rows_named(spoilt, states.references)
    assert (named[0], named[2]) == ("remedies", "it names a row of order_lines that is not there")


def test_all_of_them_are_among_the_checks() -> None:
    looked_at = {check.find for check in CHECKS}
    assert looked_at >= {slots.one_each, slots.one_mail_each, states.integers, states.references}
