from dataclasses import replace

import pytest

from detectors.finding import Fault, Finding, Kind
from remediation.book import Entry
from remediation.money import Money
from remediation.orders import OrderKind, OrderLine
from remediation.policy.case import Case
from remediation.policy.decide import decide
from remediation.policy.load import default_policy
from remediation.policy.model import Policy
from remediation.remedy import Action, Remedy
from tests.remediation.policy.stories import (
    DAY,
    EVENING,
    MORNING,
    a_case,
    a_customer,
    a_finding,
    a_line,
    a_month,
    a_policy,
    an_entry,
    the_declined,
    the_remedy,
)

POLICY = default_policy()
GOODWILL = a_policy(("enabled = false", "enabled = true"))


def decided(*findings: Finding, line: OrderLine | None = None, policy: Policy = POLICY) -> Remedy:
    """The remedy for one order line on which `findings` were found."""
    return the_remedy(decide(a_case(*findings, line=line), policy, MORNING))


def paid(*findings: Finding, line: OrderLine | None = None, policy: Policy = POLICY) -> Entry:
    """The same, as the ledger holds it."""
    return an_entry(decided(*findings, line=line, policy=policy), *findings)


class TestWhatIsOwed:
    def test_the_casablanca_rental_is_refunded_in_full(self) -> None:
        stalls = a_finding("playback_stalls", 0.8, stall_count=12, stall_ms=250_000, stalled_ratio=0.09)
        remedy = decided(stalls, line=a_line("rental", 299))
        assert (remedy.amount, remedy.currency, remedy.state, remedy.number) == (299, "USD", "approved", 1)
        assert remedy.actions == (Action("refund", 299),)
        assert remedy.finding_ids == (stalls.finding_id,)
        assert remedy.policy_sha256 == POLICY.sha256
        assert remedy.reason == (
            "Severe playback stalls on this rental (severity 0.80, stall count 12, stall 250 s, stalled 9.0%): "
            "100 % of the 2.99 USD paid, which is 2.99 USD."
        )

    @pytest.mark.parametrize(
        ("order", "failure", "severity", "owed"),
        [
            pytest.param("rental", "playback_failed", 0.0, 1000, id="no picture: all"),
            pytest.param("rental", "playback_stalls", 0.0, 500, id="mild stalls: half"),
            pytest.param("rental", "playback_stalls", 0.15, 1000, id="from moderate on: all"),
            pytest.param("rental", "slow_start", 0.29, 250, id="slow start: a quarter"),
            pytest.param("rental", "slow_start", 0.3, 500, id="very slow start: half"),
            pytest.param("rental", "low_quality", 1.0, 500, id="low picture: half"),
            pytest.param("rental", "slow_seeks", 0.1, 250, id="slow seeks: a quarter"),
            pytest.param("purchase", "playback_stalls", 0.9, 1000, id="bought and stalled badly: all"),
            pytest.param("purchase", "slow_start", 0.1, 100, id="bought and slow to start: a tenth"),
        ],
    )
    def test_severity_kind_of_failure_and_kind_of_order_give_the_share(
        self, order: OrderKind, failure: Kind, severity: float, owed: int
    ) -> None:
        assert decided(a_finding(failure, severity), line=a_line(order, 1000)).amount == owed

    def test_the_largest_share_counts_and_shares_are_not_added_up(self) -> None:
        findings = (a_finding("slow_start", 0.1), a_finding("playback_stalls", 0.1), a_finding("slow_seeks", 0.9))
        remedy = decided(*findings, line=a_line(amount_minor=1000))
        assert remedy.amount == 500
        assert remedy.finding_ids == tuple(sorted(finding.finding_id for finding in findings))

    @pytest.mark.parametrize(
        ("line", "owed", "raised"),
        [
            pytest.param(a_line(amount_minor=150), 50, True, id="a quarter of 1.50 is raised to 0.50"),
            pytest.param(a_line(amount_minor=30), 30, True, id="but never above what was paid"),
            pytest.param(a_line(amount_minor=400), 100, False, id="a quarter of 4.00 is enough"),
            pytest.param(a_line(amount_minor=200), 50, False, id="a quarter of 2.00 is just enough"),
            pytest.param(a_line(amount_minor=400, currency="JPY"), 100, False, id="yen have their own minimum"),
        ],
    )
    def test_a_small_refund_is_raised_to_the_minimum(self, line: OrderLine, owed: int, raised: bool) -> None:  # noqa: FBT001
        remedy = decided(a_finding("slow_start", 0.1), line=line)
        assert remedy.amount == owed
        assert f"which is {Money(owed, line.currency).decimal} {line.currency}" in remedy.reason
        assert ("raised to the minimum" in remedy.reason) == raised

    def test_a_full_refund_below_the_minimum_was_not_raised(self) -> None:
        remedy = decided(a_finding(severity=0.9), line=a_line(amount_minor=30))
        assert remedy.amount == 30
        assert "raised" not in remedy.reason

    def test_an_unknown_fault_does_not_wait_for_blame(self) -> None:
        assert decided(a_finding(fault="unknown")).state == "approved"

    def test_a_session_found_twice_is_named_once(self) -> None:
        finding = a_finding()
        assert decided(finding, replace(finding, occurred_from=EVENING + 1)).finding_ids == (finding.finding_id,)


