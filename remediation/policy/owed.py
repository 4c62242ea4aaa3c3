"""What is owed for one order line: severity, kind of failure and kind of order give a share of its price."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from fractions import Fraction
from typing import Final

from detectors.finding import Finding
from remediation.durations import DAY_MS
from remediation.money import Money
from remediation.orders import OrderLine
from remediation.policy.case import spelled
from remediation.policy.model import Policy
from remediation.policy.quiet_hours import UnknownTimezoneError, zone
from remediation.policy.shares import RANK, Tier
from remediation.remedy import Action

NOT_OURS: Final = frozenset({"consignee", "customs"})
"""Faults that owe nothing. Of a film an unknown fault owes: goodwill does not wait for blame."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding with its tier and the percentage that the policy gives it."""

    finding: Finding
    tier: Tier
    percent: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed in all for one order line, whatever of it has been paid already.

    `refund` never exceeds what was paid; `credit` is goodwill on top. `leading` is
    the finding that weighs most; `days` counts the days that a subscription pays
    for, and is null for other orders; `raised` says that the refund was raised to
    the minimum.

    The rest is for goods: the `shipping` that goes back, never more than was paid
    for it; what is `sent`; `remarks` that belong into the reason; `doubts`, for
    each of which a person must agree; and whether a person writes the mail.
    """

    refund: Money
    credit: Money
    leading: Judged
    days: int | None
    raised: bool
    shipping: Money
    sent: Action | None = None
    remarks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    letter: bool = False


def readable(finding: Finding, as_of: int) -> bool:
    """Whether money may rest on the finding: a severity from 0 to 1, at a time that has come."""
    return 0 <= finding.severity <= 1 and 0 <= finding.occurred_from <= as_of


def judge(line: OrderLine, findings: Iterable[Finding], policy: Policy) -> tuple[Judged, ...]:
    """Those of `findings`, all readable, that have a share: there is a rule, and the fault is not the recipient's."""
    judged = []
    for finding in findings:
        shares = policy.refund.of(line.kind, finding.kind)
        if shares and finding.fault not in NOT_OURS:
            tier = policy.severity.tier(finding.severity)
            judged.append(Judged(finding, tier, shares.at(tier)))
    return tuple(judged)


def owed(line: OrderLine, judged: Sequence[Judged], policy: Policy, timezone: str) -> Owed:
    """What `judged`, at least one, comes to; more or worse findings never make it less.

    A rental or purchase owes the largest share of its findings, once. A subscription
    owes it for each day of `timezone` on which something failed, of that day's
    share of the price; in a zone that nobody knows, days are those of UTC.
    """
    price = Money(line.amount_minor, line.currency)
    shares = [Fraction(percent, 100) for percent in _percentages(line, judged, timezone)]
    base = _day_share(line, policy) if line.kind == "subscription" else Fraction(1)
    refund, raised = floored(sum(price.share(base * share).minor for share in shares), price, policy)
    return Owed(
        refund,
        goodwill(price, base * len(shares), judged, policy),
        max(judged, key=lambda each: (each.percent, each.finding.severity, spelled(each.finding))),
        len(shares) if line.kind == "subscription" else None,
        raised,
        shipping=Money(0, price.currency),
    )


def _percentages(line: OrderLine, judged: Sequence[Judged], timezone: str) -> list[int]:
    """The largest percentage, of the whole line or of each day."""
    if line.kind != "subscription":
        return [max(each.percent for each in judged)]
    here = _zone_or_utc(timezone)
    best: dict[date, int] = {}
    for each in judged:
        day = datetime.fromtimestamp(each.finding.occurred_from // 1000, UTC).astimezone(here).date()
        best[day] = max(best.get(day, 0), each.percent)
    return list(best.values())


def _zone_or_utc(timezone: str) -> tzinfo:
    try:
        return zone(timezone)
    except UnknownTimezoneError:
        return UTC


def _day_share(line: OrderLine, policy: Policy) -> Fraction:
    """One day as a share of the time that the price covers, at most 1."""
    if line.available_until is None or line.available_until <= line.purchased_at:
        return Fraction(1, policy.subscription.period_days)
    return min(Fraction(1), Fraction(DAY_MS, line.available_until - line.purchased_at))


def floored(minor: int, price: Money, policy: Policy) -> tuple[Money, bool]:
    """At least the currency's minimum, at most the price; nothing stays nothing."""
    figures = policy.currencies.get(price.currency)
    raised = bool(figures and 0 < minor < min(figures.minimum, price.minor))
    floor = figures.minimum if figures and minor else 0
    return Money(min(max(minor, floor), price.minor), price.currency), raised


def goodwill(price: Money, base: Fraction, judged: Iterable[Judged], policy: Policy) -> Money:
    """The credit on top, where something of a tier that earns one was found."""
    earned = policy.goodwill.enabled and any(
        each.percent and RANK[each.tier] >= RANK[policy.goodwill.from_tier] for each in judged
    )
    return price.share(min(Fraction(1), base) * Fraction(policy.goodwill.percent * earned, 100))
