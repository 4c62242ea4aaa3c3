"""A small service under everything that can happen to it; whatever does, ledger, world and oracle must agree."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from typing import Any, Final, TypeVar

from remediation.durations import HOUR_MS
from remediation.ledger.audit import Author
from remediation.ledger.budgets import Caps
from remediation.ledger.control import control, percentile
from remediation.ledger.journal import record
from remediation.ledger.policies import keep_policy
from remediation.ledger.resolution import Resolution
from remediation.ledger.run import Objection, Run, RunInput, finish_run, judge_run
from remediation.ledger.tables import OUTBOX
from remediation.money import Money
from remediation.outbox.dispatch import dispatch
from remediation.policy.load import default_policy
from remediation.remedy import Action
from remediation.webhooks.hints import Hints
from tests.prove.crashing import crashes
from tests.prove.disks import MemoryDisk
from tests.prove.glance import glance
from tests.prove.oracle import Oracle
from tests.prove.soundness import Books, broken_in
from tests.prove.world import CHARGED, World
from tests.remediation.ledger.evenings import MORNING, a_mail, a_remedy, an_order, in_stock, owed, with_orders
from tests.support.provider import Fault, InProcessGateway, Status
from tests.support.provider.model import Request

T = TypeVar("T")

PRICE: Final = 600
STOCK: Final = 3
TOP_UPS: Final = 3
LINES: Final[Mapping[str, str]] = {"OL-1": "C-1", "OL-2": "C-1", "OL-3": "C-2", "OL-4": "C-2", "OL-5": "C-3"}
"""Order lines and their customers."""
POLICY: Final = default_policy()
COUNTS: Final = {"records": 1, "used": 1, "duplicate": 0, "rejected": 0, "late": 0}
YEN: Final = "OL-5"
SECRET: Final = "whsec_the_town_knows_this_one"  # noqa: S105 - it opens nothing
ANOTHER: Final = "whsec_somebody_else_made_this"
UNDONE: Final = frozenset({Status.FAILED, Status.CANCELED})
ADA: Final = "person ada"


@cache
def disk_with_orders() -> tuple[MemoryDisk, bytes]:
    """A ledger with the order lines, and a photograph of it to begin again from."""
    disk = MemoryDisk()
    ledger = disk.blank()
    usual = {"amount_minor": PRICE, "kind": "goods"}
    lines = [
        an_order(line, customer_id=customer, payment_id=payment_of(line), currency=currency_of(line), **usual)
        for line, customer in LINES.items()
    ]
    with_orders(ledger, *lines)
    in_stock(ledger, STOCK)
    keep_policy(ledger, POLICY)
    return disk, disk.photograph(ledger)


def currency_of(line: str) -> str:
    return "JPY" if line == YEN else "USD"


def payment_of(line: str) -> str:
    return f"ch_{line.removeprefix('OL-')}"


def address_of(customer: str) -> str:
    return f"{customer.lower()}@example.com"


def one_of(things: Sequence[T], which: int) -> T:
    return things[which % len(things)]


class Town:
    """What can happen, each as a method that also tells the oracle; `demand_soundness` says whether all is well."""

    def __init__(self, caps: Caps) -> None:
        self.disk, photo = disk_with_orders()
        self.ledger = self.disk.develop(photo)
        self.world = World()
        self.overstepped: list[str] = []
        """What was done and should not have been. It is told later: the gateway takes any error for the provider's."""
        self._made = 0
        self._asked_at = -1
        self._live_in(self.world)
        for line in LINES:
            self.world.provider.charge(payment_of(line), CHARGED, currency_of(line).lower())
        with self.ledger.connect() as connection:
            salt = control(connection).salt
        self.oracle = Oracle(
            paid=dict.fromkeys(LINES, PRICE),
            stock=STOCK,
            caps=caps,
            percentiles={customer: percentile(customer, salt) for customer in LINES.values()},
        )
        self.true_time, self.skew = MORNING, 0
        self.nights: list[tuple[Run, tuple[Resolution, ...], bool]] = []
        self.numbers = dict.fromkeys(LINES, 0)
        self.suppressed: set[str] = set()
        """Customers who want no mail."""

    def now(self) -> int:
        """What our own clock says, in milliseconds since the epoch."""
        return self.true_time + self.skew

    # Nights.

    def night(self, actions: Mapping[str, Sequence[Action]], *, held: bool, objected: bool, breaks_off: bool) -> None:
        """Something is owed on some lines, for the first time or on top; it may not come to its end."""
        found = tuple(self._remedy(line, actions[line], held=held) for line in sorted(actions))
        number = len(self.nights)
        manifest = RunInput("telemetry", f"night-{number}", bytes=number, sha256="b" * 64, rows=1)
        run = Run(self.now(), POLICY.sha256, "1", (manifest,))
        self.nights.append((run, found, objected))
        self._record(run, found)
        if not breaks_off:
            self._judge(run, objected=objected)

    def same_night_again(self, which: int) -> None:
        """Run again, or for the first time to its end."""
        run, found, objected = one_of(self.nights, which)
        assert self._record(run, found) == set()
        self._judge(run, objected=objected)

    # Sending.

    def wait(self, ms: int) -> None:
        self.true_time += ms
        self.world.provider.advance(ms)

    def send(self, faults: Sequence[Fault] = ()) -> None:
        """One pass, in which the first calls go wrong."""
        self._script(faults)
        dispatch(self.ledger, self.world.ways, self.now)

    def send_and_die(self, faults: Sequence[Fault], step: int) -> None:
        """Everything goes on with what a crash after that step leaves behind, if there is such a step."""
        self._script(faults)

        def work(*_: object) -> None:
            dispatch(self.ledger, self.world.ways, self.now)

        for left in crashes(self.disk, self.ledger, self.world, work, wanted=(2 * step).__eq__).album:
            self.disk.develop(left.photo)
            self._live_in(left.world)

    # The provider.

    def refunds_become(self, status: Status) -> None:
        self.world.provider.refunds_become(status)

    def a_refund_moves(self, which: int, status: Status) -> None:
        movable = [effect for effect in self.world.provider.effects() if effect.status not in UNDONE]
        if movable:
            self.world.provider.move(one_of(movable, which).refund_id, status)

    def an_agent_refunds(self, line: str, amount: int) -> None:
        """At the provider, past us."""
        wanted = {"charge": payment_of(line), "amount": str(amount)}
        self.world.provider.answer(Request("POST", "/v1/refunds", wanted))

    def webhooks_come(self, seed: int, *, forged: bool) -> None:
        """Some of them, twice and out of order."""
        hints = Hints(self.ledger, InProcessGateway(self.world.provider), [SECRET], self.now)
        before = self.disk.raw.total_changes
        for delivery in self.world.provider.deliveries(ANOTHER if forged else SECRET, 2, seed)[:4]:
            answer = hints.take(delivery.body, delivery.signature)
            is_refused = answer.status == HTTPStatus.BAD_REQUEST
            assert is_refused == (forged or bool(self.skew))
            assert not is_refused or self.disk.raw.total_changes == before

    # What must hold.

    def demand_soundness(self) -> None:
        """Asks only where something has changed since the last time."""
        assert not self.overstepped, self.overstepped
        if self.disk.raw.total_changes == self._asked_at:
            return
        books = Books.of(self.ledger)
        assert not (wrong := broken_in(books, self.world)), wrong
        remedies = {remedy_id: row["state"] for remedy_id, row in books.remedies.items()}
        agreed = {remedy_id: debt.state for remedy_id, debt in self.oracle.debts.items()}
        assert remedies == agreed, (remedies, agreed)
        runs = {row["run_id"]: row["state"] for row in books.runs}
        assert runs == self.oracle.runs, (runs, self.oracle.runs)
        aside = {line_id: row["owed_minor"] for line_id, row in books.lines.items()}
        assert aside == self.oracle.money_aside, (aside, self.oracle.money_aside)
        (promised,) = (row["promised"] for row in books.stock)
        assert promised == self.oracle.goods_aside, (promised, self.oracle.goods_aside)
        spent = sorted(row["spent"] for row in books.budgets if row["spent"])
        assert spent == sorted(self.oracle.spent.values()), (spent, self.oracle.spent)
        self._asked_at = self.disk.raw.total_changes

    def _judge_refund(self) -> None:
        """At the moment at which a refund is made: may it be?"""
        made = self.world.provider.effects()
        for effect in made[self._made :]:
            if effect.remedy_id and not self.oracle.may_be_sent(effect.remedy_id):
                self.overstepped.append(f"{effect.remedy_id} was refunded, and nobody may do so now")
        self._made = len(made)

    def _judge_mail(self) -> None:
        """At the moment at which a mail leaves: may it, and is it true?"""
        mail, recipient = self.world.mailbox.taken[-1]
        customer = self.oracle.debts[mail.remedy_id].remedy.customer_id
        items = [row for row in glance(self.ledger, [OUTBOX])["outbox"] if row["remedy_id"] == mail.remedy_id]
        undone = {row["state"] for row in items if row["kind"] != "mail"} - {"sent", "settled"}
        wrong = {
            "nobody may send it now": not self.oracle.may_be_sent(mail.remedy_id),
            "it is somebody else's": recipient != address_of(customer),
            "no mail is wanted": customer in self.suppressed,
            "it is night": not 8 <= self.now() // HOUR_MS % 24 < 20,
            "it tells of what was not done": bool(undone),
        }
        self.overstepped += [f"{mail.remedy_id} was told, and {what}" for what, is_so in wrong.items() if is_so]

    # How it is done.

    def _live_in(self, world: World) -> None:
        self.world, self._made, self._asked_at = world, len(world.provider.effects()), -1
        world.provider.after, world.mailbox.after = self._judge_refund, self._judge_mail

    def _script(self, faults: Sequence[Fault]) -> None:
        self.world.provider.script(dict(enumerate(faults, 1)))

    def _remedy(self, line: str, actions: Sequence[Action], *, held: bool) -> Resolution:
        self.numbers[line] += 1
        state = "held" if held else "approved"
        of_line: dict[str, Any] = {
            "customer_id": LINES[line],
            "currency": currency_of(line),
            "number": self.numbers[line],
        }
        remedy = a_remedy(line, actions=actions, state=state, policy_sha256=POLICY.sha256, **of_line)
        words = f"Sorry. You get {Money(remedy.amount, remedy.currency).decimal}."
        mail = a_mail(remedy, subject=words, text=words, html=f"<body><p>{words}</p></body>")
        return replace(owed(remedy, not_before=self.now()), mail=mail)

    def _record(self, run: Run, found: tuple[Resolution, ...]) -> set[str]:
        """The remedies that came approved and are held."""
        remedies = [each.remedy for each in found if each.remedy]
        approved = {remedy.remedy_id for remedy in remedies if remedy.state == "approved"}
        held = approved & {*record(self.ledger, run, found, self.oracle.caps).held}
        assert held == self.oracle.record(run.run_id, run.as_of, remedies)
        return held

    def _judge(self, run: Run, *, objected: bool) -> None:
        finish_run(self.ledger, run.run_id, COUNTS, {})
        objections = [Objection("storm", "too many")] if objected else []
        judge_run(self.ledger, run.run_id, Author("guards", self.now()), None, objections)
        self.oracle.judge(run.run_id, objected=objected)