class TestSubscriptions:
    def test_a_spoilt_day_owes_the_days_share(self) -> None:
        remedy = decided(a_finding(), line=a_month(3_000))
        assert remedy.amount == 100
        assert "up to 100 % of a day's share of the 30.00 USD paid, for 1 day, which is 1.00 USD" in remedy.reason

    def test_without_an_end_the_policy_says_how_many_days_were_paid_for(self) -> None:
        assert decided(a_finding(), line=a_line("subscription", 3_100)).amount == 103

    def test_two_spoilt_days_owe_two_shares_and_all_failures_of_one_day_owe_one(self) -> None:
        findings = (
            a_finding(),
            a_finding(session="session-2", at=EVENING + 60_000),
            a_finding("slow_start", session="session-3", at=EVENING + 120_000),
            a_finding(session="session-4", at=EVENING - DAY),
        )
        assert decided(*findings, line=a_month(3_000)).amount == 200

    @pytest.mark.parametrize(("timezone", "owed"), [("UTC", 200), ("Asia/Tokyo", 100), ("Mars/Olympus", 200)])
    def test_a_day_is_the_customers_own(self, timezone: str, owed: int) -> None:
        before_midnight, after = a_finding(at=EVENING), a_finding(session="session-2", at=EVENING + 6 * 3_600_000)
        case = a_case(before_midnight, after, line=a_month(3_000), customer=a_customer(timezone))
        assert the_remedy(decide(case, POLICY, MORNING)).amount == owed

    def test_another_evening_is_another_incident(self) -> None:
        month, last_week = a_month(3_000), a_finding(at=EVENING - 7 * DAY)
        case = a_case(a_finding(session="session-2"), line=month, history=[paid(last_week, line=month)])
        remedy = the_remedy(decide(case, POLICY, MORNING))
        assert (remedy.number, remedy.amount) == (2, 100)

    def test_the_month_never_gives_back_more_than_it_cost(self) -> None:
        month = a_month(120)
        entries = [
            an_entry(replace(decided(finding, line=month), number=number), finding)
            for number in (1, 2)
            for finding in (a_finding(session=f"session-{number}", at=EVENING - number * DAY),)
        ]
        remedy = the_remedy(
            decide(a_case(a_finding(session="session-3"), line=month, history=entries), POLICY, MORNING)
        )
        assert [entry.remedy.amount for entry in entries] == [50, 50]
        assert remedy.amount == 20
        assert "Only 0.20 USD of what was paid is left to give back" in remedy.reason


