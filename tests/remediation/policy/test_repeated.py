from dataclasses import replace

import pytest

from detectors.finding import Finding
from remediation.book import Entry
from remediation.orders import OrderLine
from remediation.policy.case import Case
from remediation.policy.decide import decide
from remediation.policy.load import default_policy
from remediation.remedy import Action, Remedy
from tests.remediation.policy.stories import (
    DAY,
    MORNING,
    a_case,
    a_customer,
    a_failure,
    a_finding,
    a_line,
    a_parcel,
    an_entry,
    the_remedy,
)

POLICY = default_policy()
SHIPPING, TENTH, LETTER = Action("shipping_refund", 500), Action("refund", 200), Action("letter")


def late(line_id: str = "line-1", days: int = 1) -> Finding:
    return a_failure("late", line_id=line_id, days_late=days)


def before(days: int, line_id: str = "old", *, line: OrderLine | None = None) -> Entry:
    """A remedy for another failure so many days before."""
    remedy = the_remedy(decide(a_case(late(line_id), line=line or a_parcel(line_id=line_id)), POLICY, MORNING))
    return an_entry(remedy, as_of=MORNING - days * DAY)


def decided(*history: Entry) -> Remedy:
    """What a parcel that came a day late owes a customer with this history."""
    return the_remedy(decide(a_case(late(), line=a_parcel(), history=history), POLICY, MORNING))


def one_night(*lines: OrderLine, history: tuple[Entry, ...] = ()) -> list[tuple[Action, ...]]:
    """The actions on each of these lines, all of which came a day late."""
    found = tuple((line, (late(line.order_line_id),)) for line in lines)
    decisions = decide(Case("ilsa", a_customer(), found, history), POLICY, MORNING)
    return [each.actions for each in decisions if isinstance(each, Remedy)]


class TestTheSecond:
    @pytest.mark.parametrize(
        ("days", "actions"),
        [
            pytest.param(30, (SHIPPING, TENTH), id="thirty days ago: a tier up"),
            pytest.param(31, (SHIPPING,), id="longer ago: as ever"),
        ],
    )
    def test_within_thirty_days_goes_up_a_tier(self, days: int, actions: tuple[Action, ...]) -> None:
        assert decided(before(days)).actions == actions

    def test_and_the_reason_says_so(self) -> None:
        assert "not this customer's first failure within 30 days" in decided(before(3)).reason
        assert "first failure" not in decided().reason

    def test_a_loss_is_then_refunded_and_sent_again(self) -> None:
        case = a_case(a_failure("lost"), line=a_parcel(), history=[before(3)], stock={"runes": 1})
        assert [action.kind for action in the_remedy(decide(case, POLICY, MORNING)).actions] == [
            "shipping_refund",
            "refund",
            "replacement",
        ]

    def test_a_spoilt_film_counts_as_well(self) -> None:
        film, stalls = a_line(line_id="film"), a_finding()
        entry = an_entry(the_remedy(decide(a_case(stalls, line=film), POLICY, MORNING)), stalls)
        assert decided(entry).actions == (SHIPPING, TENTH)

    def test_what_a_person_has_not_agreed_to_does_not(self) -> None:
        entry = before(3)
        assert decided(replace(entry, remedy=replace(entry.remedy, state="held"))).actions == (SHIPPING,)

    def test_nor_does_what_happened_after_the_night_that_is_decided(self) -> None:
        assert decided(before(-1)).actions == (SHIPPING,)


class TestTheThird:
    @pytest.mark.parametrize(
        ("days", "is_letter"),
        [((40, 90), True), ((40, 91), False), ((40,), False), ((), False)],
        ids=["ninety days ago", "longer ago", "only one", "none"],
    )
    def test_within_ninety_days_a_person_writes(self, days: tuple[int, ...], is_letter: bool) -> None:  # noqa: FBT001
        history = [before(days_ago, f"old-{days_ago}") for days_ago in days]
        assert decided(*history).actions == ((SHIPPING, LETTER) if is_letter else (SHIPPING,))

    def test_the_money_does_not_wait_for_the_letter(self) -> None:
        remedy = decided(before(3, "old-1"), before(2, "old-2"))
        assert (remedy.actions, remedy.amount, remedy.state) == ((SHIPPING, TENTH, LETTER), 700, "approved")
        assert "a person writes and no mail is sent" in remedy.reason


class TestWhatIsOneFailure:
    def test_of_one_night_each_order_counts_in_its_turn(self) -> None:
        lines = (a_parcel(line_id="line-1"), a_parcel(line_id="line-2"), a_parcel(line_id="line-3"))
        expected = [(SHIPPING,), (SHIPPING, TENTH), (SHIPPING, TENTH, LETTER)]
        assert one_night(*lines) == expected
        assert one_night(*reversed(lines)) == expected

    def test_it_makes_no_difference_that_one_came_to_light_in_another_run_of_that_night(self) -> None:
        first, second = a_parcel(line_id="line-1"), a_parcel(line_id="line-2")
        assert one_night(first, history=(before(0, "line-2", line=second),)) == [(SHIPPING,)]
        assert one_night(second, history=(before(0, "line-1", line=first),)) == [(SHIPPING, TENTH)]

    @pytest.mark.parametrize("number", ["1Z999", None], ids=["sent", "never sent"])
    def test_everything_in_one_parcel_is_one_failure(self, number: str | None) -> None:
        lines = [a_parcel(line_id=f"line-{n}", order_id="one-order", tracking_number=number) for n in (1, 2, 3)]
        assert one_night(*lines) == [(SHIPPING,)] * 3

    def test_two_parcels_of_one_order_are_two(self) -> None:
        lines = [a_parcel(line_id=f"line-{n}", order_id="one-order", tracking_number=f"1Z{n}") for n in (1, 2)]
        assert one_night(*lines) == [(SHIPPING,), (SHIPPING, TENTH)]

    def test_what_came_in_the_same_parcel_counts_once_though_it_came_to_light_before(self) -> None:
        old = a_parcel(line_id="line-0", order_id="one-order", tracking_number="1Z")
        new = a_parcel(order_id="one-order", tracking_number="1Z")
        case = Case("ilsa", a_customer(), ((new, (late(),)),), (before(1, "line-0", line=old),), (old,))
        assert the_remedy(decide(case, POLICY, MORNING)).actions == (SHIPPING,)

    def test_a_top_up_stands_where_its_first_remedy_stood(self) -> None:
        own, other = before(5, "line-1", line=a_parcel()), before(2)
        case = a_case(late(days=2), line=a_parcel(), history=[own, other])
        assert decide(case, POLICY, MORNING) == ()
