"""A gateway and a mailer that remember, and can be made to break at any point."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from remediation.gateways.goods import GoodsDesk
from remediation.gateways.mails import Mailer
from remediation.gateways.refunds import Payout, ProviderRefund, Receipt, RefundGateway, RefundStatus
from remediation.ledger.resolution import Resolution
from remediation.ledger.tables import OUTBOX
from remediation.mail import Mail
from remediation.outbox.dispatch import Dispatched, Ways, dispatch
from remediation.outbox.worker import Passed, Worker
from remediation.payer import PayRefunds
from tests.remediation.ledger.evenings import a_remedy, an_order, owed, record_night, rows, with_orders


def quiet() -> None:
    """Breaks nothing."""


def in_turn(*actions: Callable[[], None]) -> Callable[[], None]:
    """Does one of the actions a call, in this order."""
    remaining = iter(actions)

    def act() -> None:
        next(remaining)()

    return act


@dataclass
class Gateway:
    """Makes a refund once a key, for as long as it remembers the key. `before` and `after` may raise."""

    before: Callable[[], None] = quiet
    after: Callable[[], None] = quiet
    status: RefundStatus = RefundStatus.SUCCEEDED
    name: str = "test"
    key_lifetime_ms: int | None = None
    made: list[Payout] = field(default_factory=list)

    def refund(self, payout: Payout) -> Receipt:
        self.before()
        if payout not in self.made:
            self.made.append(payout)
        self.after()
        return self._receipt(payout.remedy_id)

    def find(self, payout: Payout) -> Receipt | None:
        self.before()
        known = payout in self.made
        self.after()
        return self._receipt(payout.remedy_id) if known else None

    def refunds(self, since_ms: int) -> Iterator[ProviderRefund]:
        for made in self.made:
            receipt = self._receipt(made.remedy_id)
            yield ProviderRefund(
                receipt.reference,
                made.remedy_id,
                (made.payment_id,) if made.payment_id else (),
                made.amount_minor,
                made.currency,
                receipt.status,
                since_ms,
            )

    def _receipt(self, remedy_id: str) -> Receipt:
        return Receipt(f"re-{remedy_id}", self.status)


@dataclass
class Mailbox:
    """Takes every mail, and can look up which ones it took. `before` and `after` may raise."""

    before: Callable[[], None] = quiet
    after: Callable[[], None] = quiet
    taken: list[tuple[Mail, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def send(self, mail: Mail, recipient: str) -> str:
        self.before()
        self.taken.append((mail, recipient))
        self.after()
        return mail.message_id

    def find(self, mail: Mail) -> str | None:
        return next((taken.message_id for taken, _ in self.taken if taken == mail), None)


def approve(ledger: Engine, count: int = 1) -> list[Resolution]:
    """So many approved refunds of 299 USD, each with its mail."""
    lines = [f"OL-{number}" for number in range(1, count + 1)]
    with_orders(ledger, *(an_order(line, payment_id=f"pay-{line}") for line in lines))
    night = [owed(a_remedy(line)) for line in lines]
    record_night(ledger, *night)
    return night


def send(ledger: Engine, gateway: RefundGateway, mailer: Mailer, at: int, desk: GoodsDesk | None = None) -> Dispatched:
    """One pass at one moment."""
    return dispatch(ledger, Ways(gateway, mailer, desk), lambda: at)


def pay(ledger: Engine, gateway: RefundGateway, at: int) -> Passed:
    """One pass over the refunds alone."""
    return Worker(ledger, PayRefunds(ledger, gateway), lambda: at, lambda: True).run()


def states(ledger: Engine) -> list[tuple[str, str]]:
    """(kind, state) of every item, in order."""
    return sorted((row["kind"], row["state"]) for row in rows(ledger, OUTBOX))
