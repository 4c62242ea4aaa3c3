"""A town that one evening let down, and all that lies outside the ledger: what a crash cannot undo."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine

from remediation.durations import MINUTE_MS
from remediation.gateways.errors import SilentError
from remediation.gateways.goods import GoodsOrder
from remediation.gateways.refunds import RefundGateway
from remediation.ledger.control_tables import BREAKERS
from remediation.ledger.resolution import Resolution
from remediation.ledger.tables import OUTBOX
from remediation.mail import Mail
from remediation.outbox.dispatch import Dispatched, Ways, dispatch
from remediation.remedy import Action
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, in_stock, owed, rows, with_orders
from tests.remediation.outbox.senders import Mailbox, quiet
from tests.support.provider import Effect, InProcessGateway, Provider, RunningProvider
from tests.support.provider.model import Answer, Request

PRICE: Final = 299
CHARGED: Final = 1000
"""What the provider could refund of each payment: room for three, so that no limit but ours prevents a second one."""

PASSES: Final = 50
"""More than the ladder has steps: after so many, an item is with a person."""


def first(count: int) -> range:
    """The numbers of so many order lines."""
    return range(1, count + 1)


REFUND: Final = (Action("refund", amount_minor=PRICE),)
BOTH: Final = (*REFUND, Action("replacement", service_level="next_day"))
EXCHANGE: Final = (Action("exchange"),)
_CYCLE: Final = (REFUND, REFUND, EXCHANGE, BOTH)


@dataclass
class Desk:
    """A warehouse that keeps one order a key. `before` and `after` may raise."""

    before: Callable[[], None] = quiet
    after: Callable[[], None] = quiet
    made: dict[str, GoodsOrder] = field(default_factory=dict)

    def order(self, goods: GoodsOrder) -> str:
        self.before()
        self.made[goods.key] = goods
        self.after()
        return f"order-{goods.key}"

    def find(self, key: str) -> str | None:
        return f"order-{key}" if key in self.made else None


class Relay(Mailbox):
    """A mail relay: what it took is gone, and cannot be looked up."""

    def find(self, mail: Mail) -> str | None:
        raise SilentError(f"a relay cannot be asked for {mail.message_id}")


class WatchedProvider(Provider):
    """A provider each of whose calls can be stopped before and after it. Its clock starts with ours."""

    def __init__(self) -> None:
        super().__init__(now_ms=MORNING)
        self.before: Callable[[], None] = quiet
        self.after: Callable[[], None] = quiet

    def answer(self, request: Request) -> Answer:
        self.before()
        answer = super().answer(request)
        self.after()
        return answer


@dataclass
class World:
    """The provider, the mailbox and the warehouse: whatever becomes of the ledger, they keep what they did."""

    provider: WatchedProvider = field(default_factory=WatchedProvider)
    mailbox: Mailbox = field(default_factory=Mailbox)
    desk: Desk = field(default_factory=Desk)

    @property
    def ways(self) -> Ways:
        gateway: RefundGateway = InProcessGateway(self.provider)
        return Ways(gateway, self.mailbox, self.desk)

    @property
    def deeds(self) -> tuple[list[Effect], list[str], list[str]]:
        """Everything that was really done: refunds, mails by their remedy, goods by their key."""
        return self.provider.effects(), [mail.remedy_id for mail, _ in self.mailbox.taken], list(self.desk.made)

    def twin(self) -> "World":
        """Another world with the same past, in which nothing breaks."""
        mailbox, desk = type(self.mailbox)(taken=list(self.mailbox.taken)), Desk(made=dict(self.desk.made))
        return World(self.provider.twin(), mailbox, desk)


def actions_of(number: int) -> tuple[Action, ...]:
    """What order line `number` is owed: mostly money, some goods, some both."""
    return _CYCLE[number % len(_CYCLE)]


def orders(numbers: range) -> list[dict[str, object]]:
    """Order lines, each of a customer and with a payment of its own; every fifth is paid in yen."""
    return [
        an_order(
            f"OL-{number}",
            customer_id=f"C-{number}",
            payment_id=f"ch_{number}",
            currency=currency_of(number),
            kind="rental" if actions_of(number) == REFUND else "goods",
        )
        for number in numbers
    ]


def currency_of(number: int) -> str:
    return "JPY" if number % 5 == 0 else "USD"


def resolutions(numbers: range) -> list[Resolution]:
    """What the evening leads to, an order line each."""
    return [
        owed(
            a_remedy(
                f"OL-{number}",
                customer_id=f"C-{number}",
                currency=currency_of(number),
                actions=actions_of(number),
            )
        )
        for number in numbers
    ]


def import_town(ledger: Engine, numbers: range) -> None:
    """The order lines, their customers, and enough of the item for all."""
    with_orders(ledger, *orders(numbers))
    in_stock(ledger, len(numbers))


def charge_all(provider: Provider | RunningProvider, numbers: range) -> None:
    """The payments that the order lines name."""
    for number in numbers:
        provider.charge(f"ch_{number}", CHARGED, currency_of(number).lower())


def send(ledger: Engine, world: World, at: int = MORNING) -> Dispatched:
    """One pass over everything that is due."""
    return dispatch(ledger, world.ways, lambda: at)


def send_until_done(ledger: Engine, world: World, at: int, done: Callable[[], bool]) -> int:
    """Passes at the moments at which something is due, until all is done; the moment of the last one.

    Both clocks are moved together.
    """
    for _ in range(PASSES):
        send(ledger, world, at)
        if done():
            return at
        later = next_moment(ledger, at)
        world.provider.advance(later - at)
        at = later
    return at


def next_moment(ledger: Engine, at: int) -> int:
    """When something is due next; within a minute where nobody knows."""
    waits = [row["retry_at"] for row in rows(ledger, OUTBOX) if row["state"] in {"sending", "unknown"}]
    rests = [row["open_until"] for row in rows(ledger, BREAKERS)]
    due = max(min((wait for wait in waits if wait is not None), default=at), *rests, at)
    return due if due > at else at + MINUTE_MS
