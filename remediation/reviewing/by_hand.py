"""What the program could not bring to an end, ended by a person: done in another way, or dropped."""

from sqlalchemy import Connection, Engine, or_, select

from remediation.database import writing
from remediation.ledger.audit import Author
from remediation.ledger.postings import EXPENSE, Transfer, owed_account, post
from remediation.ledger.tables import OUTBOX
from remediation.money import Money
from remediation.outbox.claims import Item, advance, cancel, is_put_off, item_of
from remediation.outbox.states import State
from remediation.payer import payment, payout_of
from remediation.reviewing.verdicts import ReviewError, given, write_verdict

BY_HAND = "by hand"
"""The provider in the postings of what a person has paid."""


def done(engine: Engine, outbox_id: str, author: Author, reason: str, reference: str) -> None:
    """Writes down that a person has made a refund, given a credit, ordered goods or written a letter.

    The remedy's mail goes out once everything that it tells of is done.

    Raises:
      ReviewError: It does not wait for a person, or reason or reference are missing.
    """
    why, where = given(reason), given(reference)
    with writing(engine) as connection:
        item = _with_a_person(connection, outbox_id)
        advance(
            connection, item, State.SETTLED, author, why, provider_reference=where, settled_at=author.at, problem=None
        )
        if item.kind == "refund":
            post(connection, [payment(payout_of(connection, outbox_id), BY_HAND, author.at, "done by hand")])
        write_verdict(connection, "outbox", outbox_id, "approved", author, why)


def drop(engine: Engine, outbox_id: str, author: Author, reason: str) -> None:
    """Ends what will not be done. A refund that is dropped is owed no more; its mail does not go out.

    Raises:
      ReviewError: It does not wait for a person, or no reason is given.
    """
    why = given(reason)
    with writing(engine) as connection:
        item = _with_a_person(connection, outbox_id)
        advance(connection, item, State.CANCELLED, author, why)
        if item.kind == "refund":
            payout = payout_of(connection, outbox_id)
            amount = Money(payout.amount_minor, payout.currency)
            account = owed_account(payout.order_line_id)
            post(connection, [Transfer(payout.remedy_id, "dropped", account, EXPENSE, amount, author.at)])
        if item.kind != "mail":
            _say_nothing(connection, item.remedy_id, author)
        write_verdict(connection, "outbox", outbox_id, "rejected", author, why)


def _say_nothing(connection: Connection, remedy_id: str, author: Author) -> None:
    """Ends the mail that was to tell of what will not be done: one that has not begun, or was put off."""
    why = "what it tells of will not be done"
    of_remedy = (OUTBOX.c.remedy_id == remedy_id, OUTBOX.c.kind == "mail")
    unsent = select(OUTBOX).where(*of_remedy, or_(OUTBOX.c.state == State.APPROVED, is_put_off()))
    for mail in map(item_of, connection.execute(unsent).all()):
        cancel(connection, mail, author, why)


def _with_a_person(connection: Connection, outbox_id: str) -> Item:
    row = connection.execute(select(OUTBOX).where(OUTBOX.c.outbox_id == outbox_id)).first()
    if row is None:
        raise ReviewError(f"there is no item {outbox_id}: see makegood review list")
    if State(row.state) not in {State.FAILED, State.MANUAL}:
        raise ReviewError(f"item {outbox_id} is {row.state} and does not wait for a person")
    return item_of(row)
