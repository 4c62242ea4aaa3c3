"""A gateway and a mailer that remember, and can be made to break at any point."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine

from remediation.ledger.resolution import Resolution
from remediation.ledger.tables import OUTBOX
from remediation.mail import Mail
from remediation.payer import Payout, Receipt
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
    settles: bool = True
    name: str = "test"
    key_lifetime_ms: int | None = None
    made: list[Payout] = field(default_factory=list)

    def refund(self, payout: Payout) -> Receipt:
        self.before()
        if payout not in self.made:
            self.made.append(payout)
        self.after()
        return self._receipt(payout.remedy_id)

    def find(self, remedy_id: str) -> Receipt | None:
        self.before()
        known = any(payout.remedy_id == remedy_id for payout in self.made)
        self.after()
        return self._receipt(remedy_id) if known else None

    def _receipt(self, remedy_id: str) -> Receipt:
        return Receipt(f"re-{remedy_id}", settled=self.settles)


@dataclass
class Mailbox:
    """Takes every mail, and can look up which ones it took. `before` and `after` may raise."""

    before: Callable[[], None] = quiet
    after: Callable[[], None] = quiet
    taken: list[tuple[Mail, str]] = field(default_factory=list)

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


def states(ledger: Engine) -> list[tuple[str, str]]:
    """(kind, state) of every item, in order."""
    return sorted((row["kind"], row["state"]) for row in rows(ledger, OUTBOX))
