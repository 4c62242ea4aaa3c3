import pytest

from remediation.gateways.errors import RefusedError, SilentError
from remediation.gateways.stripe_amounts import from_stripe, to_stripe
from remediation.money import DIGITS, Money

WRITTEN = [
    pytest.param(Money(299, "USD"), 299, id="2.99 dollars are 299"),
    pytest.param(Money(299, "JPY"), 299, id="299 yen are 299"),
    pytest.param(Money(5, "ISK"), 500, id="5 kronur are written with two digits that they no longer have"),
    pytest.param(Money(5, "UGX"), 500, id="5 shillings likewise"),
    pytest.param(Money(1500, "MGA"), 15, id="15 ariary are written without their fifths"),
    pytest.param(Money(2990, "KWD"), 2990, id="2.990 dinars keep three digits"),
    pytest.param(Money(1045, "HUF"), 1045, id="forints have fillers, but for payouts"),
]


@pytest.mark.parametrize(("money", "amount"), WRITTEN)
def test_an_amount_goes_to_stripe_and_comes_back(money: Money, amount: int) -> None:
    assert to_stripe(money) == amount
    assert from_stripe(amount, money.currency.lower()) == money


@pytest.mark.parametrize(
    "money",
    [
        pytest.param(Money(2995, "KWD"), id="the last of three digits must be 0"),
        pytest.param(Money(1550, "MGA"), id="half an ariary"),
        pytest.param(Money(0, "USD"), id="nothing"),
        pytest.param(Money(-299, "USD"), id="less than nothing"),
        pytest.param(Money(299, "IQD"), id="three digits at ISO, unsaid at Stripe"),
        pytest.param(Money(299, "XXX"), id="no currency"),
    ],
)
def test_what_stripe_cannot_pay_exactly_is_refused(money: Money) -> None:
    with pytest.raises(RefusedError, match=r"pay (it|them) in another way"):
        to_stripe(money)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        pytest.param(4010, "isk", id="a fraction from before 2023"),
        pytest.param(100, "iqd", id="unsaid"),
        pytest.param(100, "xxx", id="no currency"),
    ],
)
def test_what_cannot_be_read_exactly_is_not_guessed(amount: int, currency: str) -> None:
    with pytest.raises(SilentError, match="look it up there"):
        from_stripe(amount, currency)


@pytest.mark.parametrize("currency", sorted(DIGITS))
def test_every_currency_comes_back_as_it_went_or_is_refused(currency: str) -> None:
    money = Money(10**6, currency)
    try:
        amount = to_stripe(money)
    except RefusedError:
        assert currency in {"IQD", "LYD"}
    else:
        assert from_stripe(amount, currency.lower()) == money
