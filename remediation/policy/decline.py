"""Why findings that are bound to an order line lead to no pay-out by themselves."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from detectors.finding import Finding, Subject
from remediation.money import DIGITS, Money
from remediation.orders import Customer
from remediation.policy.claim import Claim
from remediation.policy.delivery import contrary, has_rule
from remediation.policy.limits import in_words
from remediation.policy.model import Policy
from remediation.policy.owed import NOT_OURS, Judged
from remediation.policy.wording import spoken
from remediation.remedy import Declined, Outcome

_CAUSES: Final[Mapping[str, str]] = {
    "refused": "the parcel was refused at the address",
    "address": "the address given for the parcel was wrong or incomplete",
    "unclaimed": "nobody collected the parcel",
    "consignee": "the parcel could not be handed over for a reason that lay with its recipient",
    "customs": "the parcel was stopped by customs",
}
"""In an agent's words, by the carrier's reason, or by fault where the carrier gave none."""


class DecisionCode(StrEnum):
    """The stable names of the reasons."""

    NOTHING_PAID = "nothing_paid"
    NOTHING_OWED = "nothing_owed"
    NOT_OUR_FAULT = "not_our_fault"
    NO_RULE = "no_rule"
    FAULT_UNCLEAR = "fault_unclear"
    MADE_GOOD_BEFORE = "made_good_before"
    UNREADABLE_FINDING = "unreadable_finding"
    UNKNOWN_CUSTOMER = "unknown_customer"
    UNKNOWN_CURRENCY = "unknown_currency"
    CURRENCY_CHANGED = "currency_changed"
    POLICY_CHANGED = "policy_changed"
    GOODWILL_WITHHELD = "goodwill_withheld"


def by_the_books(claim: Claim, customer: Customer | None) -> Declined | None:
    """What in the order or in the customer's record stands in the way, whatever was found; null if nothing does."""
    currency = claim.line.currency
    if claim.line.kind != "goods" and claim.line.amount_minor == 0:
        return _declined(
            claim,
            DecisionCode.NOTHING_PAID,
            "declined",
            "Playback was below our standard, but nothing was paid for this title, so there is nothing to refund.",
        )
    if customer is None:
        return _declined(
            claim,
            DecisionCode.UNKNOWN_CUSTOMER,
            "review",
            "We have no record of the customer to whom this order belongs, so that we cannot write to anybody.",
        )
    if currency not in DIGITS:
        return _declined(
            claim,
            DecisionCode.UNKNOWN_CURRENCY,
            "review",
            f"The order was paid in {currency}, which is no currency in circulation: correct the order.",
        )
    if any(entry.remedy.currency != currency for entry in claim.earlier):
        return _declined(
            claim,
            DecisionCode.CURRENCY_CHANGED,
            "review",
            f"An earlier remedy on this order line was not in {currency}, as the order now is: correct the order.",
        )
    return None


def without_share(claim: Claim, fit: Sequence[Finding]) -> Declined:
    """Why none of the claim's findings has a share; `fit` are those that can be read."""
    if not fit:
        return _unreadable(claim)
    unruled = [finding for finding in fit if finding.fault not in NOT_OURS]
    if unruled:
        return _unruled(claim, unruled)
    return _declined(
        claim,
        DecisionCode.NOT_OUR_FAULT,
        "declined",
        f"What went wrong lay with {' and '.join(sorted({finding.fault for finding in fit}))}, "
        "not with us or with those who work for us.",
    )


def without_due(claim: Claim, fit: Sequence[Finding], policy: Policy) -> Declined:
    """Why none of the findings on goods owes anything; `fit` are those on which a decision may rest."""
    if not fit:
        return _unreadable(claim)
    unruled = [finding for finding in fit if not has_rule(finding, policy)]
    if unruled:
        return _unruled(claim, unruled)
    unclear = [finding for finding in fit if finding.fault not in NOT_OURS]
    if unclear:
        return _declined(claim, DecisionCode.FAULT_UNCLEAR, "review", _unclear(unclear))
    causes = sorted({_CAUSES.get(str(each.evidence.get("reason")), _CAUSES[each.fault]) for each in fit})
    return _declined(
        claim,
        DecisionCode.NOT_OUR_FAULT,
        "declined",
        f"{' and '.join(causes).capitalize()}, so that what went wrong lay neither with us nor with the carrier.",
    )


def _unclear(findings: Sequence[Finding]) -> str:
    what = " and ".join(sorted({spoken(finding.kind) for finding in findings}))
    weather = all(finding.fault == "weather" for finding in findings)
    cause = "the weather was to blame" if weather else "it is not known whose fault it was"
    signals = sorted({signal for finding in findings for signal in contrary(finding)})
    against = f" Contrary signals: {', '.join(signals)}." if signals else ""
    return f"What was found is {what}, and {cause}: a person must decide what is owed.{against}"


def made_good_before(claim: Claim) -> Declined:
    """Something else went wrong on a line that was made good: whether it is the replacement, a person must find out."""
    return _declined(
        claim,
        DecisionCode.MADE_GOOD_BEFORE,
        "review",
        "This order line was made good before, and something else was found or reported on it since: a person must say "
        "whether what was sent again went wrong as well.",
    )


def under_another_policy(claim: Claim) -> Declined:
    """Something new after a remedy of another policy: neither restated nor added to without a person."""
    return _declined(
        claim,
        DecisionCode.POLICY_CHANGED,
        "review",
        "Something new was found on this order line after it had a remedy, and the policy has changed since: "
        "a person must say which of the two policies holds for it.",
    )


def nothing_owed(claim: Claim, leading: Judged) -> Declined:
    """A share of nothing, or one that rounds to nothing."""
    shipping = ", with the shipping that was paid" if claim.line.kind == "goods" else ""
    return _declined(
        claim,
        DecisionCode.NOTHING_OWED,
        "declined",
        f"For {leading.tier} {spoken(leading.finding.kind)} on an order of the kind {claim.line.kind} the policy owes "
        f"{leading.percent} %{shipping}, which comes to nothing here.",
    )


def goodwill_withheld(claim: Claim, withheld: Money) -> Declined:
    """Nothing but goodwill would be given, and this customer is held out from it."""
    return _declined(
        claim,
        DecisionCode.GOODWILL_WITHHELD,
        "declined",
        f"All that is owed on this order line was given before. A goodwill credit of {in_words(withheld)} on top is "
        "withheld from this customer, so that what goodwill does for loyalty can be measured.",
    )


def _unreadable(claim: Claim) -> Declined:
    return _declined(
        claim,
        DecisionCode.UNREADABLE_FINDING,
        "review",
        "What was found has a severity, a time or a figure that cannot be, so that no amount can rest on it.",
    )


def _unruled(claim: Claim, findings: Sequence[Finding]) -> Declined:
    kinds = sorted({spoken(finding.kind) for finding in findings})
    return _declined(
        claim,
        DecisionCode.NO_RULE,
        "review",
        f"The policy has no rule for {' and '.join(kinds)} on an order of the kind {claim.line.kind}.",
    )


def _declined(claim: Claim, code: DecisionCode, outcome: Outcome, reason: str) -> Declined:
    line = claim.line
    subject = Subject("order_line", line.order_line_id)
    return Declined(claim.finding_ids, subject, outcome, code.value, reason, line.order_line_id, line.customer_id)