class TestWhatIsDeclined:
    @pytest.mark.parametrize(
        ("case", "outcome", "code"),
        [
            pytest.param(
                a_case(a_finding(), line=a_line(amount_minor=0)), "declined", "nothing_paid", id="a free title"
            ),
            pytest.param(a_case(a_finding(), customer=None), "review", "unknown_customer", id="no customer record"),
            pytest.param(a_case(a_finding(), line=a_line(currency="ZZZ")), "review", "unknown_currency", id="no money"),
            pytest.param(a_case(a_finding("late")), "review", "no_rule", id="a late film"),
            pytest.param(a_case(a_finding(), line=a_line("goods")), "review", "no_rule", id="a parcel that stalled"),
            pytest.param(a_case(a_finding(severity=float("nan"))), "review", "unreadable_finding", id="no severity"),
            pytest.param(a_case(a_finding(severity=1.1)), "review", "unreadable_finding", id="worse than nothing"),
            pytest.param(a_case(a_finding(at=MORNING + 1)), "review", "unreadable_finding", id="it is yet to come"),
        ],
    )
    def test_a_person_hears_why_not(self, case: Case, outcome: str, code: str) -> None:
        declined = the_declined(decide(case, POLICY, MORNING))
        assert (declined.outcome, declined.code) == (outcome, code)
        assert (declined.order_line_id, declined.customer_id) == ("line-1", "ilsa")
        assert declined.reason.endswith(".")

    @pytest.mark.parametrize("fault", ["consignee", "customs"])
    def test_a_fault_that_is_not_ours_owes_nothing(self, fault: Fault) -> None:
        declined = the_declined(decide(a_case(a_finding(fault=fault)), POLICY, MORNING))
        assert (declined.outcome, declined.code) == ("declined", "not_our_fault")
        assert fault in declined.reason

    def test_but_it_does_not_take_away_what_another_finding_owes(self) -> None:
        assert decided(a_finding("playback_failed", fault="consignee"), a_finding("slow_start", 0.1)).amount == 75

    def test_a_share_of_nothing_is_declined_and_not_raised_to_the_minimum(self) -> None:
        generous_to_none = a_policy(("slow_start = { mild = 25,", "slow_start = { mild = 0,"))
        declined = the_declined(decide(a_case(a_finding("slow_start", 0.1)), generous_to_none, MORNING))
        assert (declined.outcome, declined.code) == ("declined", "nothing_owed")

    def test_an_order_whose_currency_changed_goes_to_a_person(self) -> None:
        mild = a_finding(severity=0.1)
        case = a_case(a_finding(), line=a_line(currency="EUR"), history=[paid(mild, line=a_line())])
        assert the_declined(decide(case, POLICY, MORNING)).code == "currency_changed"


