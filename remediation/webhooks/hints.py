"""What follows from one webhook of Stripe's: which refund to ask about, and what to answer.

Nothing that an event says of a refund's state is believed. So it may come late,
twice, out of order, or from somebody who has stolen the secret: the provider is
asked for the present state, and that alone is written down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError
from remediation.gateways.refunds import RefundGateway
from remediation.gateways.stripe_events import NotStripesError, StripeEvent, verified
from remediation.hearing import OPEN, TAKEN_ON, Heard, ask
from remediation.outbox.worker import words
from remediation.reconciling.books import Entry, entries_of, is_remedy_id, open_on

ACTOR: Final = "webhook"

_NEWS: Final = frozenset({Heard.COMPLETED, Heard.SETTLED, Heard.FAILED})


@dataclass(frozen=True, slots=True)
class Answer:
    """The status to answer with, and what the operator should read of it, if anything; it never repeats a request."""

    status: HTTPStatus
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Hints:
    """Takes webhooks for one ledger; several threads may use it at once.

    `secrets` are all signing secrets that are valid now, each of at least
    `stripe_events.MIN_SECRET_LENGTH` characters.
    """

    engine: Engine
    gateway: RefundGateway
    secrets: Sequence[str] = field(repr=False)
    clock: Callable[[], int]

    def take(self, body: bytes, signature: str) -> Answer:
        """What to answer to a request; `OK` once its effect is committed, or where it can have none.

        After `SERVICE_UNAVAILABLE` Stripe delivers it again, for up to three days.
        """
        try:
            event = verified(body, signature, self.secrets, self.clock())
            return self._heard(event) if event else Answer(HTTPStatus.OK)
        except NotStripesError as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"refused: {error}")
        except (SilentError, DeferredError, RefusedError, UnusableError) as error:
            return _later(f"the provider could not be asked: {words(error)}")
        except SQLAlchemyError as error:
            # Its text would show what was written, and where.
            return _later(f"the ledger could not be used ({type(error).__name__}): see that it can be reached")

    def _heard(self, event: StripeEvent) -> Answer:
        meant = self._meant(event)
        asked = [entry for entry in meant if entry.state in OPEN | TAKEN_ON]
        heard = [ask(self.engine, self.gateway, str(entry.outbox_id), ACTOR, self.clock) for entry in asked]
        if Heard.BUSY in heard:
            return _later(f"{event.event_id}: a sender is at work on the refund, or broke off in the middle of it")
        news = [f"remedy {entry.remedy_id} {each}" for entry, each in zip(asked, heard, strict=True) if each in _NEWS]
        if news:
            return Answer(HTTPStatus.OK, f"{event.event_id}: {', '.join(news)}")
        return Answer(HTTPStatus.OK, _for_reconcile(event, meant, heard))

    def _meant(self, event: StripeEvent) -> list[Entry]:
        """The refunds of ours that an event can be about; one of a charge names the payment alone."""
        with self.engine.connect() as connection:
            if event.refund_reference is None:
                return open_on(connection, event.payment_ids)
            if event.remedy_id is None or not is_remedy_id(event.remedy_id):
                return []
            return list(entries_of(connection, [event.remedy_id]).values())


def _for_reconcile(event: StripeEvent, meant: Sequence[Entry], heard: Sequence[Heard]) -> str | None:
    """A hint at something that does not fit the ledger is told, and never acted on."""
    if event.refund_reference is None:
        return None
    at = f"{event.event_id} is about refund {event.refund_reference}"
    if not meant:
        return f"{at}, which is none of this ledger's: makegood reconcile says whether it concerns a payment of ours"
    (entry,) = meant
    if Heard.ABSENT in heard or (not heard and entry.reference != event.refund_reference):
        return f"{at} and remedy {entry.remedy_id}, whose refund is {entry.in_words} here: run makegood reconcile"
    return None


def _later(why: str) -> Answer:
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, f"to be delivered again: {why}")
