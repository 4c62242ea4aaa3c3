"""What Stripe's refusals and silences mean for a refund. Source: Stripe's documentation, "Advanced error handling".

Only a refusal in Stripe's own form is certain. A page of HTML with the same status may
come from a machine between here and Stripe, which cannot know what became of the request.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError

if TYPE_CHECKING:
    import stripe  # read by mypy alone: importing it takes a third of a second

_REFUSALS: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.NOT_FOUND)
_MAX_WAIT_S: Final = 24 * 3600
_WORD: Final = re.compile(r"[A-Za-z0-9_\[\]]{1,80}")


def meaning(error: "stripe.StripeError") -> RefusedError | DeferredError | SilentError | UnusableError:
    """The error to raise in its stead. Its text holds Stripe's codes and request id, never a message or a body.

    Silent are also a conflict (409: a request with this key is still on its way) and
    every error on Stripe's side, which it saves under the key and repeats, whatever
    the refund came to: only asking for the refund can tell.
    """
    if error.http_status is None:
        return SilentError("No answer from Stripe: the connection failed or took too long")
    said = _said(error)
    if not _members(error):
        return SilentError(f"The answer is not in Stripe's form ({said}): something else may have answered for it")
    return _certainty(error, said) or SilentError(f"Stripe cannot say what became of the request ({said})")


def _certainty(error: "stripe.StripeError", said: str) -> RefusedError | DeferredError | UnusableError | None:
    """What certainly was not done, and what that means; None where it is not certain."""
    code = _word(error, "code")
    if error.http_status == HTTPStatus.TOO_MANY_REQUESTS or code == "rate_limit":
        return DeferredError(f"Stripe wants fewer requests for a while ({said})", _retry_after_ms(error))
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        return UnusableError(f"Stripe does not accept the secret key: set MAKEGOOD_STRIPE_KEY to a valid one ({said})")
    if error.http_status == HTTPStatus.FORBIDDEN:
        return UnusableError(f"The secret key may not make and list refunds: allow it to at Stripe ({said})")
    if error.http_status in _REFUSALS and code != "idempotency_key_in_use":
        return _refusal(error, said)
    return None


def _refusal(error: "stripe.StripeError", said: str) -> RefusedError:
    """A refusal; two of them may hide a refund that was made earlier, so that nobody may take them for success."""
    if _word(error, "type") == "idempotency_error":
        return RefusedError(
            f"Stripe knows this remedy's key with other parameters: look there for a refund that differs ({said})"
        )
    if _word(error, "code") == "charge_already_refunded":
        return RefusedError(
            f"The payment is refunded in full already, perhaps for this very remedy: look it up at Stripe ({said})"
        )
    return RefusedError(f"Stripe refuses the refund: look the payment up there and decide ({said})")


def _said(error: "stripe.StripeError") -> str:
    words = [_word(error, name) for name in ("type", "code", "param")]
    request_id = error.request_id or ""
    return ", ".join(
        [f"HTTP {error.http_status}", *filter(None, words), *([request_id] if _WORD.fullmatch(request_id) else [])]
    )


def _members(error: "stripe.StripeError") -> Mapping[str, object]:
    """The error object in the body. Only Stripe's payment API has one: its sign-in API has a word there."""
    body = error.json_body
    members = body.get("error") if isinstance(body, dict) else None
    return members if isinstance(members, dict) else {}


def _word(error: "stripe.StripeError", name: str) -> str | None:
    """A member of the error object if it is one of Stripe's code words; anything else might be personal."""
    value = _members(error).get(name)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _retry_after_ms(error: "stripe.StripeError") -> int | None:
    """The header's seconds. It may hold a date instead, which only a clock could turn into a wait."""
    value = (error.headers or {}).get("Retry-After", "")
    return min(int(value), _MAX_WAIT_S) * 1000 if re.fullmatch(r"[0-9]{1,9}", value) else None
