"""Why an amount is owed, in words that an agent can read out."""

from collections.abc import Sequence
from typing import Final

from detectors.finding import Finding, Scalar
from remediation.money import Money
from remediation.orders import OrderLine
from remediation.policy.limits import in_words
from remediation.policy.owed import Owed

_LARGEST: Final = 10**12
"""A figure beyond this measures nothing that happens in an evening; it is left out."""


def explain(line: OrderLine, owed: Owed, before: Money, due: Money, credit: Money) -> str:
    """The tier, the figures it rests on, the rule and the amount: `due` after `before`, with `credit` on top."""
    leading = owed.leading
    what = f"{leading.tier.capitalize()} {spoken(leading.finding.kind)} on this {line.kind}"
    raised = ", raised to the minimum" if owed.raised else ""
    parts = [f"{what} ({_figures(leading.finding)}): {_share(line, owed)}, which is {in_words(owed.refund)}{raised}."]
    if before.minor:
        parts.append(f"{in_words(before)} of it was decided before; {in_words(due)} is added.")
    if (before + due).minor < owed.refund.minor:
        parts.append(f"Only {in_words(due)} of what was paid is left to give back.")
    if credit.minor:
        parts.append(f"A goodwill credit of {in_words(credit)} comes on top.")
    return " ".join(parts)


def _share(line: OrderLine, owed: Owed) -> str:
    price = in_words(Money(line.amount_minor, line.currency))
    if owed.days is None:
        return f"{owed.leading.percent} % of the {price} paid"
    days = "1 day" if owed.days == 1 else f"{owed.days} days"
    return f"up to {owed.leading.percent} % of a day's share of the {price} paid, for {days}"


def held(reasons: Sequence[str]) -> str:
    """The sentence that says what a person must agree to."""
    return f"Held for a person: {'; '.join(reasons)}."


def spoken(name: str) -> str:
    """A kind of failure, or a figure's name, as it is spoken: `playback stalls`."""
    return "playback failure" if name == "playback_failed" else name.replace("_", " ")


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
        case "kbps":
            return f"{spoken(stem)} {_number(value)} kbit/s"
        case "ratio":
            return f"{spoken(stem)} {value:.1%}"
        case _:
            return f"{spoken(name)} {_number(value)}"


def _number(value: float) -> str:
    """At most two decimals, and none that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
