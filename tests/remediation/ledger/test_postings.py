from dataclasses import replace

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from remediation.database import writing
from remediation.ledger.postings import Transfer, post, unbalanced
from remediation.ledger.tables import POSTINGS
from remediation.money import Money
from tests.remediation.ledger.evenings import a_remedy, an_order, count, owed, record_night, with_orders

REMEDY_ID = a_remedy().remedy_id
SENT = Transfer(REMEDY_ID, "sent", debit="owed:OL-1", credit="provider:file", amount=Money(299, "USD"), posted_at=1)


@pytest.mark.parametrize("wrong", [{"amount": Money(0, "USD")}, {"amount": Money(-1, "USD")}, {"credit": "owed:OL-1"}])
def test_a_transfer_moves_money_from_one_account_to_another(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="moves nothing"):
        replace(SENT, **wrong)  # type: ignore[arg-type]  # each case sets one field


def test_an_event_is_posted_once(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy()))
    for expected in (2, 0):
        with writing(ledger) as connection:
            assert post(connection, [SENT, SENT]) == expected
    assert count(ledger, POSTINGS) == 4
    assert unbalanced(ledger) == ()


DISARMED = {
    "sqlite": "DROP TRIGGER postings_no_update",
    "postgresql": "ALTER TABLE postings DISABLE TRIGGER postings_append_only",
}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE postings SET amount_minor = 298",
        "DELETE FROM postings",
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
    ],
)
def test_what_was_written_down_cannot_be_altered_or_removed(ledger: Engine, change: str) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy()))
    with pytest.raises(DBAPIError, match="never altered or removed"), writing(ledger) as connection:
        connection.execute(text(change))


@pytest.mark.parametrize("damage", ["amount_minor = 298", "currency = 'JPY'"])
def test_a_ledger_that_was_tampered_with_shows_it(ledger: Engine, damage: str) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy()))
    with writing(ledger) as connection:
        connection.execute(text(DISARMED[ledger.dialect.name]))
        connection.execute(text(f"UPDATE postings SET {damage} WHERE amount_minor > 0"))  # noqa: S608 - two literals
    assert len(unbalanced(ledger)) == 1
