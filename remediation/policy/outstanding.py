"""What is still to be given: what is owed in all, less what was given before, within what was paid."""

from dataclasses import dataclass

from remediation.money import Money
from remediation.policy.claim import Claim
from remediation.policy.model import GOODWILL_LIMIT_PERCENT
from remediation.policy.owed import Owed
from remediation.remedy import Action, ActionKind, Arm


@dataclass(frozen=True, slots=True)
class Outstanding:
    """One pay-out: money back for the item and for its shipping, goodwill, and goods that are sent.

    `withheld` is the goodwill that a customer who is held out does not get.
    """

    refund: Money
    shipping: Money
    credit: Money
    sent: Action | None
    withheld: Money

    def arm(self, of_customer: Arm | None) -> Arm | None:
        """The arm in which this pay-out is compared: null where no goodwill was earned, or nothing else is given.

        Who is held out has no pay-out that consists of goodwill alone, so that none is compared.
        """
        is_owed = self.amount.minor > self.credit.minor or self.sent is not None
        return of_customer if is_owed and (self.credit.minor or self.withheld.minor) else None

    @property
    def amount(self) -> Money:
        """All of its money."""
        return self.refund + self.shipping + self.credit

    @property
    def is_nothing(self) -> bool:
        """Whether neither money nor goods are left to give."""
        return not self.amount.minor and self.sent is None

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its parts as actions, what the customer misses most first; parts without money are left out."""
        money: tuple[tuple[ActionKind, Money], ...] = (
            ("shipping_refund", self.shipping),
            ("refund", self.refund),
            ("credit", self.credit),
        )
        shipping, refund, credit = ((Action(kind, part.minor),) if part.minor else () for kind, part in money)
        exchange = (self.sent,) if self.sent and self.sent.kind == "exchange" else ()
        replacement = (self.sent,) if self.sent and self.sent.kind == "replacement" else ()
        return (*exchange, *shipping, *refund, *replacement, *credit)


def outstanding(claim: Claim, owed: Owed, arm: Arm | None) -> Outstanding:
    """What `owed` comes to beyond what this incident has had, within what the whole line may still have.

    Only goodwill depends on the customer's `arm`; what is owed never does.
    """
    line, price, had = claim.line, claim.price, claim.same_incident
    # The limit leaves room for a full refund, since one may follow: what was credited is not taken back.
    most: tuple[tuple[ActionKind, Money, int], ...] = (
        ("refund", owed.refund, price.minor),
        ("shipping_refund", owed.shipping, line.shipping_minor),
        ("credit", owed.credit, price.minor * GOODWILL_LIMIT_PERCENT // 100),
    )
    refund, shipping, credit = (
        Money(
            max(0, min(whole.minor - claim.given(kind, had), limit - claim.given(kind, claim.earlier))), price.currency
        )
        for kind, whole, limit in most
    )
    nothing = Money(0, price.currency)
    given, withheld = (nothing, credit) if arm == "holdout" else (credit, nothing)
    return Outstanding(refund, shipping, given, owed.sent, withheld)
