"""Stripe's refunds through its official package, whose every failure becomes one of `gateways.errors`.

Importing this module imports the package, which takes a third of a second.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, ParamSpec

import stripe

from remediation.gateways.errors import SilentError, UnusableError
from remediation.gateways.stripe_failures import meaning
from remediation.gateways.stripe_payment import Payment
from remediation.gateways.stripe_replies import StripePage, StripeRefund

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams, RefundListParams  # typed dicts for mypy: it checks the field names

_Arguments = ParamSpec("_Arguments")

PAGE_SIZE: Final = 100
"""The most that Stripe lists at once."""

_SECRET_KEY: Final = re.compile(r"(sk|rk)_[A-Za-z0-9_]{1,250}")


class Refunds:
    """Makes and lists refunds. It never repeats a request by itself: whether that is safe, the payer knows."""

    def __init__(
        self, secret_key: str, base_url: str | None, timeout_ms: int, transport: stripe.HTTPClient | None
    ) -> None:
        _check(secret_key, base_url)
        _keep_quiet()
        client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": base_url.rstrip("/")} if base_url is not None else None,
            http_client=transport or stripe.RequestsClient(timeout=timeout_ms / 1000),
            max_network_retries=0,
        )
        self._refunds = client.v1.refunds

    def create(self, payment: Payment, amount: int, metadata: Mapping[str, str], key: str) -> StripeRefund:
        """Makes a refund of `amount` in Stripe's units. It gives no reason: none of Stripe's three is true of ours.

        Raises:
          RefusedError, DeferredError, SilentError, UnusableError: See `gateways.errors`.
        """
        params: RefundCreateParams = {"amount": amount, "metadata": dict(metadata)}
        params[payment.field] = payment.payment_id
        return StripeRefund.read(_ask(self._refunds.create, params, {"idempotency_key": key}))

    def of(self, payment: Payment) -> Iterator[StripeRefund]:
        """All refunds of a payment, the newest first; may raise what `create` raises."""
        params: RefundListParams = {}
        params[payment.field] = payment.payment_id
        return self._listed(params)

    def since(self, created_s: int) -> Iterator[StripeRefund]:
        """All refunds made at this second or later, the newest first; may raise what `create` raises."""
        return self._listed({"created": {"gte": created_s}})

    def _listed(self, filters: "RefundListParams") -> Iterator[StripeRefund]:
        params: RefundListParams = {**filters, "limit": PAGE_SIZE}
        while True:
            page = StripePage.read(_ask(self._refunds.list, params))
            yield from page.data
            if not page.has_more:
                return
            if not page.data:
                raise SilentError("Stripe's list breaks off: try again later")
            params = {**params, "starting_after": page.data[-1].id}


def _check(secret_key: str, base_url: str | None) -> None:
    if not _SECRET_KEY.fullmatch(secret_key):
        raise UnusableError(
            "This is no secret key of Stripe: set MAKEGOOD_STRIPE_KEY to one that begins with sk_ or rk_"
        )
    if base_url is None:
        return
    if not base_url.startswith(("http://", "https://")):
        raise UnusableError("MAKEGOOD_STRIPE_URL is no web address: write it as http://HOST:PORT, or unset it")
    if "_live_" in secret_key:
        raise UnusableError("A live key goes to Stripe alone: unset MAKEGOOD_STRIPE_URL, or use a test key")


def _keep_quiet() -> None:
    """The package would log bodies where it is asked to debug, and report on this machine to Stripe.

    Bodies can hold addresses of customers. `STRIPE_LOG` it reads by itself, while it is imported.
    """
    logging.getLogger("stripe").setLevel(logging.WARNING)
    stripe._util.STRIPE_LOG = None  # noqa: SLF001 - there is no public way to overrule the environment
    stripe.enable_telemetry = False


def _ask(
    call: Callable[_Arguments, stripe.StripeObject], *arguments: _Arguments.args, **named: _Arguments.kwargs
) -> object:
    """What Stripe answers, as plain values.

    The error is raised after the package's own is gone: that one carries the body
    and, where the connection failed, the request with the secret key.
    """
    try:
        reply: object = call(*arguments, **named).to_dict()
    except stripe.StripeError as error:
        failure = meaning(error)
    except Exception as error:  # noqa: BLE001 - it trips in many ways over what is not Stripe's, after the effect
        failure = SilentError(f"Stripe's answer cannot be read ({type(error).__name__}): look the refund up there")
    else:
        return reply
    raise failure
