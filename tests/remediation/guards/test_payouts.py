import pytest

from remediation.guards.figures import Figures, Paid
from remediation.policy.load import default_policy
from tests.remediation.guards.nights import a_night, paid, reasons, weeks


def sending(payouts: int, *money: Paid, day: int = 0) -> Figures:
    return a_night(day, payouts=payouts, customers=payouts, paid=money)


def test_a_usual_night_goes_out_by_itself() -> None:
    assert reasons(a_night(), weeks()) == {}


def test_a_small_first_night_goes_out_by_itself() -> None:
    assert reasons(a_night(), []) == {}


@pytest.mark.parametrize(
    ("usual", "tonight", "held"),
    [
        pytest.param(40, 120, False, id="three times the usual"),
        pytest.param(40, 121, True, id="more than three times"),
        pytest.param(2, 25, False, id="a handful in a small shop"),
        pytest.param(2, 26, True, id="more than a handful there"),
        pytest.param(0, 25, False, id="a handful where there is usually nothing"),
        pytest.param(4_000, 5_001, True, id="more than ever, however much is usual"),
    ],
)
def test_so_many_pay_outs_are_held(usual: int, tonight: int, held: bool) -> None:  # noqa: FBT001
    released = [sending(usual, day=day) for day in range(-14, 0)]
    assert ("payouts" in reasons(sending(tonight), released)) is held


def test_in_the_first_nights_a_storm_stays_small() -> None:
    first_nights = [sending(90, day=-2), sending(90, day=-1)]
    assert "payouts" not in reasons(sending(100), first_nights)
    assert "too few released nights" in reasons(sending(101), first_nights)["payouts"]


def test_the_reason_says_how_many_to_whom_and_what_is_usual() -> None:
    released = [sending(40, day=day) for day in range(-14, 0)]
    assert reasons(sending(1_210), released)["payouts"] == (
        "1,210 pay-outs to 1,210 customers would go out; the median of 14 released nights is 40, and the limit is 120:"
        " see what is flagged and why before so many go out."
    )


@pytest.mark.parametrize(
    ("usual", "tonight", "held"),
    [
        pytest.param([paid(100, 300)], paid(300, 300), False, id="three times the usual"),
        pytest.param([paid(100, 300)], paid(301, 300), True, id="more than three times"),
        pytest.param([], paid(100, 500), False, id="a little where there is usually nothing"),
        pytest.param([], paid(101, 500), True, id="more than a little there"),
        pytest.param([paid(100, 300, "JPY")], paid(100, 501), True, id="another currency says nothing"),
        pytest.param([paid(9_000, 500)], paid(9_999, 501), True, id="more than ever, however much is usual"),
    ],
)
def test_so_much_money_is_held(usual: list[Paid], tonight: Paid, held: bool) -> None:  # noqa: FBT001
    released = [sending(20, *usual, day=day) for day in range(-14, 0)]
    assert ("money USD" in reasons(sending(20, tonight), released)) is held


def test_each_currency_has_its_own_limit_and_says_so_in_its_own_units() -> None:
    found = reasons(sending(20, paid(20, 15_001, "JPY"), paid(20, 9_000, "KWD")), weeks())
    assert found.keys() == {"money JPY", "money KWD", "single_payout JPY"}
    assert "300,020 JPY in 20 refunds" in found["money JPY"]
    assert "180.000 KWD in 20 refunds" in found["money KWD"]
    assert "the limit is 150.000 KWD" in found["money KWD"]


def test_a_currency_without_limits_waits() -> None:
    assert "[guards.money]" in reasons(sending(1, paid(1, 5, "ISK")), weeks())["money ISK"]


@pytest.mark.parametrize(("largest", "held"), [(10_000, False), (10_001, True)])
def test_one_pay_out_out_of_all_proportion_holds_the_night(largest: int, held: bool) -> None:  # noqa: FBT001
    found = reasons(sending(2, paid(2, 6_000, largest=largest)), weeks())
    assert ("single_payout USD" in found) is held


def test_every_currency_of_the_default_policy_has_a_limit_for_a_night() -> None:
    policy = default_policy()
    assert policy.currencies.keys() == policy.guards.money.keys()
    for currency, limits in policy.guards.money.items():
        assert policy.currencies[currency].second_person_above < limits.single < limits.floor
