"""Pays what is approved through a refund gateway: at most once, whatever breaks in between.

The intent (`sending`) is committed before the gateway is called. Whoever finds it
there later does not know whether the call was made, and asks before calling again.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import Engine, select

from remediation.database import writing
from remediation.ledger.postings import Transfer, owed_account, post, provider_account
from remediation.ledger.tables import ORDER_LINES, OUTBOX, REMEDIES
from remediation.money import Money
from remediation.outbox.claims import Item, advance, claim, in_states, waiting
from remediation.outbox.states import State

MAX_SILENCES: Final = 3
"""After so many calls in a row without an answer the gateway is taken to be down and the rest waits."""


@dataclass(frozen=True, slots=True)
class Payout:
    """One refund to be made. The remedy's id is the key under which a gateway makes it only once."""

    remedy_id: str
    order_line_id: str
    payment_id: str | None
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway's word that it has accepted a refund; `settled` when the money has moved for good."""

    reference: str
    settled: bool


class RefundRefusedError(Exception):
    """The gateway will not make this refund: certain, so that a person can make another one."""


class GatewaySilentError(Exception):
    """No answer: the refund may have been made or not."""


class RefundGateway(Protocol):
    """A payment provider."""

    @property
    def name(self) -> str:
        """Its name in the postings' account `provider:<name>`."""
        ...

    @property
    def key_lifetime_ms(self) -> int | None:
        """How long a repeated key is safe; None for ever. A provider that forgets a key pays it a second time."""
        ...

    def refund(self, payout: Payout) -> Receipt:
        """Makes the refund, or returns the receipt of the one made under this remedy's id before.

        Raises:
          RefundRefusedError: It certainly was not made, and will not be.
          GatewaySilentError: It may have been made.
        """
        ...

    def find(self, remedy_id: str) -> Receipt | None:
        """The receipt of the refund made under this key, None if there certainly is none.

        Raises:
          GatewaySilentError: No answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Paid:
    """What became of refunds in one pass; `waiting` were left for the next one."""

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    manual: int = 0
    waiting: int = 0


def pay(engine: Engine, gateway: RefundGateway, now_ms: int) -> Paid:
    """Clears up what an earlier pass left open, then pays all approved refunds.

    `now_ms` is milliseconds since the epoch. A gateway that stays silent three
    times in a row ends the pass.

    Raises:
      StateChangedError: Another process works on the same refund.
    """
    payer = _Payer(engine, gateway, now_ms)
    for item in in_states(engine, "refund", State.SENDING, State.UNKNOWN, State.SENT):
        if not payer.is_down:
            payer.resume(item)
    while not payer.is_down and (item_claimed := claim(engine, "refund", now_ms)):
        payer.send(item_claimed)
    count = payer.outcomes.count
    return Paid(
        sent=count(State.SENT),
        failed=count(State.FAILED),
        unknown=count(State.UNKNOWN),
        manual=count(State.MANUAL),
        waiting=waiting(engine, "refund"),
    )


class _Payer:
    """One pass; it remembers what became of each refund and how often the gateway has been silent."""

    def __init__(self, engine: Engine, gateway: RefundGateway, now_ms: int) -> None:
        self._engine = engine
        self._gateway = gateway
        self._now_ms = now_ms
        self._silences = 0
        self.outcomes: list[State] = []

    @property
    def is_down(self) -> bool:
        return self._silences >= MAX_SILENCES

    def resume(self, item: Item) -> None:
        """Asks for a refund that was left open. Only one that certainly was not made is sent again."""
        try:
            receipt = self._gateway.find(item.remedy_id)
        except GatewaySilentError:
            self._silence(item)
            return
        self._silences = 0
        if item.state is State.SENT:
            if receipt and receipt.settled:
                self._settle(item)
        elif receipt:
            self._accept(item, receipt)
        elif self._key_is_alive(item):
            self.send(item)
        else:
            self._move(item, State.MANUAL)

    def send(self, item: Item) -> None:
        """Calls the gateway for an item that is committed as `sending` or `unknown`."""
        try:
            receipt = self._gateway.refund(self._payout(item))
        except RefundRefusedError:
            self._silences = 0
            self._move(item, State.FAILED)
        except GatewaySilentError:
            self._silence(item)
        else:
            self._silences = 0
            self._accept(item, receipt)

    def _accept(self, item: Item, receipt: Receipt) -> None:
        """Sent, and posted, in one transaction: the debt is paid as soon as the provider has taken it over."""
        payout = self._payout(item)
        transfer = Transfer(
            item.remedy_id,
            "sent",
            debit=owed_account(payout.order_line_id),
            credit=provider_account(self._gateway.name),
            amount=Money(payout.amount_minor, payout.currency),
            posted_at=self._now_ms,
        )
        with writing(self._engine) as connection:
            sent = advance(connection, item, State.SENT, provider_reference=receipt.reference)
            post(connection, [transfer])
        self.outcomes.append(State.SENT)
        if receipt.settled:
            self._settle(sent)

    def _settle(self, item: Item) -> None:
        with writing(self._engine) as connection:
            advance(connection, item, State.SETTLED, settled_at=self._now_ms)

    def _silence(self, item: Item) -> None:
        self._silences += 1
        if item.state is State.SENDING:
            self._move(item, State.UNKNOWN)
        elif item.state is State.UNKNOWN:
            self.outcomes.append(State.UNKNOWN)

    def _move(self, item: Item, state: State) -> None:
        with writing(self._engine) as connection:
            advance(connection, item, state)
        self.outcomes.append(state)

    def _key_is_alive(self, item: Item) -> bool:
        lifetime = self._gateway.key_lifetime_ms
        if lifetime is None:
            return True
        return item.claimed_at is not None and self._now_ms - item.claimed_at < lifetime

    def _payout(self, item: Item) -> Payout:
        query = (
            select(ORDER_LINES.c.order_line_id, ORDER_LINES.c.payment_id, OUTBOX.c.amount_minor, OUTBOX.c.currency)
            .select_from(OUTBOX.join(REMEDIES).join(ORDER_LINES))
            .where(OUTBOX.c.outbox_id == item.outbox_id)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one()
        return Payout(item.remedy_id, row.order_line_id, row.payment_id, row.amount_minor, row.currency)
