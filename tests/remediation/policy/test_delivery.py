from collections.abc import Iterable
from dataclasses import replace

import pytest

from detectors.finding import Fault, Finding, Kind, Scalar
from remediation.book import Entry
from remediation.orders import OrderLine
from remediation.policy.decide import Decision, decide
from remediation.policy.load import default_policy
from remediation.policy.model import Policy
from remediation.remedy import Action, Remedy
from tests.remediation.policy.stories import (
    DAY,
    EVENING,
    MORNING,
    a_case,
    a_failure,
    a_finding,
    a_parcel,
    a_policy,
    an_entry,
    the_declined,
    the_remedy,
)

POLICY = default_policy()
PLENTY = {"runes": 12}
NEXT_DAY = Action("replacement", service_level="next_day")
ALL_BACK = (Action("shipping_refund", 500), Action("refund", 2_000))
FAILED = ("lost", "damaged", "returned", "delivered_not_received", "misdelivered", "wrong_item")


def decisions(
    *findings: Finding,
    line: OrderLine | None = None,
    stock: dict[str, int] | None = None,
    history: Iterable[Entry] = (),
    policy: Policy = POLICY,
    as_of: int = MORNING,
) -> tuple[Decision, ...]:
    """What is decided on a parcel on which `findings` were found."""
    return decide(a_case(*findings, line=line or a_parcel(), history=history, stock=stock), policy, as_of)


def decided(*findings: Finding, line: OrderLine | None = None, stock: dict[str, int] | None = None) -> Remedy:
    return the_remedy(decisions(*findings, line=line, stock=stock))


def given(*findings: Finding, line: OrderLine | None = None, stock: dict[str, int] | None = None) -> Entry:
    """The same, as the ledger holds it."""
    return an_entry(decided(*findings, line=line, stock=stock), *findings)


def late(days: int, fault: Fault = "carrier") -> Finding:
    return a_failure("late", fault, days_late=days, promised_date="2026-11-18", delivered_date=None)


def not_there(
    signals_against: str = "", *, reported_at: int = EVENING, reports_90_days: int = 1, fault: Fault = "carrier"
) -> Finding:
    return a_failure(
        "delivered_not_received",
        fault,
        reported_at=reported_at,
        reports_90_days=reports_90_days,
        signals_for="no_photo",
        signals_against=signals_against,
    )


def wrong(count: int = 1, mixup_lines: int | None = None) -> Finding:
    return a_failure(
        "wrong_item", "merchant", wrong_count=count, mixup_lines=mixup_lines, received_item_id="ordinary-runes"
    )


class TestLate:
    @pytest.mark.parametrize(
        ("days", "actions"),
        [
            pytest.param(1, (Action("shipping_refund", 500),), id="a day: the shipping"),
            pytest.param(2, (Action("shipping_refund", 500),), id="two days: the shipping"),
            pytest.param(3, (Action("shipping_refund", 500), Action("refund", 200)), id="three days: a tenth as well"),
            pytest.param(7, (Action("shipping_refund", 500), Action("refund", 500)), id="a week: a quarter as well"),
        ],
    )
    def test_the_shipping_first_then_a_share_by_days(self, days: int, actions: tuple[Action, ...]) -> None:
        remedy = decided(late(days))
        assert remedy.actions == actions
        assert (remedy.amount, remedy.state) == (sum(action.amount_minor or 0 for action in actions), "approved")

    def test_the_reason_can_be_read_out(self) -> None:
        assert decided(late(4)).reason == (
            "Moderate late delivery (severity 1.00, days late 4): 10 % of the 20.00 USD paid, which is 2.00 USD. "
            "The shipping of 5.00 USD goes back."
        )

    def test_later_still_adds_only_the_difference(self) -> None:
        remedy = the_remedy(decisions(late(7), history=[given(late(1))]))
        assert (remedy.number, remedy.actions) == (2, (Action("refund", 500),))
        assert the_remedy(decisions(late(7), history=[given(late(4))])).actions == (Action("refund", 300),)
        assert decisions(late(2), history=[given(late(1))]) == ()

    def test_it_came_sooner_than_we_thought_and_nothing_is_taken_back(self) -> None:
        assert decisions(late(2), history=[given(late(7))]) == ()

    def test_where_shipping_was_free_a_day_owes_nothing(self) -> None:
        declined = the_declined(decisions(late(1), line=a_parcel(shipping_minor=0)))
        assert (declined.outcome, declined.code) == ("declined", "nothing_owed")

    @pytest.mark.parametrize("days", [None, 0, -3, True, 2.5, "3"])
    def test_a_delay_of_unknown_length_goes_to_a_person(self, days: Scalar) -> None:
        declined = the_declined(decisions(a_failure("late", days_late=days)))
        assert (declined.outcome, declined.code) == ("review", "unreadable_finding")


