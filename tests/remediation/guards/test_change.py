from tests.remediation.guards.nights import FIRST, a_night, paid, reasons, weeks

OTHER = "b" * 64


def test_a_new_policy_is_a_shadow_until_a_person_has_compared_the_money() -> None:
    tonight = a_night(policy_sha256=OTHER, paid=(paid(90, 500), paid(2, 500, "EUR")))
    assert reasons(tonight, weeks(paid=(paid(30, 399),))) == {
        "policy": "The last released night was judged by policy aaaaaaaa, and this one by policy bbbbbbbb;"
        " 10.00 EUR would go out tonight, where 0.00 EUR is the median of the last 7 nights, and"
        " 450.00 USD would go out tonight, where 119.70 USD is the median of the last 7 nights:"
        " compare before it sends anything by itself."
    }


def test_new_detectors_are_a_shadow_too() -> None:
    found = reasons(a_night(detector_version="2\n"), weeks(detector_version="1"))
    assert list(found) == ["detector"]
    assert "judged by detectors 1, and this one by detectors 2" in found["detector"]


def test_a_currency_that_is_no_longer_paid_shows_in_the_difference() -> None:
    found = reasons(a_night(policy_sha256=OTHER, paid=()), weeks())
    assert "0.00 USD would go out tonight, where 119.70 USD is" in found["policy"]


def test_tonight_is_no_part_of_what_it_is_compared_with() -> None:
    released = [a_night(-2, paid=(paid(1, 100),)), a_night(-1, paid=(paid(1, 200),))]
    found = reasons(a_night(policy_sha256=OTHER, paid=(paid(1, 900),)), released)
    assert "9.00 USD would go out tonight, where 1.50 USD is the median of the last 2 nights" in found["policy"]


def test_the_first_night_of_all_has_changed_nothing() -> None:
    assert reasons(a_night(policy_sha256=OTHER), []) == {}


def test_a_single_released_night_is_enough_to_change_from() -> None:
    assert list(reasons(a_night(policy_sha256=OTHER, paid=()), [a_night(-1, paid=())])) == ["policy"]


def test_a_policy_that_was_released_once_is_no_longer_new() -> None:
    released = [*weeks(), a_night(0, policy_sha256=OTHER)]
    assert reasons(a_night(1, policy_sha256=OTHER), released) == {}
    assert list(reasons(a_night(1), released)) == ["policy"]


def test_of_two_nights_of_one_moment_the_one_that_was_released_last_counts() -> None:
    same = [a_night(as_of=FIRST - 1, policy_sha256=sha256) for sha256 in ("a" * 64, OTHER)]
    assert list(reasons(a_night(), same)) == ["policy"]
    assert reasons(a_night(), same[::-1]) == {}