class TestAgain:
    def test_the_same_evidence_changes_nothing(self) -> None:
        finding = a_finding()
        assert decide(a_case(finding, history=[paid(finding)]), POLICY, MORNING + DAY) == ()

    def test_a_changed_policy_alone_changes_nothing(self) -> None:
        finding = a_finding(severity=0.1)
        generous = a_policy(("playback_stalls = { mild = 50,", "playback_stalls = { mild = 100,"))
        assert decide(a_case(finding, history=[paid(finding)]), generous, MORNING) == ()

    def test_worse_evidence_adds_the_difference_under_the_next_number(self) -> None:
        mild, bad = a_finding(severity=0.1), a_finding(severity=0.9)
        remedy = the_remedy(decide(a_case(bad, history=[paid(mild)]), POLICY, MORNING))
        assert (remedy.number, remedy.amount) == (2, 149)
        assert remedy.remedy_id != paid(mild).remedy.remedy_id
        assert "1.50 USD of it was decided before; 1.49 USD is added" in remedy.reason

    def test_other_evidence_that_owes_no_more_takes_nothing_back(self) -> None:
        bad, mild = a_finding(severity=0.5), a_finding("slow_start", severity=0.1)
        history = [paid(a_finding(severity=0.1))]
        assert decide(a_case(mild, history=history), POLICY, MORNING) == ()
        assert decide(a_case(mild, history=[paid(bad)]), POLICY, MORNING) == ()

    def test_new_evidence_under_a_new_policy_goes_to_a_person(self) -> None:
        mild, bad = a_finding(severity=0.1), a_finding(severity=0.9)
        changed = a_policy(("bad_ratio = 0.02", "bad_ratio = 0.03"))
        declined = the_declined(decide(a_case(bad, history=[paid(mild)]), changed, MORNING))
        assert (declined.outcome, declined.code) == ("review", "policy_changed")
        assert "the policy has changed since" in declined.reason

    def test_unless_everything_has_been_given_back_already(self) -> None:
        changed = a_policy(("bad_ratio = 0.02", "bad_ratio = 0.03"))
        history = [paid(a_finding(severity=0.9))]
        assert decide(a_case(a_finding(severity=1.0), history=history), changed, MORNING) == ()

    def test_a_subscriptions_next_evening_is_decided_under_the_new_policy(self) -> None:
        month, changed = a_month(), a_policy(("bad_ratio = 0.02", "bad_ratio = 0.03"))
        history = [paid(a_finding(at=EVENING - DAY), line=month)]
        case = a_case(a_finding(session="session-2"), line=month, history=history)
        assert the_remedy(decide(case, changed, MORNING)).policy_sha256 == changed.sha256

    def test_what_is_held_is_not_given_a_second_time(self) -> None:
        dear, finding = a_line(amount_minor=10_000), a_finding(severity=0.9)
        history = [paid(finding, line=dear)]
        assert history[0].remedy.state == "held"
        assert decide(a_case(finding, a_finding("slow_seeks"), line=dear, history=history), POLICY, MORNING) == ()


class TestLimits:
    def test_a_single_large_pay_out_waits_for_a_second_person(self) -> None:
        assert decided(a_finding(), line=a_line(amount_minor=3_000)).state == "approved"
        remedy = decided(a_finding(), line=a_line(amount_minor=3_001))
        assert (remedy.state, remedy.amount) == ("held", 3_001)
        assert remedy.reason.endswith("Held for a person: a single pay-out above 30.00 USD needs a second person.")

    def test_above_the_customers_month_a_person_decides(self) -> None:
        lines = tuple((a_line(line_id=f"line-{n}", amount_minor=2_500), (a_finding(),)) for n in (1, 2, 3))
        decisions = decide(Case("ilsa", a_customer(), lines, ()), POLICY, MORNING)
        assert [each.state for each in decisions if isinstance(each, Remedy)] == ["approved", "approved", "held"]
        assert "this customer would reach 75.00 USD this month, above the limit of 60.00 USD" in decisions[2].reason

    def test_what_waits_for_a_person_does_not_make_others_wait(self) -> None:
        lines = tuple(
            (a_line(line_id=f"line-{n}", amount_minor=minor), (a_finding(),)) for n, minor in ((1, 9_999), (2, 299))
        )
        decisions = decide(Case("ilsa", a_customer(), lines, ()), POLICY, MORNING)
        assert [each.state for each in decisions if isinstance(each, Remedy)] == ["held", "approved"]

    def test_the_fourth_pay_out_of_a_month_waits_for_a_person_and_the_next_month_begins_anew(self) -> None:
        entries = [
            an_entry(decided(finding, line=a_line(line_id=f"old-{n}")), finding)
            for n in range(3)
            for finding in (a_finding(session=f"old-{n}"),)
        ]
        fourth = a_case(a_finding(), history=entries)
        remedy = the_remedy(decide(fourth, POLICY, MORNING))
        assert remedy.state == "held"
        assert "it would be pay-out number 4 to this customer this month" in remedy.reason
        assert the_remedy(decide(fourth, POLICY, MORNING + 10 * DAY)).state == "approved"

    def test_pay_outs_that_still_wait_are_not_counted(self) -> None:
        waiting = [
            an_entry(replace(decided(finding, line=a_line(line_id=f"old-{n}")), state="held"), finding)
            for n in range(3)
            for finding in (a_finding(session=f"old-{n}"),)
        ]
        assert the_remedy(decide(a_case(a_finding(), history=waiting), POLICY, MORNING)).state == "approved"

    def test_a_currency_without_limits_waits_for_a_person(self) -> None:
        remedy = decided(a_finding(), line=a_line(currency="ISK"))
        assert (remedy.state, remedy.amount) == ("held", 299)
        assert "the policy sets no limits for ISK" in remedy.reason

    def test_other_currencies_do_not_count_against_the_months_money(self) -> None:
        lines = (
            (a_line(line_id="line-1", amount_minor=3_000), (a_finding(),)),
            (a_line(line_id="line-2", amount_minor=3_000), (a_finding(),)),
            (a_line(line_id="line-3", amount_minor=3_000, currency="EUR"), (a_finding(),)),
        )
        decisions = decide(Case("ilsa", a_customer(), lines, ()), POLICY, MORNING)
        assert [each.state for each in decisions if isinstance(each, Remedy)] == ["approved"] * 3

    def test_without_a_known_time_zone_the_mail_cannot_be_timed(self) -> None:
        remedy = the_remedy(decide(a_case(a_finding(), customer=a_customer("Mars/Olympus")), POLICY, MORNING))
        assert (remedy.state, remedy.amount) == ("held", 299)
        assert "time zone is not in the tz database" in remedy.reason


