"""What is owed for one order line of goods: money back, goods sent again, or a person's decision."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from detectors.finding import Finding
from remediation.money import Money
from remediation.policy.case import spelled
from remediation.policy.claim import Claim
from remediation.policy.goods import PLANS
from remediation.policy.model import Policy
from remediation.policy.owed import NOT_OURS, Judged, Owed, floored, goodwill, readable
from remediation.policy.repeated import Standing
from remediation.policy.shares import worse
from remediation.policy.wording import spoken
from remediation.remedy import Action

PAYABLE: Final = frozenset({"carrier", "merchant"})
"""Faults that owe. Others are the recipient's or nobody's that we know of: money never follows from a guess."""


@dataclass(frozen=True, slots=True)
class Due:
    """What one finding owes: of the item (`judged.percent`), of the shipping, and the goods to send.

    `short` says that goods were to be sent, but cannot be.
    """

    judged: Judged
    shipping_percent: int
    sends: Literal["replacement", "exchange"] | None = None
    short: bool = False


def fit(finding: Finding, as_of: int) -> bool:
    """Whether a decision may rest on the finding; of a late parcel it must be known by how many days."""
    return readable(finding, as_of) and (finding.kind != "late" or count(finding, "days_late") >= 1)


def has_rule(finding: Finding, policy: Policy) -> bool:
    """Whether the policy says how this kind of failure is made good."""
    return finding.kind == "late" or policy.goods.failed.of(finding.kind) is not None


def dues(
    claim: Claim, findings: Iterable[Finding], policy: Policy, standing: Standing, available: int
) -> tuple[Due, ...]:
    """What those of `findings`, all fit, owe that have a rule and are the carrier's fault or ours.

    Args:
      claim: The order line, with what it was given before.
      findings: What was found on it.
      policy: What is owed.
      standing: How often this customer was let down before.
      available: How many of the item can be sent; zero where nobody knows.
    """
    return tuple(
        _late(finding, policy, standing)
        if finding.kind == "late"
        else _failed(claim, finding, policy, standing, available)
        for finding in findings
        if finding.fault in PAYABLE and has_rule(finding, policy)
    )


def owed(claim: Claim, findings: Iterable[Finding], due: Sequence[Due], policy: Policy, standing: Standing) -> Owed:
    """What `due`, at least one, comes to; the largest share of each counts, and goods are sent once.

    Those of `findings` whose fault nobody knows, and what speaks against the claim, are doubts.
    """
    price = claim.price
    share = Fraction(max(each.judged.percent for each in due), 100)
    shipping_share = Fraction(max(each.shipping_percent for each in due), 100)
    refund, raised = floored(price.share(share).minor, price, policy)
    judged = [each.judged for each in due]
    sends = {each.sends for each in due}
    return Owed(
        refund,
        credit=goodwill(price, Fraction(1), judged, policy),
        leading=max(judged, key=_weight),
        days=None,
        raised=raised,
        shipping=Money(claim.line.shipping_minor, price.currency).share(shipping_share),
        sent=_sent(sends, policy),
        remarks=tuple(_remarks(due, standing, policy)),
        doubts=tuple(_doubts(findings, due)),
        letter=standing.letter,
    )


def is_news(claim: Claim, due: Iterable[Due]) -> bool:
    """Whether something was found, or reported, that no earlier remedy on this line can have been for.

    A delay that grows is none: it stands in a finding that has been answered.
    """
    answered = {finding_id for entry in claim.judged for finding_id in entry.remedy.finding_ids}
    last = max((entry.as_of for entry in claim.judged), default=0)
    findings = [each.judged.finding for each in due if each.judged.finding.kind != "late"]
    return any(each.finding_id not in answered or count(each, "reported_at") > last for each in findings)


def count(finding: Finding, name: str) -> int:
    """A whole number of the evidence; zero where it is absent or something else."""
    value = finding.evidence.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _late(finding: Finding, policy: Policy, standing: Standing) -> Due:
    rules = policy.goods.late
    tier = rules.tier(count(finding, "days_late"))
    tier = worse(tier) if standing.raised else tier
    return Due(Judged(finding, tier, rules.item.at(tier)), rules.shipping.at(tier))


def _failed(claim: Claim, finding: Finding, policy: Policy, standing: Standing, available: int) -> Due:
    answers = policy.goods.failed.of(finding.kind)
    if answers is None:
        raise ValueError(f"the policy has no answer to {finding.kind}: only what has_rule may be asked for")
    plan = PLANS[answers.again if standing.raised or _is_wrong_again(finding) else answers.first]
    # An item that came wrong twice is sent twice; everything else is made good once, in goods or in money.
    times = max(1, count(finding, "wrong_count")) if finding.kind == "wrong_item" else 1
    wanted = plan.sends if times > max(claim.sent, int(claim.is_refunded)) else None
    sends = wanted if available >= claim.line.quantity else None
    in_full = plan.refunds or not (sends or claim.sent >= times)
    return Due(
        Judged(finding, "severe", 100 * in_full),
        100 * (in_full and policy.goods.refund_shipping),
        sends,
        short=wanted != sends,
    )


def _is_wrong_again(finding: Finding) -> bool:
    """The same item wrong again: on this line, or on another one, whosever it is."""
    return finding.kind == "wrong_item" and (count(finding, "wrong_count") > 1 or count(finding, "mixup_lines") > 0)


def _sent(sends: set[Literal["replacement", "exchange"] | None], policy: Policy) -> Action | None:
    """A replacement goes before an exchange: it is for a customer who has nothing yet."""
    if "replacement" in sends:
        return Action("replacement", service_level=policy.goods.service_level)
    return Action("exchange") if "exchange" in sends else None


def _remarks(due: Iterable[Due], standing: Standing, policy: Policy) -> Iterable[str]:
    if any(each.short for each in due):
        yield "None is promised to be sent: too few are in stock, or nobody has counted them."
    if any(_is_wrong_again(each.judged.finding) for each in due):
        yield "The same item came wrong before, to this customer or to another, so that it goes up a tier."
    elif standing.raised:
        days = policy.goods.repeated.raise_within_days
        yield f"It is not this customer's first failure within {days} days, so that it goes up a tier."
    if standing.letter:
        days = policy.goods.repeated.letter_within_days
        yield f"It is at least the third within {days} days, so that a person writes and no mail is sent."


def _doubts(findings: Iterable[Finding], due: Iterable[Due]) -> Iterable[str]:
    """Sorted and each once, so that the order of findings does not show."""
    signals = {signal for each in due for signal in contrary(each.judged.finding)}
    if signals:
        yield f"contrary signals ({', '.join(sorted(signals))})"
    unclear = {each.kind for each in findings if each.fault not in PAYABLE | NOT_OURS}
    if unclear:
        yield f"whose fault {' and '.join(sorted(map(spoken, unclear)))} was is not known"


def contrary(finding: Finding) -> tuple[str, ...]:
    """The signals that speak against what the customer says, as the detector names them."""
    signals = finding.evidence.get("signals_against")
    return tuple(filter(None, signals.split(","))) if isinstance(signals, str) else ()


def _weight(judged: Judged) -> tuple[int, bool, float, str]:
    """What is owed most for leads; of equals, anything goes before a delay, and then the worse one."""
    finding = judged.finding
    return judged.percent, finding.kind != "late", finding.severity, spelled(finding)
