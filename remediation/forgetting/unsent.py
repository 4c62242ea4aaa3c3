"""Mails that are still to be sent are called off before their text is erased; money and goods go on."""

from typing import Final

from sqlalchemy import Connection, delete, or_, select

from remediation.ledger.audit import Author
from remediation.ledger.tables import MAILS, OUTBOX, REMEDIES
from remediation.outbox.claims import SURVEY, cancel, is_put_off, item_of
from remediation.outbox.states import State

_WORDS: Final = ("mail", "letter", SURVEY)
_REASON: Final = "its customer is to be forgotten"
_WAITING: Final = (State.PROPOSED, State.HELD, State.APPROVED, State.FAILED, State.MANUAL)


def call_off_mails(connection: Connection, customer_id: str, author: Author) -> int:
    """Cancels every mail and letter to this customer that has not left; returns how many.

    One that is on its way this very moment, or of which nobody knows whether it
    arrived, is left to the sender: without an address it will not try again.
    """
    of_customer = REMEDIES.c.customer_id == customer_id
    waiting = (
        select(OUTBOX)
        .join(REMEDIES)
        .where(of_customer, OUTBOX.c.kind.in_(_WORDS), or_(OUTBOX.c.state.in_(_WAITING), is_put_off()))
        .order_by(OUTBOX.c.outbox_id)
    )
    items = [item_of(row) for row in connection.execute(waiting).all()]
    for item in items:
        cancel(connection, item, author, _REASON)
    # What a person may still approve would else bring its mail with it.
    has_item = select(OUTBOX.c.outbox_id).where(OUTBOX.c.remedy_id == MAILS.c.remedy_id, OUTBOX.c.kind == "mail")
    theirs = select(REMEDIES.c.remedy_id).where(of_customer)
    connection.execute(delete(MAILS).where(MAILS.c.remedy_id.in_(theirs), ~has_item.exists()))
    return len(items)
