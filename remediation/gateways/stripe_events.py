"""Stripe's webhooks: who really sent one, and which refund to ask about.

An event is only ever a hint to ask Stripe. It may come late, twice, out of order or
never, so that nothing which it says of a refund's state is read at all.
"""

import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from remediation.csv_rows import unique_keys
from remediation.gateways.errors import UnusableError
from remediation.gateways.stripe_replies import StripeId
from remediation.orders import Id

MAX_BODY_BYTES: Final = 256 * 1024
"""An event with a refund takes a few kilobytes; the fullest metadata that Stripe allows take 27."""
MAX_HEADER_LENGTH: Final = 4096
MIN_SECRET_LENGTH: Final = 16
"""Stripe's have about forty. Anybody could sign with an empty one, or with one cut into its letters."""
DEFAULT_TOLERANCE_MS: Final = 300_000
"""How far the time of signing may lie from now; Stripe's own packages allow five minutes as well."""

_MOMENT: Final = re.compile(r"t=([1-9][0-9]{0,11})")
_SIGNATURE: Final = re.compile(r"v1=([0-9a-f]{64})")


class NotStripesError(Exception):
    """A body that Stripe did not sign just now, or that is no event of its: answer 400 and forget it."""


class EventKind(StrEnum):
    """The events that concern refunds."""

    REFUND_CREATED = "refund.created"
    REFUND_UPDATED = "refund.updated"
    REFUND_FAILED = "refund.failed"
    CHARGE_REFUNDED = "charge.refunded"
    CHARGE_REFUND_UPDATED = "charge.refund.updated"


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """Something happened to a refund: ask which state it is in.

    `charge.refunded` tells of a charge and names no refund; `payment_ids` (`ch_`,
    `py_`, `pi_`) are all that it has. `remedy_id` is null where we did not make it.
    """

    event_id: str
    kind: EventKind
    refund_reference: str | None
    remedy_id: str | None
    payment_ids: tuple[str, ...]


def verified(
    body: bytes,
    signature_header: str,
    secrets: Sequence[str],
    now_ms: int,
    tolerance_ms: int = DEFAULT_TOLERANCE_MS,
) -> StripeEvent | None:
    """The event in a webhook's body, None if it is Stripe's but does not concern refunds.

    `secrets` are all that are valid now: two of them while one is being replaced.
    `now_ms` is milliseconds since the epoch.

    Raises:
      NotStripesError: Too large, not signed with any of the secrets, signed too long
        ago, or no event. The text never repeats what came.
      UnusableError: There is no secret to check with.
    """
    if not secrets or min(map(len, secrets)) < MIN_SECRET_LENGTH:
        raise UnusableError("Stripe's webhooks cannot be checked: set MAKEGOOD_STRIPE_WEBHOOK_SECRETS to whole secrets")
    if len(body) > MAX_BODY_BYTES or len(signature_header) > MAX_HEADER_LENGTH:
        raise NotStripesError("The webhook is larger than any of Stripe's")
    signed_at_s, signatures = _claims(signature_header)
    if abs(now_ms - signed_at_s * 1000) > tolerance_ms:
        raise NotStripesError("The webhook was not signed just now: compare this machine's clock with the world's")
    expected = [_signature(secret, signed_at_s, body) for secret in secrets]
    if not any(hmac.compare_digest(one, claimed) for one in expected for claimed in signatures):
        raise NotStripesError("The webhook is not signed with any secret that is known here")
    return _event(body)


def _claims(header: str) -> tuple[int, list[str]]:
    """When the sender says it signed (seconds), and the signatures it offers; other schemes are passed over."""
    parts = header.split(",")
    moments = [int(match[1]) for part in parts if (match := _MOMENT.fullmatch(part))]
    if len(moments) != 1:
        raise NotStripesError("The webhook does not say when it was signed")
    return moments[0], [match[1] for part in parts if (match := _SIGNATURE.fullmatch(part))]


def _signature(secret: str, signed_at_s: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (signed_at_s, body), "sha256").hexdigest()


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Metadata(_Part):
    remedy_id: Id | None = None


class _Subject(_Part):
    """A refund or a charge."""

    object: str
    id: StripeId
    charge: StripeId | None = None
    payment_intent: StripeId | None = None
    metadata: _Metadata | None = None


class _Data(_Part):
    object: _Subject


class _Envelope(_Part):
    id: StripeId
    type: Annotated[str, StringConstraints(max_length=200)]
    data: object


def _event(body: bytes) -> StripeEvent | None:
    try:
        envelope = _Envelope.model_validate(_parsed(body))
        if envelope.type not in set(EventKind):
            return None
        subject = _Data.model_validate(envelope.data).object
    except ValidationError:
        raise NotStripesError("The webhook is signed but holds no event as Stripe documents it") from None
    is_refund = subject.object == "refund"
    payments = (subject.charge if is_refund else subject.id, subject.payment_intent)
    return StripeEvent(
        event_id=envelope.id,
        kind=EventKind(envelope.type),
        refund_reference=subject.id if is_refund else None,
        remedy_id=subject.metadata.remedy_id if is_refund and subject.metadata else None,
        payment_ids=tuple(payment for payment in payments if payment),
    )


def _parsed(body: bytes) -> object:
    """The body's JSON, in which no key stands twice: two readers could otherwise read two events.

    Raises:
      NotStripesError: It is none, or nested too deeply.
    """
    try:
        value: object = json.loads(body.decode(), object_pairs_hook=unique_keys, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotStripesError("The webhook is signed but is no JSON that can be read in one way only") from None
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON's")
