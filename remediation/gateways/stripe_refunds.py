"""Refunds through Stripe."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from remediation.gateways.errors import DeferredError, RefusedError, SilentError
from remediation.gateways.refunds import Payout, ProviderRefund, Receipt, RefundStatus
from remediation.gateways.stripe_amounts import from_stripe, to_stripe
from remediation.gateways.stripe_payment import payment_of
from remediation.money import Money

if TYPE_CHECKING:
    import stripe

    from remediation.gateways.stripe_replies import StripeRefund

DEFAULT_TIMEOUT_MS: Final = 30_000
_FAR_AHEAD_S: Final = 4_102_444_800  # the year 2100


class StripeGateway:
    """Refunds made once a remedy: its id is the idempotency key, and stands in the metadata to be found by.

    `secret_key` goes into no error and no representation. `base_url` names a test
    server in Stripe's place; `transport` carries requests in another way than HTTP.

    Raises:
      UnusableError: The key is none of Stripe's, or a live one that would go elsewhere.
    """

    name: Final = "stripe"
    key_lifetime_ms: Final = 23 * 3_600_000
    """Stripe may forget a key after 24 hours; the last one is left for clocks that differ and calls on their way."""

    def __init__(
        self,
        secret_key: str,
        base_url: str | None = None,
        *,
        timeout_ms: int = DEFAULT_TIMEOUT_MS,
        transport: "stripe.HTTPClient | None" = None,
    ) -> None:
        # Whoever pays by files never waits for Stripe's package to be imported.
        from remediation.gateways.stripe_client import Refunds  # noqa: PLC0415

        self._refunds = Refunds(secret_key, base_url, timeout_ms, transport)
        self._mode = "a live key" if "_live_" in secret_key else "a test key, with which no money moves"

    def refund(self, payout: Payout) -> Receipt:
        """Makes the refund, or returns the receipt of the one that Stripe remembers under this remedy's id.

        A refusal or a deferral speaks of this call alone: an earlier one that stayed
        without answer may have made the refund.

        Raises:
          RefusedError: Stripe refuses it, or it cannot be asked of Stripe at all.
          DeferredError: Stripe wants fewer requests for a while.
          SilentError: No answer, or one that does not say what was asked.
          UnusableError: Stripe does not accept the secret key.
        """
        made = self._refunds.create(
            payment_of(payout),
            to_stripe(Money(payout.amount_minor, payout.currency)),
            metadata={"remedy_id": payout.remedy_id, "order_line_id": payout.order_line_id},
            key=payout.remedy_id,
        )
        return _receipt(made, payout)

    def find(self, payout: Payout) -> Receipt | None:
        """The receipt of the earliest refund made for this remedy that did not fail, else of one that did.

        None is certain: Stripe's list (unlike its search) holds a refund as soon as it is
        made, and where the order line names no payment of Stripe's none was ever asked for.

        Raises:
          SilentError: No answer, or one that does not fit the pay-out. A lookup that is
            refused or deferred is silence as well: it says nothing of the refund.
          UnusableError: Stripe does not accept the secret key.
        """
        try:
            payment = payment_of(payout)
        except RefusedError:
            return None
        newest_first = _looked_up(self._refunds.of(payment))
        ours = [refund for refund in newest_first if refund.remedy_id == payout.remedy_id]
        if not ours:
            return None
        return _receipt(min(reversed(ours), key=lambda refund: refund.standing is RefundStatus.FAILED), payout)

    def refunds(self, since_ms: int) -> Iterator[ProviderRefund]:
        """Every refund of the account since then. Stripe's times are whole seconds, so up to one second more.

        Raises:
          SilentError, UnusableError: As `find`; also for an amount that cannot be read.
        """
        for refund in _looked_up(self._refunds.since(since_ms // 1000)):
            money = from_stripe(refund.amount, refund.currency)
            yield ProviderRefund(
                reference=refund.id,
                remedy_id=refund.remedy_id,
                payment_ids=tuple(name for name in (refund.payment_intent, refund.charge) if name),
                amount_minor=money.minor,
                currency=money.currency,
                status=refund.standing,
                created_at=refund.created * 1000,
            )

    def try_out(self) -> str:
        """Says which kind of key it is and that Stripe lets it list refunds: it asks for one that nobody has made yet.

        Raises:
          SilentError, UnusableError: As `find`.
        """
        found = len(list(_looked_up(self._refunds.since(_FAR_AHEAD_S))))
        return f"Stripe lists refunds to {self._mode}" + (f" ({found} are dated far ahead)" if found else "")


def _receipt(refund: "StripeRefund", payout: Payout) -> Receipt:
    """The receipt, if Stripe speaks of the refund that was asked for.

    Any other answer is silence, not refusal: some money has moved, so that nobody may
    be told that none has and pay again. Where every answer is wrong, silence also ends
    the pass after a few, and refusals would not.
    """
    money = from_stripe(refund.amount, refund.currency)
    differs = [
        name
        for name, is_right in (
            ("amount", money.minor == payout.amount_minor),
            ("currency", money.currency == payout.currency),
            ("payment", payout.payment_id in (refund.charge, refund.payment_intent)),
            ("remedy", refund.remedy_id == payout.remedy_id),
        )
        if not is_right
    ]
    if differs:
        raise SilentError(
            f"Stripe answers with refund {refund.id}, whose {' and '.join(differs)} differs from what was asked: "
            "compare the two by hand"
        )
    return Receipt(refund.id, refund.standing)


def _looked_up(refunds: "Iterator[StripeRefund]") -> "Iterator[StripeRefund]":
    try:
        yield from refunds
    except (RefusedError, DeferredError) as error:
        raise SilentError(f"The refunds could not be looked up: {error}") from None