class TestGoodwill:
    def test_a_credit_stands_beside_the_refund(self) -> None:
        remedy = decided(a_finding(severity=0.9), line=a_line(amount_minor=1_000), policy=GOODWILL)
        assert remedy.actions == (Action("refund", 1_000), Action("credit", 200))
        assert remedy.amount == 1_200
        assert "A goodwill credit of 2.00 USD comes on top" in remedy.reason

    def test_only_from_its_tier_on(self) -> None:
        assert decided(a_finding(severity=0.2), policy=GOODWILL).actions == (Action("refund", 299),)

    def test_not_for_what_owes_nothing(self) -> None:
        nothing = a_policy(
            ("enabled = false", "enabled = true"),
            (
                "slow_start = { mild = 25, moderate = 25, severe = 50 }",
                "slow_start = { mild = 0, moderate = 0, severe = 0 }",
            ),
        )
        assert the_declined(decide(a_case(a_finding("slow_start", 0.9)), nothing, MORNING)).code == "nothing_owed"

    def test_never_beyond_one_and_a_half_times_the_price_even_after_a_full_refund(self) -> None:
        half = a_policy(("enabled = false", "enabled = true"), ("percent = 20", "percent = 50"))
        slow, bad, line = a_finding("slow_start", 0.9), a_finding(), a_line(amount_minor=3, currency="BHD")
        first = decided(slow, line=line, policy=half)
        case = a_case(slow, bad, line=line, history=[an_entry(first, slow)])
        assert first.actions == (Action("refund", 2), Action("credit", 1))
        assert the_remedy(decide(case, half, MORNING)).actions == (Action("refund", 1),)

    def test_a_credit_is_given_once(self) -> None:
        slow, line = a_finding("slow_start", 0.9), a_line(amount_minor=1_000)
        case = a_case(slow, a_finding(), line=line, history=[paid(slow, line=line, policy=GOODWILL)])
        assert the_remedy(decide(case, GOODWILL, MORNING)).actions == (Action("refund", 500),)

    def test_a_top_up_adds_the_missing_credit(self) -> None:
        mild, bad = a_finding(severity=0.1), a_finding(severity=0.9)
        line = a_line(amount_minor=1_000)
        case = a_case(bad, line=line, history=[paid(mild, line=line, policy=GOODWILL)])
        remedy = the_remedy(decide(case, GOODWILL, MORNING))
        assert remedy.actions == (Action("refund", 500), Action("credit", 200))
