"""How much would go out: pay-outs in number, money a currency, and the largest single one."""

from collections.abc import Iterator

from remediation.guards.figures import Figures, Paid
from remediation.guards.history import History, Measure
from remediation.guards.reading import Reading, Said, against, near, read
from remediation.guards.rules import CurrencyRules, GuardRules
from remediation.money import Money
from remediation.report.formats import amount, counted


def payout_readings(tonight: Figures, history: History, rules: GuardRules) -> Iterator[Reading]:
    """The number of pay-outs, and for each currency their sum and the largest of them."""
    yield _number(tonight, history, rules)
    for paid in tonight.paid:
        limits = rules.money.get(paid.currency)
        if limits is None:
            yield _unlimited(paid)
        else:
            yield _sum(paid, history, limits, rules.payouts.times)
            yield _single(paid, limits)


def amount_in(currency: str) -> Measure:
    """What a night refunded in one currency; a night without a refund in it refunded nothing."""
    return lambda night: sum(paid.amount_minor for paid in night.paid if paid.currency == currency)


def _number(tonight: Figures, history: History, rules: GuardRules) -> Reading:
    usual = history.usual(lambda night: night.payouts)
    limit = rules.payouts.limit(usual.value if usual else None, rules.payouts.times)
    whom = f"{counted(tonight.payouts, 'pay-out')} to {counted(tonight.customers, 'customer')} would go out"
    said = Said(
        f"{whom}; {against(usual, limit, lambda figure: f'{figure:,.0f}')}",
        "see what is flagged and why before so many go out",
    )
    payouts = tonight.payouts
    return read("payouts", "", payouts, limit, said, tripped=payouts > limit, near_ratio=near(payouts, limit))


def _sum(paid: Paid, history: History, limits: CurrencyRules, times: float) -> Reading:
    usual = history.usual(amount_in(paid.currency))
    limit = limits.limit(usual.value if usual else None, times)
    total = amount(Money(paid.amount_minor, paid.currency))
    known = against(usual, limit, lambda minor: amount(Money(round(minor), paid.currency)))
    said = Said(
        f"{total} in {counted(paid.refunds, 'refund')} would go out; {known}",
        "see what is flagged and why before so much goes out",
    )
    sent = paid.amount_minor
    return read("money", paid.currency, sent, limit, said, tripped=sent > limit, near_ratio=near(sent, limit))


def _single(paid: Paid, limits: CurrencyRules) -> Reading:
    largest, limit = (amount(Money(minor, paid.currency)) for minor in (paid.largest_minor, limits.single))
    said = Said(
        f"the largest single pay-out is {largest}, and the limit is {limit}",
        "look at that pay-out, and at what the policy says of its currency",
    )
    minor, most = paid.largest_minor, limits.single
    return read("single_payout", paid.currency, minor, most, said, tripped=minor > most, near_ratio=near(minor, most))


def _unlimited(paid: Paid) -> Reading:
    total = amount(Money(paid.amount_minor, paid.currency))
    said = Said(
        f"{total} would go out, and the policy sets no limit for a night in {paid.currency}",
        "add the currency to [guards.money]",
    )
    return read("money", paid.currency, paid.amount_minor, 0, said, tripped=True)
