"""Sends what the outbox holds: the money and the goods first, then the words."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from remediation.goods_desk import GoodsDesk, Ordered, order_goods
from remediation.mailer import Mailer, Posted, post_mails
from remediation.outbox.lock import sender_lock
from remediation.payer import Paid, RefundGateway, pay

NOTHING_ORDERED: Final = Ordered()


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What became of refunds, goods and mails in one pass."""

    refunds: Paid
    mails: Posted
    goods: Ordered = NOTHING_ORDERED


def dispatch(
    engine: Engine, gateway: RefundGateway, mailer: Mailer, now_ms: int, desk: GoodsDesk | None = None
) -> Dispatched:
    """Pays approved refunds, orders goods, then sends the mails whose deeds are done and whose hour has come.

    Without a desk no goods are ordered, and their mails wait.

    It may be stopped anywhere and started again: no refund and no mail is sent
    twice, and what cannot be told ends with a person. `now_ms` is milliseconds
    since the epoch.

    Raises:
      SenderBusyError: Another process is sending from this ledger.
      OSError: A file gateway or mailer cannot write.
    """
    with sender_lock(engine):
        refunds = pay(engine, gateway, now_ms)
        goods = order_goods(engine, desk, now_ms) if desk else NOTHING_ORDERED
        return Dispatched(refunds=refunds, mails=post_mails(engine, mailer, now_ms), goods=goods)
