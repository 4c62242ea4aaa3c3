"""Why an amount is owed, in words that an agent can read out."""

from collections.abc import Mapping, Sequence
from typing import Final

from detectors.finding import Finding, Scalar
from remediation.money import Money
from remediation.orders import OrderLine
from remediation.policy.limits import in_words
from remediation.policy.outstanding import Outstanding
from remediation.policy.owed import Judged, Owed
from remediation.remedy import Action

FOR_A_PERSON: Final = "Held for a person: "
"""How the part of a reason begins that says what a person must agree to; it comes last."""
_BETWEEN: Final = "; "
_LARGEST: Final = 10**12
"""A figure beyond this measures nothing that happens in an evening; it is left out."""
_NOUNS: Final[Mapping[str, str]] = {
    "playback_failed": "playback failure",
    "late": "late delivery",
    "lost": "loss",
    "damaged": "damage",
    "returned": "return to the sender",
    "delivered_not_received": "delivery that was not received",
    "misdelivered": "delivery elsewhere",
    "reports_90_days": "reports in 90 days",
}


def explain(line: OrderLine, owed: Owed, before: Money, due: Outstanding) -> str:
    """The tier, the figures it rests on, the rule and the amount: what is `due` after a refund of `before`."""
    raised = ", raised to the minimum" if owed.raised else ""
    share = f": {_share(line, owed)}, which is {in_words(owed.refund)}{raised}"
    # Where goods are sent instead, no share of the price is owed, and naming one would only puzzle.
    parts = [f"{_what(line, owed.leading)}{share if owed.refund.minor or line.kind != 'goods' else ''}."]
    if before.minor and due.refund.minor:
        parts.append(f"{in_words(before)} of it was decided before; {in_words(due.refund)} is added.")
    if (before + due.refund).minor < owed.refund.minor:
        parts.append(f"Only {in_words(due.refund)} of what was paid is left to give back.")
    if due.shipping.minor:
        parts.append(f"The shipping of {in_words(due.shipping)} goes back.")
    if due.sent:
        parts.append(_sent(due.sent))
    if due.credit.minor:
        parts.append(f"A goodwill credit of {in_words(due.credit)} comes on top.")
    if due.withheld.minor:
        parts.append(
            f"A goodwill credit of {in_words(due.withheld)} on top is withheld from this customer, so that what "
            "goodwill does for loyalty can be measured; what is owed is given in full."
        )
    return " ".join([*parts, *owed.remarks])


def _what(line: OrderLine, leading: Judged) -> str:
    """The failure with its figures. A parcel that is lost or broken is so entirely: only delays have tiers."""
    failure = leading.finding
    if line.kind != "goods":
        said = f"{leading.tier} {spoken(failure.kind)} on this {line.kind}"
    else:
        said = f"{leading.tier} {spoken(failure.kind)}" if failure.kind == "late" else spoken(failure.kind)
    return f"{said[:1].upper()}{said[1:]} ({_figures(failure)})"


def _share(line: OrderLine, owed: Owed) -> str:
    price = in_words(Money(line.amount_minor, line.currency))
    if owed.days is None:
        return f"{owed.leading.percent} % of the {price} paid"
    days = "1 day" if owed.days == 1 else f"{owed.days} days"
    return f"up to {owed.leading.percent} % of a day's share of the {price} paid, for {days}"


def _sent(goods: Action) -> str:
    if goods.kind == "exchange":
        return "The right item is sent, and the wrong one may be kept."
    return f"It is sent again by {spoken(goods.service_level or 'standard')} service."


def held(reasons: Sequence[str]) -> str:
    """The sentence that says what a person must agree to."""
    return f"{FOR_A_PERSON}{_BETWEEN.join(reasons)}."


def held_for(reason: str) -> tuple[str, ...]:
    """The reasons that `held` has put into the end of a remedy's reason; none where a person need not agree."""
    _, is_there, reasons = reason.partition(FOR_A_PERSON)
    return tuple(reasons.removesuffix(".").split(_BETWEEN)) if is_there else ()


def spoken(name: str) -> str:
    """A kind of failure, or a figure's name, as it is spoken: `playback stalls`."""
    return _NOUNS.get(name, name.replace("_", " "))


def _figures(finding: Finding) -> str:
    known = (_figure(name, value) for name, value in sorted(finding.evidence.items()))
    return ", ".join([f"severity {finding.severity:.2f}", *filter(None, known)])


def _figure(name: str, value: Scalar) -> str | None:
    """One figure with its unit, from the unit that its name ends in; null for what is no figure."""
    if isinstance(value, (bool, str)) or value is None or not -_LARGEST <= value <= _LARGEST:
        return None
    stem, _, unit = name.rpartition("_")
    match unit:
        case "at":  # a moment, not a measure
            return None
        case "ms":
            return f"{spoken(stem)} {_number(value / 1000)} s"
        case "kbps" | "m":
            return f"{spoken(stem)} {_number(value)} {unit.replace('kbps', 'kbit/s')}"
        case "ratio":
            return f"{spoken(stem)} {value:.1%}"
        case _:
            return f"{spoken(name)} {_number(value)}"


def _number(value: float) -> str:
    """At most two decimals, and none that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
