"""A ledger on which everything that can happen has happened, so that a check which cries wolf would cry here."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from detectors.finding import Finding, content_id
from remediation.blocks import block, unblock
from remediation.gateways.errors import RefusedError
from remediation.gateways.refunds import Payout, Receipt, RefundStatus
from remediation.ledger.audit import Author
from remediation.ledger.control import Mode, set_mode
from remediation.ledger.journal import record
from remediation.ledger.policies import keep_policy
from remediation.ledger.resolution import Basis, Resolution
from remediation.ledger.run import Objection, Run, finish_run, judge_run
from remediation.policy.load import default_policy
from remediation.remedy import Action
from remediation.reviewing.by_hand import done, drop
from remediation.reviewing.runs import release, withdraw
from remediation.reviewing.verdicts import approve, reject
from remediation.verifying.breach import Find
from tests.remediation.ledger.evenings import (
    GENEROUS,
    MORNING,
    a_finding,
    a_mail,
    a_remedy,
    an_order,
    declined,
    in_stock,
    with_orders,
)
from tests.remediation.loyalty.asked import WEEK_LATER, an_answer, answered, asked, sent, unsubscribed
from tests.remediation.outbox.senders import Gateway, Mailbox, send

ADA: Final = Author("person ada", MORNING + 5)
DAY: Final = 86_400_000
POLICY: Final = default_policy().sha256
COUNTS: Final[Mapping[str, int]] = {"records": 10, "used": 6, "duplicate": 1, "rejected": 1, "late": 2}
CREDIT: Final = (Action("refund", 100), Action("credit", 60))
ASKED: Final = ("C-7", "C-8", "C-9")
GOODS: Final = (Action("shipping_refund", 499), Action("replacement", service_level="next_day"))


@dataclass
class Moody(Gateway):
    """A gateway that has a word of its own on some order lines; null refuses the refund."""

    words: dict[str, RefundStatus | None] = field(default_factory=dict)

    def refund(self, payout: Payout) -> Receipt:
        self._listen(payout)
        return super().refund(payout)

    def find(self, payout: Payout) -> Receipt | None:
        self._listen(payout)
        return super().find(payout)

    def _listen(self, payout: Payout) -> None:
        word = self.words.get(payout.order_line_id, RefundStatus.SUCCEEDED)
        if word is None:
            raise RefusedError("the card is closed")
        self.status = word


def a_due(order_line_id: str, findings: Sequence[Finding] = (a_finding(),), **fields: Any) -> Resolution:
    """A remedy under the built-in policy, with a mail that names its amounts as a real one does."""
    ids = tuple(finding.finding_id for finding in findings)
    remedy = a_remedy(order_line_id, policy_sha256=POLICY, finding_ids=ids, **fields)
    amounts = [_dollars(each.amount_minor) for each in remedy.actions if each.amount_minor]
    back = sum(each.amount_minor or 0 for each in remedy.actions if each.kind != "credit")
    words = f"We have refunded {' and '.join(amounts)}. There were 3 stalls."
    mail = a_mail(
        remedy,
        subject=f"Your refund of {_dollars(back)}",
        text=words,
        html=f"<style>p {{ width: 299px }}</style><body><p>{words}</p></body>",
    )
    basis = Basis(order_line_id, remedy.customer_id, "e" * 64, None)
    return Resolution(tuple(findings), remedy, "e" * 64, mail, not_before=MORNING, basis=basis)


def a_night(ledger: Engine, *resolutions: Resolution, as_of: int = MORNING, held: bool = False) -> str:
    """A whole run under the built-in policy, which the ledger keeps; returns its id."""
    keep_policy(ledger, default_policy())
    run = Run(as_of, POLICY, "1", inputs=())
    record(ledger, run, resolutions, GENEROUS)
    finish_run(ledger, run.run_id, COUNTS, {})
    against = [Objection("payouts", "It is too much.")] if held else []
    judge_run(ledger, run.run_id, Author("guards", as_of), None, against)
    return run.run_id


def an_eventful_ledger(ledger: Engine) -> Engine:
    """Paid, waiting, decided by people, failed, done by hand, dropped, asked, topped up, withdrawn, switched off."""
    kept = ("paid", "pending", "failed", "by hand", "dropped", "again", "called off")
    lines = (*kept, "held", "allowed", "refused", "credit", "held out")
    with_orders(ledger, *map(an_order, (*lines, "unsent")), an_order("goods", kind="goods", shipping_minor=499))
    with_orders(ledger, *(an_order(f"asked {customer}", customer_id=customer) for customer in ASKED))
    in_stock(ledger, 5)
    _stop_and_go(ledger)
    a_night(
        ledger,
        *(a_due(line, refund=200) for line in kept),
        *(a_due(line, state="held") for line in ("held", "allowed", "refused")),
        a_due("credit", actions=CREDIT, arm="goodwill"),
        a_due("held out", refund=100, arm="holdout", withheld_minor=60),
        a_due("goods", actions=GOODS),
        *(a_due(f"asked {customer}", refund=100, customer_id=customer) for customer in ASKED),
        declined(),
    )
    reject(ledger, remedy_of("called off"), ADA, "paid in the shop")
    pending = dict.fromkeys(("pending", "failed"), RefundStatus.PENDING)
    gateway = Moody(words={**pending, "by hand": None, "dropped": None})
    send(ledger, gateway, Mailbox(), MORNING)
    _people_speak(ledger)
    gateway.words["failed"] = RefundStatus.FAILED
    send(ledger, gateway, Mailbox(), MORNING + DAY)
    _some_are_asked(ledger, gateway)
    a_night(ledger, a_due("again", refund=99, number=2), as_of=MORNING + DAY)
    _runs_are_held(ledger)
    set_mode(ledger, Mode.OFF, ADA, "the bank asks for it")
    return ledger


def _some_are_asked(ledger: Engine, gateway: Gateway) -> None:
    """One answers, one wants to be asked no more; the third does neither."""
    asked(ledger)
    sent(ledger, WEEK_LATER, gateway=gateway)
    answered(ledger, an_answer(ledger, "C-7", 9))
    unsubscribed(ledger, "C-8")


def _people_speak(ledger: Engine) -> None:
    done(ledger, item_of("by hand", "refund"), ADA, "paid by bank transfer", "transfer 17")
    done(ledger, item_of("credit", "credit"), ADA, "added to the account", "credit 4")
    drop(ledger, item_of("dropped", "refund"), ADA, "the customer waived it")
    approve(ledger, remedy_of("allowed"), ADA, "seen the recording")
    reject(ledger, remedy_of("refused"), ADA, "a test account")


def _stop_and_go(ledger: Engine) -> None:
    """What was stopped, and let go on before anything was sent, has stopped nothing."""
    for mode in (Mode.OFF, Mode.NORMAL):
        set_mode(ledger, mode, ADA, "a drill")
    block(ledger, "again", "dispute", ADA, "the bank says so")
    unblock(ledger, "again", "dispute", ADA, "the bank has decided")


def _runs_are_held(ledger: Engine) -> None:
    taken_back = a_night(ledger, a_due("unsent", refund=50), as_of=MORNING + 2 * DAY, held=True)
    withdraw(ledger, taken_back, ADA, "the telemetry was doubled")
    let_go = a_night(ledger, a_due("unsent", refund=60, number=2), as_of=MORNING + 3 * DAY, held=True)
    release(ledger, let_go, ADA, "a premiere")


def remedy_of(order_line_id: str, number: int = 1) -> str:
    """The id of a pay-out on this order line."""
    return a_remedy(order_line_id, number=number).remedy_id


def item_of(order_line_id: str, kind: str, number: int = 1) -> str:
    """The id of what a pay-out on this order line put into the outbox."""
    return content_id(remedy_id=remedy_of(order_line_id, number), kind=kind)


def run_of(as_of: int = MORNING) -> str:
    """The id of the run of that night."""
    return Run(as_of, POLICY, "1", inputs=()).run_id


def rows_named(connection: Connection, find: Find, now: int = MORNING + 4 * DAY) -> list[tuple[str, str, str]]:
    """What one check names: table, key and problem."""
    return [(breach.table, breach.key, breach.problem) for breach in find(connection, now)]


@contextmanager
def past_the_program(ledger: Engine) -> Iterator[Connection]:
    """A transaction in which nothing guards the tables but what they are made of; all of it is undone at the end."""
    with ledger.connect() as connection:
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):  # within a transaction the pragmas would do nothing
            driver.execute("PRAGMA foreign_keys = OFF")
            driver.execute("PRAGMA ignore_check_constraints = ON")
            for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # neither triggers nor references
        yield connection
        connection.rollback()


def _dollars(minor: int | None) -> str:
    return f"${(minor or 0) / 100:.2f}"