class TestLost:
    @pytest.mark.parametrize("kind", ["lost", "damaged", "returned", "misdelivered"])
    def test_it_is_sent_again_where_it_can_be(self, kind: Kind) -> None:
        remedy = decided(a_failure(kind), stock=PLENTY)
        assert (remedy.actions, remedy.amount, remedy.currency) == ((NEXT_DAY,), 0, "USD")
        assert remedy.state == "approved"
        assert "It is sent again by next day service." in remedy.reason

    @pytest.mark.parametrize(
        ("stock", "quantity"),
        [
            pytest.param({}, 1, id="nobody has counted them"),
            pytest.param({"runes": 0}, 1, id="none is left"),
            pytest.param({"runes": 2}, 3, id="too few are left"),
        ],
    )
    def test_else_all_that_was_paid_goes_back(self, stock: dict[str, int], quantity: int) -> None:
        remedy = decided(a_failure("lost"), line=a_parcel(quantity=quantity), stock=stock)
        assert remedy.actions == ALL_BACK
        assert "None is promised to be sent" in remedy.reason

    def test_the_policy_may_keep_the_shipping(self) -> None:
        kept = a_policy(("refund_shipping = true", "refund_shipping = false"))
        assert the_remedy(decisions(a_failure("lost"), policy=kept)).actions == (Action("refund", 2_000),)

    def test_after_a_delay_the_rest_goes_back(self) -> None:
        remedy = the_remedy(decisions(a_failure("lost"), history=[given(late(4))]))
        assert remedy.actions == (Action("refund", 1_800),)

    @pytest.mark.parametrize("stock", [PLENTY, {}], ids=["sent again", "refunded"])
    @pytest.mark.parametrize("then", [PLENTY, {}], ids=["now in stock", "now out of stock"])
    def test_another_silent_night_changes_nothing(self, stock: dict[str, int], then: dict[str, int]) -> None:
        history = [given(a_failure("lost", days_silent=8), stock=stock)]
        assert decisions(a_failure("lost", days_silent=9), stock=then, history=history) == ()

    def test_it_turned_up_after_all_and_nothing_is_given_twice(self) -> None:
        assert decisions(late(9), history=[given(a_failure("lost"))]) == ()

    @pytest.mark.parametrize("stock", [PLENTY, {}], ids=["sent again", "refunded"])
    def test_what_goes_wrong_after_it_was_made_good_is_a_persons_business(self, stock: dict[str, int]) -> None:
        history = [given(a_failure("lost"), stock=stock)]
        declined = the_declined(decisions(a_failure("returned"), stock=PLENTY, history=history))
        assert (declined.outcome, declined.code) == ("review", "made_good_before")

    def test_two_lines_of_one_customer_cannot_have_the_last_one_both(self) -> None:
        first, second = a_parcel(), a_parcel(line_id="line-2")
        case = replace(
            a_case(a_failure("lost"), line=first, stock={"runes": 1}),
            lines=((first, (a_failure("lost"),)), (second, (a_failure("lost", line_id="line-2"),))),
        )
        one, other = decide(case, POLICY, MORNING)
        assert isinstance(one, Remedy)
        assert isinstance(other, Remedy)
        assert one.actions == (NEXT_DAY,)
        assert other.actions == ALL_BACK


