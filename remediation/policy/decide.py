"""Deciding: what each order line of one customer gets, and why."""

from collections.abc import Sequence

from remediation.money import Money
from remediation.policy import decline
from remediation.policy.case import Case
from remediation.policy.claim import Claim
from remediation.policy.limits import hold_reasons, spent_in_month
from remediation.policy.model import GOODWILL_LIMIT_PERCENT, Policy
from remediation.policy.owed import Owed, judge, owed, readable
from remediation.policy.quiet_hours import UnknownTimezoneError, zone
from remediation.policy.wording import explain, held
from remediation.remedy import Action, ActionKind, Declined, Remedy

Decision = Remedy | Declined


def decide(case: Case, policy: Policy, as_of: int) -> tuple[Decision, ...]:
    """At most one decision an order line, in the order of order line ids; none where nothing new was learnt.

    A line that has a remedy keeps it: the same evidence changes nothing, new
    evidence can only add the difference as the next number, and what was decided
    under another policy is neither restated nor added to without a person.

    Args:
      case: One customer; the order of lines, findings and history is of no matter.
      policy: What is owed, and from where on a person decides.
      as_of: The moment of the run, in milliseconds since the epoch.

    Returns:
      Remedies, `approved` or, where a limit wants a person, `held`; and the
      declined, or those that a person must review. `reason` says why in each.
    """
    spent = list(spent_in_month(case.history, as_of))
    decisions: list[Decision] = []
    for line, findings in sorted(case.lines, key=lambda each: each[0].order_line_id):
        earlier = tuple(entry for entry in case.history if entry.remedy.order_line_id == line.order_line_id)
        decision = _decide_line(Claim(line, findings, earlier), case, policy, as_of, spent)
        if decision is None:
            continue
        decisions.append(decision)
        if isinstance(decision, Remedy) and decision.state == "approved":
            spent.append(decision)
    return tuple(decisions)


def _decide_line(claim: Claim, case: Case, policy: Policy, as_of: int, spent: Sequence[Remedy]) -> Decision | None:
    if claim.is_known:
        return None
    if obstacle := decline.by_the_books(claim, case.customer):
        return obstacle
    if claim.given("refund", claim.earlier) >= claim.price.minor:
        return None  # Everything has been given back, so that no evidence can add to it.
    fit = [finding for finding in claim.findings if readable(finding, as_of)]
    judged = judge(claim.line, fit, policy)
    if not judged:
        return decline.without_share(claim, fit)
    if any(entry.remedy.policy_sha256 != policy.sha256 for entry in claim.same_incident):
        return decline.under_another_policy(claim)
    timezone = case.customer.timezone if case.customer else ""
    return _pay(claim, owed(claim.line, judged, policy, timezone), policy, spent, timezone)


def _pay(claim: Claim, owed: Owed, policy: Policy, spent: Sequence[Remedy], timezone: str) -> Decision | None:
    """What is owed and has not been given before; nothing where new evidence does not raise it."""
    refund, credit = _due(claim, owed)
    amount = refund + credit
    if amount.minor == 0:
        return None if claim.same_incident else decline.nothing_owed(claim, owed.leading)
    before = Money(claim.given("refund", claim.same_incident), refund.currency)
    reason = explain(claim.line, owed, before, refund, credit)
    waits = (*hold_reasons(amount, spent, policy), *_zone_reasons(timezone))
    kinds: tuple[tuple[ActionKind, Money], ...] = (("refund", refund), ("credit", credit))
    return Remedy(
        order_line_id=claim.line.order_line_id,
        number=claim.next_number,
        customer_id=claim.line.customer_id,
        finding_ids=claim.finding_ids,
        actions=tuple(Action(kind, money.minor) for kind, money in kinds if money.minor),
        amount=amount.minor,
        currency=amount.currency,
        policy_sha256=policy.sha256,
        reason=f"{reason} {held(waits)}" if waits else reason,
        state="held" if waits else "approved",
    )


def _due(claim: Claim, owed: Owed) -> tuple[Money, Money]:
    """Refund and credit beyond what this incident has had, within what the whole line may still have."""
    price, had = claim.price, claim.same_incident
    refund_left = price.minor - claim.given("refund", claim.earlier)
    # The limit leaves room for a full refund, since one may follow: what was credited is not taken back.
    credit_left = price.minor * GOODWILL_LIMIT_PERCENT // 100 - claim.given("credit", claim.earlier)
    refund = max(0, min(owed.refund.minor - claim.given("refund", had), refund_left))
    credit = max(0, min(owed.credit.minor - claim.given("credit", had), credit_left))
    return Money(refund, price.currency), Money(credit, price.currency)


def _zone_reasons(timezone: str) -> tuple[str, ...]:
    """A mail cannot wait for the morning of a zone that nobody knows."""
    try:
        zone(timezone)
    except UnknownTimezoneError:
        return ("the customer's time zone is not in the tz database, so that the mail cannot be timed: correct it",)
    return ()
