"""Sends what the outbox holds: the money first, then the words."""

from dataclasses import dataclass

from sqlalchemy import Engine

from remediation.mailer import Mailer, Posted, post_mails
from remediation.outbox.lock import sender_lock
from remediation.payer import Paid, RefundGateway, pay


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What became of refunds and of mails in one pass."""

    refunds: Paid
    mails: Posted


def dispatch(engine: Engine, gateway: RefundGateway, mailer: Mailer, now_ms: int) -> Dispatched:
    """Pays approved refunds, then sends the mails whose refunds are out and whose hour has come.

    It may be stopped anywhere and started again: no refund and no mail is sent
    twice, and what cannot be told ends with a person. `now_ms` is milliseconds
    since the epoch.

    Raises:
      SenderBusyError: Another process is sending from this ledger.
      OSError: A file gateway or mailer cannot write.
    """
    with sender_lock(engine):
        return Dispatched(refunds=pay(engine, gateway, now_ms), mails=post_mails(engine, mailer, now_ms))
