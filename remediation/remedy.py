"""What is owed for one order line, and what is declined; frozen records without behaviour."""

from dataclasses import dataclass
from typing import Final, Literal

from detectors.finding import Subject, content_id

ActionKind = Literal["refund", "shipping_refund", "credit", "replacement", "exchange", "letter"]
GOODS: Final[tuple[ActionKind, ...]] = ("replacement", "exchange")
"""What a warehouse sends, in the order in which it is asked."""

Arm = Literal["goodwill", "holdout"]
"""Of two customers who have earned goodwill, the one who gets it and the one who is compared with them."""

Outcome = Literal["declined", "review"]
RemedyState = Literal["proposed", "approved", "held", "rejected", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do: money back (with its amount), goods (with their service level), or a letter by a person."""

    kind: ActionKind
    amount_minor: int | None = None
    service_level: str | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """One pay-out on one order line; a top-up is another with the next `number`.

    `amount` is in minor units of `currency` and equals the sum of the money
    actions. `state` is `held` where a person must decide first; `reason` then
    says why. The id names the slot, never policy or cause: two causes or two
    policies can not pay the same slot twice.

    `arm` is null unless goodwill was earned while some customers are held out
    from it; `withheld_minor` is what then was not given beyond what is owed.
    """

    order_line_id: str
    number: int
    customer_id: str
    finding_ids: tuple[str, ...]
    actions: tuple[Action, ...]
    amount: int
    currency: str
    policy_sha256: str
    reason: str
    state: RemedyState
    arm: Arm | None = None
    withheld_minor: int = 0

    @property
    def remedy_id(self) -> str:
        """The pay-out slot's id."""
        return content_id(order_line_id=self.order_line_id, payout_number=str(self.number))


@dataclass(frozen=True, slots=True)
class Declined:
    """Findings that lead to no pay-out by themselves: `declined`, or `review` where a person must look.

    `code` is stable and machine-readable; `reason` is a sentence that an agent
    can read to the customer.
    """

    finding_ids: tuple[str, ...]
    subject: Subject
    outcome: Outcome
    code: str
    reason: str
    order_line_id: str | None = None
    customer_id: str | None = None

    @property
    def declined_id(self) -> str:
        """One decision a subject and code."""
        return content_id(subject_type=self.subject.type, subject_id=self.subject.id, code=self.code)
