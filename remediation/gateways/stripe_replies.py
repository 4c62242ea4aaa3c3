"""What Stripe answers, checked before anything rests on it. Fields that are not needed here are passed over."""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from remediation.gateways.errors import SilentError
from remediation.gateways.refunds import RefundStatus

StripeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,255}$")]

_STATUSES: Final = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


class _Reply(BaseModel):
    """Strict about what is read. Stripe adds fields whenever it likes, so that others are no fault."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    @classmethod
    def read(cls, reply: object) -> Self:
        """The reply, if it is one.

        Raises:
          SilentError: It is not what Stripe documents; the text names fields, never what they hold.
        """
        try:
            return cls.model_validate(reply)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            named = sorted({str(fault["loc"][0]) for fault in faults if fault["loc"]})
        fields = ", ".join(named) or "everything"
        raise SilentError(f"Stripe's answer cannot be read (wrong or missing: {fields}): look the refund up there")


class StripeRefund(_Reply):
    """A refund. `amount` is in Stripe's own units, `created` in seconds since the epoch."""

    id: StripeId
    amount: Annotated[int, Field(ge=0)]
    currency: Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")]
    created: Annotated[int, Field(ge=0)]
    status: str | None
    charge: StripeId | None = None
    payment_intent: StripeId | None = None
    metadata: Mapping[str, str] | None = None

    @property
    def remedy_id(self) -> str | None:
        """The remedy under whose id it was made, None where it was not made by us."""
        return (self.metadata or {}).get("remedy_id")

    @property
    def standing(self) -> RefundStatus:
        """Its status in our words.

        Raises:
          SilentError: It is none that Stripe documented, so that nobody can say which way it will go.
        """
        if self.status not in _STATUSES:
            raise SilentError(f"Stripe gives refund {self.id} a status that is not known here: look it up there")
        return _STATUSES[self.status]


class StripePage(_Reply):
    """Some refunds of a list, the newest first, and whether there are more."""

    data: list[StripeRefund]
    has_more: bool
