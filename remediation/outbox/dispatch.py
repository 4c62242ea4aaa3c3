"""Sends what the outbox holds: the money and the goods first, then the words."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Final

from sqlalchemy import Engine

from remediation.gateways.goods import GoodsDesk
from remediation.gateways.mails import Mailer
from remediation.gateways.refunds import RefundGateway
from remediation.goods_desk import OrderGoods
from remediation.locks import IsHeld
from remediation.loyalty.links import Links
from remediation.loyalty.posting import PostSurveys, call_off
from remediation.mailer import PostMails
from remediation.outbox.breaker import Pace
from remediation.outbox.claims import SURVEY, waiting
from remediation.outbox.lock import SenderBusyError, sender_lock
from remediation.outbox.worker import Clock, Errand, Passed, Worker
from remediation.payer import PayRefunds
from remediation.remedy import GOODS
from remediation.settling import settle
from remediation.spans import span

_LOG: Final = logging.getLogger(__name__)

POLL_S: Final = 10.0
"""How often a sender that follows looks for something new."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out. Without a desk no goods are ordered, and their mails wait; without links no customer is asked."""

    refunds: RefundGateway
    mails: Mailer
    goods: GoodsDesk | None = None
    links: Links | None = None


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What became of refunds, goods, mails and surveys in one pass."""

    refunds: Passed
    goods: Passed
    mails: Passed
    surveys: Passed = field(default_factory=Passed)

    @property
    def is_idle(self) -> bool:
        """Whether nothing was sent and nothing was tried."""
        return all(
            each == Passed(waiting=each.waiting) for each in (self.refunds, self.goods, self.mails, self.surveys)
        )


def dispatch(engine: Engine, ways: Ways, clock: Clock, pace: Pace | None = None) -> Dispatched:
    """Pays approved refunds, orders goods, then sends the mails whose deeds are done and whose hour has come.

    It may be stopped anywhere and started again: no refund and no mail is sent
    twice, and what cannot be told ends with a person.

    Raises:
      SenderBusyError: Another process is sending from this ledger.
      OSError: A file gateway or mailer cannot write.
    """
    with sender_lock(engine) as is_held, span("dispatch"):
        refunds = _run(engine, PayRefunds(engine, ways.refunds), clock, is_held, pace)
        settle(engine, ways.refunds, clock, is_held, pace)
        goods = Passed()
        if ways.goods:
            for kind in GOODS:
                goods = _sum(goods, _run(engine, OrderGoods(engine, ways.goods, kind), clock, is_held, pace))
        with ways.mails:
            mails = _run(engine, PostMails(engine, ways.mails, clock), clock, is_held, pace)
            surveys = _surveys(engine, ways, clock, is_held, pace)
    for kind, passed in (("refund", refunds), ("goods", goods), ("mail", mails), (SURVEY, surveys)):
        _LOG.info("pass ended", extra={"kind": kind, **asdict(passed)})
    return Dispatched(refunds=refunds, goods=goods, mails=mails, surveys=surveys)


def follow(
    dispatch_once: Callable[[], Dispatched], tell: Callable[[Dispatched], None], rest: Callable[[], bool]
) -> None:
    """Sends again and again until `rest`, which waits between two passes, says that it is time to stop.

    A pass that was begun is brought to its end. Another sender on the same ledger is
    no error here: its pass counts as this one's.
    """
    while True:
        with suppress(SenderBusyError):
            done = dispatch_once()
            if not done.is_idle:
                tell(done)
        if rest():
            return


def _surveys(engine: Engine, ways: Ways, clock: Clock, is_held: IsHeld, pace: Pace | None) -> Passed:
    """What is not to be asked any more is called off, before and after the rest is sent."""
    call_off(engine, clock())
    if ways.links is None:
        return Passed(waiting=waiting(engine, SURVEY))
    passed = _run(engine, PostSurveys(engine, ways.mails, clock, ways.links), clock, is_held, pace)
    call_off(engine, clock())
    return passed


def _run(engine: Engine, errand: Errand, clock: Clock, is_held: IsHeld, pace: Pace | None) -> Passed:
    return Worker(engine, errand, clock, is_held, pace).run()


def _sum(one: Passed, other: Passed) -> Passed:
    return Passed(*(getattr(one, name) + getattr(other, name) for name in Passed.__dataclass_fields__))
