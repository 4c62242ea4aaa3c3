"""A planted name and address: wherever they stand but in the customers' own table, the row is named."""
# ruff: noqa: S608 - the ids in these statements are our own

import pytest
from sqlalchemy import Connection, text

from remediation.verifying import privacy
from remediation.verifying.checks import CHECKS
from tests.remediation.verifying.ledgers import remedy_of, rows_named

PAID = remedy_of("paid")
ADDRESS = "C-1@Example.com"

PLACES = {
    "a reason": ("remedies", "reason", f"remedy_id = '{PAID}'", PAID),
    "a log row": ("audit", "reason", "number = 5", "5"),
    "who wrote a log row": ("audit", "actor", "number = 5", "5"),
    "what a provider said": ("outbox", "problem", f"remedy_id = '{PAID}' AND kind = 'mail'", None),
    "a verdict": ("reviews", "reason", f"subject_id = '{remedy_of('refused')}'", f"remedy {remedy_of('refused')} 1"),
}


def named(connection: Connection) -> None:
    connection.execute(text("UPDATE customers SET name = 'Rick Blaine'"))


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_an_address_in_words_is_named(spoilt: Connection, place: tuple[str, str, str, str | None]) -> None:
    table, column, where, key = place
    assert rows_named(spoilt, privacy.addresses) == []
    spoilt.execute(text(f"UPDATE customers SET email = '{ADDRESS}'"))
    spoilt.execute(text(f"UPDATE {table} SET {column} = 'wrote from <{ADDRESS.swapcase()}>.' WHERE {where}"))
    ((table_named, key_named, problem),) = rows_named(spoilt, privacy.addresses)
    assert (table_named, problem) == (table, f"its {column} holds a customer's address")
    assert key is None or key_named == key


def test_an_address_in_evidence_is_named(spoilt: Connection) -> None:
    spoilt.execute(text(f"""UPDATE findings SET evidence = '{{"note"\\: "{ADDRESS.lower()}"}}'"""))
    assert {table for table, _, _ in rows_named(spoilt, privacy.addresses)} == {"findings"}


def test_the_address_of_somebody_else_is_no_customers(spoilt: Connection) -> None:
    spoilt.execute(text("UPDATE audit SET actor = 'person ada@example.com' WHERE number = 5"))
    assert rows_named(spoilt, privacy.addresses) == []


@pytest.mark.parametrize("column", ["subject", "text", "html"])
@pytest.mark.parametrize("said", ["c-1@example.com", "Rick Blaine"])
def test_a_mail_that_names_its_recipient_is_named(spoilt: Connection, column: str, said: str) -> None:
    named(spoilt)
    assert rows_named(spoilt, privacy.mailed) == []
    spoilt.execute(text(f"UPDATE mails SET {column} = {column} || ' {said}' WHERE remedy_id = '{PAID}'"))
    problem = f"its {column} holds its recipient's name or address"
    assert rows_named(spoilt, privacy.mailed) == [("mails", PAID, problem)]


@pytest.mark.parametrize("name", ["Rose", "May", "伊藤"])
def test_a_name_that_is_an_ordinary_word_says_nothing(spoilt: Connection, name: str) -> None:
    spoilt.execute(text(f"UPDATE customers SET name = '{name}'"))
    spoilt.execute(text(f"UPDATE mails SET text = text || ' May 3, Rose and 伊藤' WHERE remedy_id = '{PAID}'"))
    assert rows_named(spoilt, privacy.mailed) == []


def test_a_name_in_another_script_is_told_without_a_space(spoilt: Connection) -> None:
    spoilt.execute(text("UPDATE customers SET name = '伊藤さくら'"))
    spoilt.execute(text(f"UPDATE mails SET text = '伊藤さくら様' WHERE remedy_id = '{PAID}'"))
    assert [key for _, key, _ in rows_named(spoilt, privacy.mailed)] == [PAID]


def test_a_title_that_is_a_name_is_the_catalogues(spoilt: Connection) -> None:
    named(spoilt)
    spoilt.execute(text("UPDATE order_lines SET title = '\"The Story of Rick Blaine\"' WHERE order_line_id = 'paid'"))
    spoilt.execute(text(f"UPDATE mails SET text = 'The Story of Rick Blaine' WHERE remedy_id = '{PAID}'"))
    assert rows_named(spoilt, privacy.mailed) == []


def test_a_name_in_reasons_and_log_is_named(spoilt: Connection) -> None:
    named(spoilt)
    assert rows_named(spoilt, privacy.names) == []
    spoilt.execute(text(f"UPDATE remedies SET reason = 'Rick Blaine saw nothing.' WHERE remedy_id = '{PAID}'"))
    spoilt.execute(
        text(f"UPDATE audit SET reason = 'Rick Blaine saw nothing.' WHERE entity_id = '{PAID}' AND before IS NULL")
    )
    assert [table for table, _, _ in rows_named(spoilt, privacy.names)] == ["remedies", "audit"]


def test_all_of_them_are_among_the_checks() -> None:
    assert {check.find for check in CHECKS} >= {privacy.addresses, privacy.mailed, privacy.names}
