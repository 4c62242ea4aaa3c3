"""The section `[goods]` of the policy: how a parcel that went wrong is made good."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from detectors.finding import Kind
from remediation.policy.shares import Section, Shares, Tier

Answer = Literal[
    "exchange_if_in_stock",
    "replacement_if_in_stock",
    "refund",
    "refund_and_replacement",
    "exchange_and_refund",
]
Days = Annotated[int, Field(ge=1, le=365)]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an answer comes to: goods to send, if any, and whether the money goes back even where they are sent."""

    sends: Literal["replacement", "exchange"] | None
    refunds: bool


PLANS: Final[Mapping[Answer, Plan]] = {
    "exchange_if_in_stock": Plan("exchange", refunds=False),
    "replacement_if_in_stock": Plan("replacement", refunds=False),
    "refund": Plan(None, refunds=True),
    "refund_and_replacement": Plan("replacement", refunds=True),
    "exchange_and_refund": Plan("exchange", refunds=True),
}


class Answers(Section):
    """How one kind of failure is made good: the first time, and when it goes up a tier."""

    first: Answer
    again: Answer

    @model_validator(mode="after")
    def _again_owes_no_less(self) -> Self:
        first, again = PLANS[self.first], PLANS[self.again]
        if first.refunds > again.refunds or (first.sends and not again.refunds and not again.sends):
            raise ValueError("what is done again must not be less than what is done first")
        if first.refunds and first.sends and not again.sends:
            raise ValueError("what is done again must not be less than what is done first")
        return self


class Failed(Section):
    """The answers by kind of failure."""

    lost: Answers
    damaged: Answers
    returned: Answers
    delivered_not_received: Answers
    misdelivered: Answers
    wrong_item: Answers

    def of(self, failure: Kind) -> Answers | None:
        """The answers to one kind of failure; null where the policy has no rule for it."""
        rules: Mapping[Kind, Answers] = {
            "lost": self.lost,
            "damaged": self.damaged,
            "returned": self.returned,
            "delivered_not_received": self.delivered_not_received,
            "misdelivered": self.misdelivered,
            "wrong_item": self.wrong_item,
        }
        return rules.get(failure)


class LateGoods(Section):
    """What a parcel owes that came, or has yet to come, after the promised day: percent of shipping and of the item."""

    moderate_from_days: Days
    severe_from_days: Days
    shipping: Shares
    item: Shares

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.moderate_from_days >= self.severe_from_days:
            raise ValueError("moderate_from_days must be less than severe_from_days")
        return self

    def tier(self, days: int) -> Tier:
        """The tier of so many calendar days after the promised one."""
        if days >= self.severe_from_days:
            return "severe"
        return "moderate" if days >= self.moderate_from_days else "mild"


class Repeated(Section):
    """When a customer's failures count together."""

    raise_within_days: Days  # the second failure within these days goes up a tier
    letter_within_days: Days  # after the third within these, a person writes

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.raise_within_days > self.letter_within_days:
            raise ValueError("raise_within_days must not be more than letter_within_days")
        return self


class Goods(Section):
    """Every figure that decides what is owed for a parcel."""

    service_level: Literal["standard", "next_day"]  # of a replacement
    refund_shipping: bool  # whether the shipping goes back with the whole price of an item
    late: LateGoods
    failed: Failed
    repeated: Repeated
