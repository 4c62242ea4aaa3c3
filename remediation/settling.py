"""What a provider says later of refunds that it has taken on: the money has moved for good, or not after all."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, select

from remediation.database import writing
from remediation.durations import HOUR_MS
from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError
from remediation.gateways.refunds import Payout, Receipt, RefundGateway, RefundStatus
from remediation.ledger.audit import Author
from remediation.ledger.postings import post
from remediation.ledger.tables import OUTBOX
from remediation.outbox.breaker import Pace
from remediation.outbox.claims import Item, advance, item_of, put_off
from remediation.outbox.states import State
from remediation.outbox.worker import words
from remediation.payer import ACTOR, payout_of, return_of
from remediation.spans import span

_LOG: Final = logging.getLogger(__name__)

ASK_AGAIN_MS: Final = 6 * HOUR_MS
"""How long a pending refund is left alone before it is asked for once more; most settle within days."""

BATCH: Final = 500
"""Pending refunds asked for in one pass, so that the next mails need not wait for all of them."""


@dataclass(frozen=True, slots=True)
class Settled:
    """How many pending refunds were asked for, how many moved for good, and how many failed after all."""

    asked: int = 0
    settled: int = 0
    failed: int = 0


def settle(
    engine: Engine, gateway: RefundGateway, clock: Callable[[], int], may_go_on: Callable[[], bool], pace: Pace | None
) -> Settled:
    """Asks for refunds that the provider has taken on and not yet finished, each every few hours.

    The first one that brings no answer ends it. It is put off, so that the next pass
    begins with the others: the silence may be about this refund alone.
    """
    settled = failed = asked = 0
    for item in _pending(engine, clock()):
        if not may_go_on():
            break
        if pace:
            pace.keep()
        try:
            with span("find refund", outbox_id=item.outbox_id, remedy_id=item.remedy_id, gateway=gateway.name):
                receipt = gateway.find(_payout(engine, item))
        except (RefusedError, SilentError) as error:
            _put_off(engine, item, clock() + ASK_AGAIN_MS, error)
            if isinstance(error, SilentError):
                break
            continue
        except (DeferredError, UnusableError):
            break
        asked += 1
        with writing(engine) as connection:
            now = _as_it_is(connection, item)
            after = heard(connection, now, receipt, gateway.name, Author(ACTOR, clock())) if now else None
        if now and after is not now.state:
            known = {"outbox_id": item.outbox_id, "remedy_id": item.remedy_id, "kind": item.kind, "state": str(after)}
            _LOG.log(logging.INFO if after is State.SETTLED else logging.WARNING, "refund heard of", extra=known)
            settled += after is State.SETTLED
            failed += after is State.FAILED
    return Settled(asked, settled, failed)


def heard(connection: Connection, item: Item, receipt: Receipt | None, gateway: str, author: Author) -> State:
    """The state of a refund after the provider's present word on it; `item` is `sent` or `settled`.

    A refund that the provider does not know any more stays what it was: somebody
    has to look, and `reconcile` names it.
    """
    if receipt is not None and receipt.status is RefundStatus.FAILED:
        advance(connection, item, State.FAILED, author, f"{receipt.reference} failed at the provider after all")
        post(connection, [return_of(payout_of(connection, item.outbox_id), gateway, author.at)])
        return State.FAILED
    if receipt is not None and receipt.status is RefundStatus.SUCCEEDED and item.state is State.SENT:
        advance(connection, item, State.SETTLED, author, f"{receipt.reference} is done for good", settled_at=author.at)
        return State.SETTLED
    if item.state is State.SENT:
        put_off(connection, item, author.at + ASK_AGAIN_MS, "the provider has not finished it yet")
    return item.state


def _payout(engine: Engine, item: Item) -> Payout:
    with engine.connect() as connection:
        return payout_of(connection, item.outbox_id)


def _put_off(engine: Engine, item: Item, retry_at: int, error: Exception) -> None:
    with writing(engine) as connection:
        now = _as_it_is(connection, item)
        if now and now.state is State.SENT:
            put_off(connection, now, retry_at, words(error))


def _as_it_is(connection: Connection, item: Item) -> Item | None:
    """The refund as it stands by now, for a webhook may have told of it meanwhile; None where nothing more can come."""
    stands = (OUTBOX.c.outbox_id == item.outbox_id, OUTBOX.c.state.in_((State.SENT, State.SETTLED)))
    row = connection.execute(select(OUTBOX).where(*stands)).first()
    return item_of(row) if row else None


def _pending(engine: Engine, now_ms: int) -> list[Item]:
    due = (OUTBOX.c.kind == "refund", OUTBOX.c.state == State.SENT, OUTBOX.c.retry_at <= now_ms)
    query = select(OUTBOX).where(*due).order_by(OUTBOX.c.retry_at, OUTBOX.c.outbox_id).limit(BATCH)
    with engine.connect() as connection:
        return [item_of(row) for row in connection.execute(query)]