class TestWhoseFault:
    @pytest.mark.parametrize("kind", [*FAILED, "late"])
    @pytest.mark.parametrize("fault", ["consignee", "customs"])
    def test_the_recipients_own_part_is_declined(self, kind: Kind, fault: Fault) -> None:
        declined = the_declined(decisions(a_failure(kind, fault, days_late=3), stock=PLENTY))
        assert (declined.outcome, declined.code) == ("declined", "not_our_fault")

    @pytest.mark.parametrize(
        ("reason", "said"),
        [
            ("refused", "The parcel was refused at the address, so"),
            ("address", "The address given for the parcel was wrong or incomplete, so"),
            ("unclaimed", "Nobody collected the parcel, so"),
            (None, "for a reason that lay with its recipient, so"),
        ],
    )
    def test_an_agent_can_read_out_why(self, reason: str | None, said: str) -> None:
        assert said in the_declined(decisions(a_failure("returned", "consignee", reason=reason))).reason

    @pytest.mark.parametrize("kind", [*FAILED, "late"])
    @pytest.mark.parametrize("fault", ["unknown", "weather", "isp"])
    def test_what_nobody_knows_goes_to_a_person(self, kind: Kind, fault: Fault) -> None:
        declined = the_declined(decisions(a_failure(kind, fault, days_late=3), stock=PLENTY))
        assert (declined.outcome, declined.code) == ("review", "fault_unclear")

    def test_and_so_does_what_nobody_knows_beside_what_is_owed(self) -> None:
        remedy = decided(late(1), a_failure("damaged", "unknown"))
        assert (remedy.state, remedy.amount) == ("held", 500)
        assert remedy.reason.endswith("Held for a person: whose fault damage was is not known.")

    def test_a_refusal_does_not_take_away_what_a_delay_owes(self) -> None:
        remedy = decided(late(1), a_failure("returned", "consignee", reason="refused"))
        assert (remedy.state, remedy.amount) == ("approved", 500)

    def test_a_parcel_cannot_stall(self) -> None:
        assert the_declined(decisions(a_finding("playback_stalls", fault="carrier"))).code == "no_rule"


class TestThorAndOdin:
    def test_refunded_at_once_and_ordered_again_for_the_next_day_in_one_decision(self) -> None:
        remedy = decided(not_there(), stock=PLENTY)
        assert remedy.actions == (*ALL_BACK, NEXT_DAY)
        assert (remedy.amount, remedy.state) == (2_500, "approved")

    @pytest.mark.parametrize(
        ("answer", "actions"),
        [("refund", ALL_BACK), ("replacement_if_in_stock", (NEXT_DAY,))],
    )
    def test_the_policy_may_choose_one_of_them(self, answer: str, actions: tuple[Action, ...]) -> None:
        both = 'delivered_not_received = { first = "refund_and_replacement"'
        policy = a_policy((both, both.replace("refund_and_replacement", answer)))
        assert the_remedy(decisions(not_there(), stock=PLENTY, policy=policy)).actions == actions

    def test_contrary_signals_wait_for_a_person_and_are_listed(self) -> None:
        remedy = decided(not_there("pin,many_reports"), stock=PLENTY)
        assert (remedy.state, remedy.amount) == ("held", 2_500)
        assert remedy.reason.endswith("Held for a person: contrary signals (many_reports, pin).")

    def test_they_are_listed_as_well_where_the_fault_is_unknown(self) -> None:
        doubtful = not_there("photo", fault="unknown")
        declined = the_declined(decisions(doubtful, stock=PLENTY))
        assert (declined.outcome, declined.code) == ("review", "fault_unclear")
        assert "Contrary signals: photo." in declined.reason

    def test_a_second_report_on_the_same_line_goes_to_a_person(self) -> None:
        history = [given(not_there(), stock=PLENTY)]
        again = not_there(reported_at=MORNING + DAY)
        declined = the_declined(decisions(again, stock=PLENTY, history=history, as_of=MORNING + 2 * DAY))
        assert (declined.outcome, declined.code) == ("review", "made_good_before")

    def test_other_figures_of_the_same_report_do_not(self) -> None:
        history = [given(not_there(reports_90_days=1), stock=PLENTY)]
        assert decisions(not_there(reports_90_days=2), stock=PLENTY, history=history) == ()


