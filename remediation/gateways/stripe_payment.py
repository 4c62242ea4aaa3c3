"""Which payment of Stripe's a refund is for."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from remediation.gateways.errors import RefusedError
from remediation.gateways.refunds import Payout

_PAYMENT: Final = re.compile(r"(pi|ch|py)_[A-Za-z0-9_]{1,250}")


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment, and the field in which Stripe wants it named."""

    field: Literal["charge", "payment_intent"]
    payment_id: str


def payment_of(payout: Payout) -> Payment:
    """The payment that the order line names.

    Raises:
      RefusedError: It names none of Stripe's.
    """
    payment_id = payout.payment_id or ""
    if not _PAYMENT.fullmatch(payment_id):
        raise RefusedError(
            f"Order line {payout.order_line_id} names no payment of Stripe's (pi_, ch_, py_): correct its payment_id"
        )
    return Payment("payment_intent" if payment_id.startswith("pi_") else "charge", payment_id)
