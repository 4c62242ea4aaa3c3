"""Limits send a pay-out to a person; they never refuse what is owed."""

from collections.abc import Sequence
from datetime import UTC, datetime

from remediation.book import Entry
from remediation.money import Money
from remediation.policy.model import Policy
from remediation.remedy import Remedy


def spent_in_month(history: Sequence[Entry], as_of: int) -> tuple[Remedy, ...]:
    """The pay-outs of the calendar month (UTC) of `as_of` that did not wait for a person.

    What is held counts once somebody has released it: until then a single doubtful
    pay-out would send every later one to a person too.
    """
    return tuple(
        entry.remedy for entry in history if entry.remedy.state == "approved" and _month(entry.as_of) == _month(as_of)
    )


def hold_reasons(amount: Money, spent: Sequence[Remedy], policy: Policy) -> tuple[str, ...]:
    """Why a person must agree to paying `amount` after `spent`, in words; empty where nobody must."""
    reasons = []
    figures = policy.currencies.get(amount.currency)
    if figures is None:
        reasons.append(f"the policy sets no limits for {amount.currency}")
    else:
        second_person = Money(figures.second_person_above, amount.currency)
        month = Money(figures.customer_month, amount.currency)
        before = sum(remedy.amount for remedy in spent if remedy.currency == amount.currency)
        if amount.minor > second_person.minor:
            reasons.append(f"a single pay-out above {in_words(second_person)} needs a second person")
        if before + amount.minor > month.minor:
            total = Money(before + amount.minor, amount.currency)
            reasons.append(
                f"this customer would reach {in_words(total)} this month, above the limit of {in_words(month)}"
            )
    if len(spent) >= policy.limits.payouts_per_customer_month:
        reasons.append(f"it would be pay-out number {len(spent) + 1} to this customer this month")
    return tuple(reasons)


def goods_reasons(worth: Money, policy: Policy) -> tuple[str, ...]:
    """Why a person must agree to sending goods of this price, in words; empty where nobody must.

    What is sent moves no money, but it costs as much as a pay-out.
    """
    figures = policy.currencies.get(worth.currency)
    if figures is None or worth.minor <= figures.second_person_above:
        return ()
    limit = Money(figures.second_person_above, worth.currency)
    return (f"sending goods worth more than {in_words(limit)} needs a second person",)


def in_words(money: Money) -> str:
    """An exact amount for an agent, such as `2.99 USD`; mails have their own spelling."""
    return f"{money.decimal:,f} {money.currency}"


def _month(moment_ms: int) -> tuple[int, int]:
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return moment.year, moment.month