class TestDecafTwice:
    def test_first_it_is_exchanged(self) -> None:
        remedy = decided(wrong(), stock=PLENTY)
        assert (remedy.actions, remedy.amount) == ((Action("exchange"),), 0)
        assert "the wrong one may be kept" in remedy.reason

    def test_wrong_again_is_refunded_for_the_trouble_as_well(self) -> None:
        remedy = the_remedy(decisions(wrong(2), stock=PLENTY, history=[given(wrong(), stock=PLENTY)]))
        assert remedy.actions == (Action("exchange"), *ALL_BACK)
        assert remedy.number == 2
        assert "The same item came wrong before" in remedy.reason

    def test_so_it_is_for_another_customer_with_the_same_mix_up(self) -> None:
        assert decided(wrong(mixup_lines=1), stock=PLENTY).actions == (Action("exchange"), *ALL_BACK)

    def test_it_makes_no_difference_which_mix_up_came_to_light_first(self) -> None:
        remedy = the_remedy(decisions(wrong(mixup_lines=1), stock=PLENTY, history=[given(wrong(), stock=PLENTY)]))
        assert remedy.actions == ALL_BACK

    def test_what_cannot_be_exchanged_is_refunded(self) -> None:
        assert decided(wrong()).actions == ALL_BACK

    def test_a_third_time_is_exchanged_once_more_and_not_refunded_twice(self) -> None:
        first = given(wrong(), stock=PLENTY)
        second = the_remedy(decisions(wrong(2), stock=PLENTY, history=[first]))
        history = [first, an_entry(second, wrong(2))]
        assert decisions(wrong(2, mixup_lines=1), stock=PLENTY, history=history) == ()
        assert the_remedy(decisions(wrong(3), stock=PLENTY, history=history)).actions == (Action("exchange"),)


class TestTogether:
    def test_late_and_broken_owe_the_larger_share_of_each_once(self) -> None:
        assert decided(late(7), a_failure("damaged"), stock={}).actions == ALL_BACK
        assert decided(late(7), a_failure("damaged"), stock=PLENTY).actions == (
            Action("shipping_refund", 500),
            Action("refund", 500),
            NEXT_DAY,
        )

    def test_a_gift_is_sent_again(self) -> None:
        assert decided(a_failure("lost"), line=a_parcel(0, 0), stock=PLENTY).actions == (NEXT_DAY,)
        assert the_declined(decisions(a_failure("lost"), line=a_parcel(0, 0))).code == "nothing_owed"

    def test_dear_goods_need_a_second_person_as_dear_refunds_do(self) -> None:
        remedy = decided(a_failure("lost"), line=a_parcel(3_001), stock=PLENTY)
        assert (remedy.state, remedy.amount) == ("held", 0)
        assert "sending goods worth more than 30.00 USD needs a second person" in remedy.reason

    def test_something_new_under_a_new_policy_goes_to_a_person(self) -> None:
        changed = a_policy(("grace = 0", "grace = 1"))
        declined = the_declined(decisions(late(7), history=[given(late(1))], policy=changed))
        assert (declined.outcome, declined.code) == ("review", "policy_changed")

    def test_unless_it_was_made_good_already(self) -> None:
        changed = a_policy(("grace = 0", "grace = 1"))
        history = [given(a_failure("lost"), stock=PLENTY)]
        assert decisions(a_failure("lost", days_silent=9), history=history, policy=changed) == ()

    def test_goodwill_comes_on_top_of_a_refund_only(self) -> None:
        policy = a_policy(("enabled = false", "enabled = true"))
        refunded = the_remedy(decisions(a_failure("lost"), policy=policy))
        assert refunded.actions == (*ALL_BACK, Action("credit", 400))
        assert the_remedy(decisions(a_failure("lost"), policy=policy, stock=PLENTY)).actions == (NEXT_DAY,)
