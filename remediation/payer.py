"""Pays what is approved through a refund gateway: at most once, whatever breaks in between."""

from dataclasses import dataclass
from typing import ClassVar, Final

from sqlalchemy import Connection, Engine, select

from remediation.gateways.refunds import Payout, Receipt, RefundGateway, RefundStatus
from remediation.ledger.postings import Transfer, owed_account, post, provider_account
from remediation.ledger.tables import ORDER_LINES, OUTBOX, REMEDIES
from remediation.money import Money
from remediation.outbox.claims import Item
from remediation.outbox.states import State
from remediation.outbox.worker import Done

ACTOR: Final = "payer"
STATES: Final = {
    RefundStatus.PENDING: State.SENT,
    RefundStatus.SUCCEEDED: State.SETTLED,
    RefundStatus.FAILED: State.FAILED,
}
"""What a provider's word means here: a refund that it has taken on is told to the customer."""


@dataclass(frozen=True, slots=True)
class PayRefunds:
    """The errand of refunds."""

    engine: Engine
    through: RefundGateway

    kind: ClassVar[str] = "refund"
    actor: ClassVar[str] = ACTOR
    can_ask: ClassVar[bool] = True
    settles_later: ClassVar[bool] = True

    @property
    def gateway(self) -> str:
        """The provider's name, as its breaker is kept."""
        return f"refunds:{self.through.name}"

    @property
    def repeat_is_safe_ms(self) -> int | None:
        """As long as the provider remembers a key."""
        return self.through.key_lifetime_ms

    def find(self, item: Item) -> Done | None:
        """What the provider knows under this remedy's id."""
        receipt = self.through.find(self._payout(item))
        return _done(receipt) if receipt else None

    def do(self, item: Item) -> Done:
        """Makes the refund."""
        return _done(self.through.refund(self._payout(item)))

    def done(self, connection: Connection, item: Item, at: int) -> None:
        """The debt is paid as soon as the provider has taken it over."""
        post(connection, [payment(payout_of(connection, item.outbox_id), self.through.name, at)])

    def _payout(self, item: Item) -> Payout:
        with self.engine.connect() as connection:
            return payout_of(connection, item.outbox_id)


def payout_of(connection: Connection, outbox_id: str) -> Payout:
    """The refund that an outbox item stands for."""
    query = (
        select(
            OUTBOX.c.remedy_id,
            ORDER_LINES.c.order_line_id,
            ORDER_LINES.c.payment_id,
            OUTBOX.c.amount_minor,
            OUTBOX.c.currency,
        )
        .select_from(OUTBOX.join(REMEDIES).join(ORDER_LINES))
        .where(OUTBOX.c.outbox_id == outbox_id)
    )
    row = connection.execute(query).one()
    return Payout(row.remedy_id, row.order_line_id, row.payment_id, row.amount_minor, row.currency)


def payment(payout: Payout, gateway: str, at: int, event: str = "sent") -> Transfer:
    """The posting of a refund that a provider has taken on, at `at` (milliseconds since the epoch)."""
    return Transfer(
        payout.remedy_id,
        event,
        debit=owed_account(payout.order_line_id),
        credit=provider_account(gateway),
        amount=Money(payout.amount_minor, payout.currency),
        posted_at=at,
    )


def return_of(payout: Payout, gateway: str, at: int) -> Transfer:
    """The posting of a refund that failed after all: the money is with the provider, and is owed again."""
    return Transfer(
        payout.remedy_id,
        "failed",
        debit=provider_account(gateway),
        credit=owed_account(payout.order_line_id),
        amount=Money(payout.amount_minor, payout.currency),
        posted_at=at,
    )


def _done(receipt: Receipt) -> Done:
    return Done(receipt.reference, STATES[receipt.status])
