from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from remediation.money import DIGITS, CurrencyMismatchError, Money, UnknownCurrencyError

AMOUNTS = st.integers(-(10**15), 10**15)
RATIOS = st.fractions(0, 2)


def test_sums_and_differences_keep_the_currency() -> None:
    assert Money(299, "USD") + Money(1, "USD") == Money(300, "USD")
    assert Money(100, "JPY") - Money(299, "JPY") == Money(-199, "JPY")


def test_two_currencies_never_meet_in_a_sum() -> None:
    with pytest.raises(CurrencyMismatchError, match="USD and JPY"):
        Money(1, "USD") + Money(1, "JPY")
    with pytest.raises(CurrencyMismatchError, match="USD and EUR"):
        Money(1, "USD") - Money(1, "EUR")


@pytest.mark.parametrize(
    ("minor", "ratio", "share"),
    [
        pytest.param(299, Decimal("0.5"), 150, id="a half goes up, not to even and not down"),
        pytest.param(301, Decimal("0.5"), 151, id="again"),
        pytest.param(-299, Decimal("0.5"), -150, id="away from zero below zero too"),
        pytest.param(45, Fraction(1, 30), 2, id="a thirtieth is exact: 1.5"),
        pytest.param(44, Fraction(1, 30), 1, id="1.47"),
        pytest.param(299, Decimal("1.5"), 449, id="more than the whole: 448.5"),
        pytest.param(299, Decimal(0), 0, id="nothing"),
        pytest.param(10**30 + 1, Decimal(1), 10**30 + 1, id="more digits than the decimal context holds"),
    ],
)
def test_a_share_is_rounded_half_up(minor: int, ratio: Decimal | Fraction, share: int) -> None:
    assert Money(minor, "USD").share(ratio) == Money(share, "USD")


def test_a_share_does_not_depend_on_the_callers_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 3
        assert Money(123_457, "USD").share(Decimal("0.5")) == Money(61_729, "USD")


@given(AMOUNTS, RATIOS)
def test_a_share_is_never_further_than_half_a_unit_from_the_exact_one(minor: int, ratio: Fraction) -> None:
    assert abs(Money(minor, "USD").share(ratio).minor - minor * ratio) <= Fraction(1, 2)


@given(AMOUNTS, RATIOS)
def test_a_share_and_the_rest_sum_to_the_whole(minor: int, ratio: Fraction) -> None:
    whole = Money(minor, "KWD")
    share = whole.share(ratio)
    assert share + (whole - share) == whole


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        pytest.param(Money(299, "USD"), "2.99", id="cents"),
        pytest.param(Money(299, "JPY"), "299", id="yen have no smaller unit"),
        pytest.param(Money(2_990, "KWD"), "2.990", id="fils are thousandths"),
        pytest.param(Money(2_990, "IQD"), "2.990", id="so they are in Iraq, though nobody writes them"),
        pytest.param(Money(29_900, "RSD"), "299.00", id="para are hundredths, though nobody writes them"),
        pytest.param(Money(-5, "EUR"), "-0.05", id="below zero"),
    ],
)
def test_major_units_follow_iso_4217(money: Money, shown: str) -> None:
    assert str(money.decimal) == shown


@pytest.mark.parametrize("code", ["XXX", "XAU", "DEM", "usd", ""])
def test_what_is_no_money_in_circulation_has_no_decimal(code: str) -> None:
    with pytest.raises(UnknownCurrencyError, match="no ISO 4217 currency"):
        _ = Money(1, code).decimal


def test_every_legal_tender_of_today_is_known() -> None:
    tender = {
        code
        for currencies in get_global("territory_currencies").values()
        for code, _, until, is_tender in currencies
        if is_tender and until is None
    }
    assert tender <= DIGITS.keys()
