"""Deciding: what each order line of one customer gets, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from remediation.money import Money
from remediation.orders import OrderLine
from remediation.policy import decline, delivery, trust
from remediation.policy.case import Case
from remediation.policy.claim import Claim, claims
from remediation.policy.limits import goods_reasons, hold_reasons, spent_in_month
from remediation.policy.model import Policy
from remediation.policy.outstanding import Outstanding, outstanding
from remediation.policy.owed import Judged, Owed, judge, owed, readable
from remediation.policy.quiet_hours import UnknownTimezoneError, zone
from remediation.policy.repeated import standing
from remediation.policy.wording import explain, held
from remediation.remedy import GOODS, Action, Declined, Remedy

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
      Remedies, `approved` or, where a limit or a doubt wants a person, `held`; and the
      declined, or those that a person must review. `reason` says why in each.
    """
    decisions: list[Decision] = []
    for claim in claims(case):
        decided = tuple(each for each in decisions if isinstance(each, Remedy))
        decision = _decide_line(claim, _Run(case, policy, as_of, decided))
        if decision is not None:
            decisions.append(decision)
    return tuple(decisions)


@dataclass(frozen=True, slots=True)
class _Run:
    """What deciding a line needs beside it; `decided` are the remedies of this run on the customer's other lines."""

    case: Case
    policy: Policy
    as_of: int
    decided: tuple[Remedy, ...]

    @property
    def timezone(self) -> str:
        return self.case.customer.timezone if self.case.customer else ""

    @property
    def spent(self) -> tuple[Remedy, ...]:
        """The pay-outs of this month for which nobody must be asked any more."""
        approved = (remedy for remedy in self.decided if remedy.state == "approved")
        return (*spent_in_month(self.case.history, self.as_of), *approved)

    def available(self, line: OrderLine) -> int:
        """How many of the line's item can be sent, beside those that this run sends on other lines."""
        lines = {each.order_line_id: each for each, _ in self.case.lines}
        sending = [remedy for remedy in self.decided if any(action.kind in GOODS for action in remedy.actions)]
        taken = (lines[remedy.order_line_id] for remedy in sending)
        return self.case.stock.get(line.item_id, 0) - sum(
            each.quantity for each in taken if each.item_id == line.item_id
        )


def _decide_line(claim: Claim, run: _Run) -> Decision | None:
    if claim.is_known:
        return None
    if obstacle := decline.by_the_books(claim, run.case.customer):
        return obstacle
    return _decide_goods(claim, run) if claim.line.kind == "goods" else _decide_playback(claim, run)


def _decide_playback(claim: Claim, run: _Run) -> Decision | None:
    if claim.is_refunded:
        return None  # Everything has been given back, so that no evidence can add to it.
    fit = [finding for finding in claim.findings if readable(finding, run.as_of)]
    judged = judge(claim.line, fit, run.policy)
    if not judged:
        return decline.without_share(claim, fit)
    if _is_under_another_policy(claim, run.policy):
        return decline.under_another_policy(claim)
    whole = _weighed(claim.line, judged, run)
    left = outstanding(claim, whole, run.case.arm)
    if left.is_nothing:
        return _unpaid(claim, left, None if claim.same_incident else decline.nothing_owed(claim, whole.leading))
    return _remedy(claim, whole, left, run)


def _weighed(line: OrderLine, judged: Sequence[Judged], run: _Run) -> Owed:
    """What is owed, with the doubts about those who say so; what is owed on sound words alone needs no others."""
    rules, case = run.policy.trust, run.case
    doubts = [trust.doubts(each.finding, line, case.conduct, rules, run.as_of) for each in judged]
    conduct = trust.visit_reasons(case, line.order_line_id, rules, run.as_of)
    whole = owed(line, judged, run.policy, run.timezone)
    sound = [each for each, reasons in zip(judged, doubts, strict=True) if not reasons]
    if sound:
        certain = owed(line, sound, run.policy, run.timezone)
        if (certain.refund, certain.credit) == (whole.refund, whole.credit):
            return replace(certain, doubts=conduct)
    return replace(whole, doubts=(*dict.fromkeys(chain.from_iterable(doubts)), *conduct))


def _decide_goods(claim: Claim, run: _Run) -> Decision | None:
    fit = [finding for finding in claim.findings if delivery.fit(finding, run.as_of)]
    stands = standing(claim.line, run.case, run.decided, run.as_of, run.policy.goods.repeated)
    due = delivery.dues(claim, fit, run.policy, stands, run.available(claim.line))
    if not due:
        return decline.without_due(claim, fit, run.policy)
    whole = delivery.owed(claim, fit, due, run.policy, stands)
    left = outstanding(claim, whole, run.case.arm)
    if left.is_nothing and claim.is_made_good:
        # A loss grows older every night; only what can be another failure is a person's business.
        return decline.made_good_before(claim) if delivery.is_news(claim, due) else _unpaid(claim, left, None)
    if _is_under_another_policy(claim, run.policy):
        return decline.under_another_policy(claim)
    if left.is_nothing:
        return _unpaid(claim, left, None if claim.earlier else decline.nothing_owed(claim, whole.leading))
    return _remedy(claim, whole, left, run)


def _is_under_another_policy(claim: Claim, policy: Policy) -> bool:
    return any(entry.remedy.policy_sha256 != policy.sha256 for entry in claim.same_incident)


def _unpaid(claim: Claim, left: Outstanding, reason: Declined | None) -> Declined | None:
    """What is said of a line to which nothing is given: where goodwill alone was withheld, that it was."""
    return decline.goodwill_withheld(claim, left.withheld) if left.withheld.minor else reason


def _remedy(claim: Claim, whole: Owed, left: Outstanding, run: _Run) -> Remedy:
    """What is `left` to give of what is owed; with doubts or beyond a limit, a person must agree."""
    before = Money(claim.given("refund", claim.same_incident), claim.line.currency)
    reason = explain(claim.line, whole, before, left)
    waits = (
        *whole.doubts,
        *hold_reasons(left.amount, run.spent, run.policy),
        *trust.payout_reasons(claim.line.order_line_id, run.case.history, run.decided, run.policy.trust, run.as_of),
        *(goods_reasons(claim.price, run.policy) if left.sent else ()),
        *_zone_reasons(run.timezone),
        *(("a person has rejected an earlier remedy on this order line",) if claim.was_rejected else ()),
    )
    return Remedy(
        order_line_id=claim.line.order_line_id,
        number=claim.next_number,
        customer_id=claim.line.customer_id,
        finding_ids=claim.finding_ids,
        actions=(*left.actions, Action("letter")) if whole.letter else left.actions,
        amount=left.amount.minor,
        currency=left.amount.currency,
        policy_sha256=run.policy.sha256,
        reason=f"{reason} {held(waits)}" if waits else reason,
        state="held" if waits else "approved",
        arm=left.arm(run.case.arm),
        withheld_minor=left.withheld.minor,
    )


def _zone_reasons(timezone: str) -> tuple[str, ...]:
    """A mail cannot wait for the morning of a zone that nobody knows."""
    try:
        zone(timezone)
    except UnknownTimezoneError:
        return ("the customer's time zone is not in the tz database, so that the mail cannot be timed: correct it",)
    return ()
