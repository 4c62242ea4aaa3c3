"""A provider's present word on one refund, asked for outside the sender's turn: by a webhook, or by the reconciler.

Whoever asks here may meet a payer at work on the same refund, and each other. So
nothing is claimed: the answer is applied to the state in which the refund is by
then, and only if no sender has begun with it meanwhile. A provider's words on one
refund only go forward, so that an old one changes nothing after a newer one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Engine, select

from remediation.database import writing
from remediation.durations import HOUR_MS
from remediation.gateways.refunds import Receipt, RefundGateway, RefundStatus
from remediation.ledger.audit import Author
from remediation.ledger.postings import post
from remediation.ledger.tables import OUTBOX
from remediation.outbox.claims import Item, advance, item_of
from remediation.outbox.states import State
from remediation.payer import payment, payout_of
from remediation.settling import heard

OPEN: Final = frozenset({State.SENDING, State.UNKNOWN})
"""Nobody here knows yet whether the provider has made it."""
TAKEN_ON: Final = frozenset({State.SENT, State.SETTLED})
"""The provider has made it, and may still let it fail."""


class Heard(StrEnum):
    """What an answer came to.

    `SAME` is nothing new. `ABSENT`: the provider has no such refund, or another one
    than the ledger's. `BUSY`: a sender is at work on it, whose own answer counts.
    """

    COMPLETED = "completed"
    SETTLED = "settled"
    FAILED = "failed"
    SAME = "same"
    ABSENT = "absent"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Standing:
    """A refund of the outbox as it stood at a moment; `retry_at` is null while a sender is at work on it."""

    item: Item
    reference: str | None
    retry_at: int | None


def standing(connection: Connection, outbox_id: str) -> Standing:
    """How a refund stands now.

    Raises:
      sqlalchemy.exc.NoResultFound: There is none of this id.
    """
    row = connection.execute(select(OUTBOX).where(OUTBOX.c.outbox_id == outbox_id)).one()
    return Standing(item_of(row), row.provider_reference, row.retry_at)


def ask(engine: Engine, gateway: RefundGateway, outbox_id: str, actor: str, clock: Callable[[], int]) -> Heard:
    """Asks for the refund of an outbox item and writes down what has changed.

    Raises:
      SilentError, DeferredError, RefusedError, UnusableError: See `gateways.errors`; nothing was written.
    """
    with engine.connect() as connection:
        before = standing(connection, outbox_id)
        payout = payout_of(connection, outbox_id)
    if before.item.state in OPEN and before.retry_at is None:
        return Heard.BUSY
    if before.item.state not in OPEN | TAKEN_ON:
        return Heard.SAME
    receipt = gateway.find(payout)
    with writing(engine) as connection:
        return hear(connection, before, receipt, gateway.name, Author(actor, clock()))


def hear(connection: Connection, before: Standing, receipt: Receipt | None, gateway: str, author: Author) -> Heard:
    """Applies a word of the provider to the refund as it stands now; `before` is how it stood when it was asked."""
    now = standing(connection, before.item.outbox_id)
    if now.item.state in TAKEN_ON:
        return _later_word(connection, now, receipt, gateway, author)
    if now.item.state in OPEN:
        if now.retry_at is None or now.retry_at != before.retry_at:
            return Heard.BUSY
        return _complete(connection, now.item, receipt, gateway, author) if receipt else Heard.ABSENT
    return Heard.SAME


def _later_word(connection: Connection, now: Standing, receipt: Receipt | None, gateway: str, author: Author) -> Heard:
    """A word on another refund than the one that the ledger knows is none on this one."""
    if receipt is None or receipt.reference != now.reference:
        return Heard.ABSENT
    after = heard(connection, now.item, receipt, gateway, author)
    return Heard.SAME if after is now.item.state else Heard(after.value)


def _complete(connection: Connection, item: Item, receipt: Receipt, gateway: str, author: Author) -> Heard:
    """Written down as the payer would: state, posting and log in one transaction."""
    if receipt.status is RefundStatus.FAILED:
        advance(connection, item, State.FAILED, author, f"{receipt.reference} was taken on and given up again")
        return Heard.FAILED
    taken_on, ask_at = f"taken on as {receipt.reference}", author.at + HOUR_MS
    sent = advance(
        connection, item, State.SENT, author, taken_on, retry_at=ask_at, provider_reference=receipt.reference
    )
    post(connection, [payment(payout_of(connection, item.outbox_id), gateway, author.at)])
    if receipt.status is RefundStatus.SUCCEEDED:
        advance(connection, sent, State.SETTLED, author, "done for good", settled_at=author.at)
    return Heard.COMPLETED
