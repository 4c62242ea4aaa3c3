"""Payment providers: what every one of them must be able to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class RefundStatus(StrEnum):
    """What a provider says of a refund that it has taken on. `SUCCEEDED` can still become `FAILED` days later."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Payout:
    """One refund to be made. The remedy's id is the key under which a gateway makes it only once."""

    remedy_id: str
    order_line_id: str
    payment_id: str | None
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's word on a refund that it has taken on, under its own reference."""

    reference: str
    status: RefundStatus


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund as the provider lists it. `remedy_id` is null where it was not made by us.

    `payment_ids` are all names that the provider has for the payment: an order line
    may know it by any of them. `created_at` is in milliseconds since the epoch, the
    amount in the ledger's minor units.
    """

    reference: str
    remedy_id: str | None
    payment_ids: tuple[str, ...]
    amount_minor: int
    currency: str
    status: RefundStatus
    created_at: int


class RefundGateway(Protocol):
    """A payment provider. Every call may raise any of `gateways.errors`; what each means is said there."""

    @property
    def name(self) -> str:
        """Its name in the postings' account `provider:<name>`."""
        ...

    @property
    def key_lifetime_ms(self) -> int | None:
        """How long a repeated key is safe; None for ever. A provider that forgets a key pays it a second time."""
        ...

    def refund(self, payout: Payout) -> Receipt:
        """Makes the refund, or returns the receipt of the one made under this remedy's id before."""
        ...

    def find(self, payout: Payout) -> Receipt | None:
        """The receipt of the refund made under this remedy's id, None if there certainly is none."""
        ...

    def refunds(self, since_ms: int) -> Iterator[ProviderRefund]:
        """Every refund made at or after `since_ms` (milliseconds since the epoch), ours or not, in any order."""
        ...
