"""Stories of a small service: what another policy would have made of its nights."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, delete, update

from remediation.database import writing
from remediation.forgetting import forget
from remediation.ledger.control_tables import CLAIMS, POLICIES
from remediation.ledger.tables import FINDINGS, ORDER_LINES
from remediation.policy.model import Policy
from remediation.reviewing.runs import release, withdraw
from remediation.reviewing.verdicts import approve, reject
from remediation.whatif.answer import Answer, NothingToReplayError, what_if
from remediation.whatif.difference import Customer, Run
from tests.remediation.verifying.ledgers import remedy_of
from tests.remediation.whatif.towns import (
    ADA,
    BEN,
    DAY,
    POLICY,
    Town,
    a_parcel,
    a_plan,
    a_rental,
    changed,
    gone_wrong,
    stalled,
)

HALF = {"mild": 50, "moderate": 50, "severe": 50}
LESS = changed(refund__rental__playback_stalls=HALF)


@pytest.fixture
def town(ledger: Engine) -> Town:
    return Town(ledger)


def tried(town: Town, policy: Policy | None = None, nights: int = 30) -> Answer:
    return what_if(town.ledger, None, policy or town.policy, nights)


def nothing_differs(answer: Answer) -> bool:
    """And nothing was taken as given because it could not be judged."""
    tally = answer.tally
    return answer.difference.is_none and not (tally.standing or tally.unsure or tally.untraced)


def paid(answer: Answer) -> tuple[int, int]:
    """In one currency, then and now."""
    sides = answer.difference.sides
    before, after = (sum(each.minor for each in side.paid) for side in (sides.before, sides.after))
    return before, after


def fates(answer: Answer) -> Mapping[str, Any]:
    return {each.customer_id: each.fate for each in answer.difference.customers}


def the_customer(answer: Answer) -> Customer:
    (customer,) = answer.difference.customers
    return customer


def the_run(answer: Answer, place: int = -1) -> Run:
    return answer.difference.runs[place]


def an_eventful_week(town: Town) -> None:
    """Top-ups, limits, stock that runs out, a copy, people's verdicts, and a run that was withdrawn and made again."""
    town.sells(
        *(a_rental(f"film-{n}", f"C-{n}", 400) for n in range(6)),
        a_rental("dear", "C-1", 6_000),
        a_plan("plan", "C-2"),
        *(a_parcel(f"parcel-{n}", f"C-{n}") for n in range(4)),
    )
    town.stocks(book=1)
    first = (stalled("film-0"), stalled("film-1", 80_000), stalled("dear"))
    town.night(*first, gone_wrong("parcel-0"), gone_wrong("parcel-1"))
    approve(town.ledger, remedy_of("dear"), ADA, "seen")
    approve(town.ledger, remedy_of("dear"), BEN, "seen as well")
    town.night(
        stalled("film-1", 400_000, day=1),
        stalled("plan", day=1),
        gone_wrong("parcel-2", "late", day=1),
        gone_wrong("parcel-3", "returned", fault="consignee", day=1),
        day=1,
    )
    wrong = town.night(stalled("film-2", day=2), stalled("plan", day=2), day=2, clock=-DAY)
    withdraw(town.ledger, wrong, ADA, "another day's file")
    town.night(stalled("film-2", day=2), stalled("plan", day=2), day=3)
    town.night(gone_wrong("parcel-2", "late", days_late=3, day=4), stalled("film-3", day=4), day=4)
    copy = stalled("film-4", day=5)
    town.night(copy, stalled("film-5", day=5, provenance=copy.provenance), day=5)
    reject(town.ledger, remedy_of("film-5"), ADA, "a copy")
    town.night(stalled("film-5", day=6), stalled("film-0", 500_000, day=6), day=6)


class TestTheSamePolicy:
    def test_changes_nothing_at_all(self, town: Town) -> None:
        an_eventful_week(town)
        answer = tried(town)
        assert nothing_differs(answer)
        side = answer.difference.sides.before
        assert (side.approved, side.held, side.goods) == (8, 9, 1)
        assert len(answer.difference.runs) == 7
        assert answer.notes == ()

    @pytest.mark.parametrize("nights", [1, 2, 3, 5])
    def test_changes_nothing_in_the_last_nights(self, town: Town, nights: int) -> None:
        an_eventful_week(town)
        answer = tried(town, nights=nights)
        assert nothing_differs(answer)
        assert len(answer.difference.runs) == nights

    def test_changes_nothing_where_a_day_or_a_month_was_used_up(self, town: Town) -> None:
        usd = {**POLICY.model_dump(mode="json")["currencies"]["USD"], "customer_month": 900, "day": 1_000}
        town.policy = changed(currencies__USD=usd)
        town.sells(*(a_rental(f"film-{n}", f"C-{n % 3}") for n in range(9)))
        for day in range(3):
            town.night(*(stalled(f"film-{n}", day=day) for n in range(3 * day, 3 * day + 3)), day=day)
        answer = tried(town)
        assert nothing_differs(answer)
        assert (
            "the budget of … is used up (… USD in minor units), so that a person must decide"
            in answer.difference.reasons
        )
        assert nothing_differs(tried(town, nights=1))


class TestAnotherShare:
    def test_is_another_sum(self, town: Town) -> None:
        town.sells(a_rental("film", "C-1"), a_rental("other", "C-2"))
        town.night(stalled("film"), stalled("other", 80_000))
        answer = tried(town, LESS)
        assert paid(answer) == (600, 400)
        assert fates(answer) == {"C-1": "less"}
        assert (the_customer(answer).order_line_ids, answer.difference.fates["same"]) == (("film",), 1)

    def test_leaves_room_for_a_later_failure(self, town: Town) -> None:
        """The second evening led to nothing then, and was written down all the same."""
        town.sells(a_rental("film"))
        town.night(stalled("film", 90_000))
        town.night(stalled("film", 400_000, day=1), day=1)
        by_tier = {"mild": 0, "moderate": 50, "severe": 80}
        assert paid(tried(town, changed(refund__rental__playback_stalls=by_tier))) == (400, 320)

    def test_tops_up_from_what_would_have_been_paid_before(self, town: Town) -> None:
        town.sells(a_rental("film"))
        town.night(stalled("film", 80_000))
        town.night(stalled("film", 400_000, day=1), day=1)
        less = changed(refund__rental__playback_stalls={"mild": 10, "moderate": 40, "severe": 60})
        answer = tried(town, less)
        assert paid(answer) == (400, 240)
        assert [each.sides.after.paid[0].minor for each in answer.difference.runs] == [50, 190]

    def test_of_nothing_helps_nobody(self, town: Town) -> None:
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        answer = tried(town, changed(refund__rental__playback_stalls=dict.fromkeys(HALF, 0)))
        assert fates(answer) == {"C-1": "no_longer"}
        assert answer.difference.codes["nothing_owed"].after == 1

    def test_may_help_who_was_not(self, town: Town) -> None:
        town.policy = changed(refund__rental__playback_stalls=dict.fromkeys(HALF, 0))
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        assert fates(tried(town, POLICY)) == {"C-1": "helped"}


class TestLimits:
    def test_send_to_a_person_what_went_out(self, town: Town) -> None:
        town.sells(*(a_rental(f"film-{n}", "C-1") for n in range(3)))
        town.night(*(stalled(f"film-{n}") for n in range(3)))
        answer = tried(town, changed(limits__payouts_per_customer_month=2))
        assert (answer.difference.sides.after.approved, answer.difference.sides.after.held) == (2, 1)
        assert fates(answer) == {"C-1": "less"}
        assert answer.difference.reasons["it would be pay-out number … to this customer this month"].after == 1

    def test_of_a_month_count_what_was_spent_before_the_first_night(self, town: Town) -> None:
        town.sells(a_rental("film-0"), a_rental("film-1"))
        town.night(stalled("film-0"))
        town.night(stalled("film-1", day=1), day=1)
        usd = {**POLICY.model_dump(mode="json")["currencies"]["USD"], "customer_month": 700}
        assert fates(tried(town, changed(currencies__USD=usd), nights=1)) == {"C-1": "waits"}

    def test_of_a_day_hold_what_comes_after(self, town: Town) -> None:
        town.sells(*(a_rental(f"film-{n}", f"C-{n}") for n in range(4)))
        town.night(*(stalled(f"film-{n}") for n in range(4)))
        usd = {**POLICY.model_dump(mode="json")["currencies"]["USD"], "day": 900}
        answer = tried(town, changed(currencies__USD=usd))
        assert paid(answer) == (1_600, 800)
        assert sorted(fates(answer).values()) == ["waits", "waits"]

    def test_that_are_wider_let_through_what_waited(self, town: Town) -> None:
        town.policy = changed(limits__payouts_per_customer_month=0)
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        answer = tried(town, POLICY)
        assert (paid(answer), fates(answer)) == ((0, 400), {"C-1": "helped"})


class TestTrust:
    def test_can_ask_for_more_than_a_grant(self, town: Town) -> None:
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        answer = tried(town, changed(trust__pays_without_person="signed"))
        assert fates(answer) == {"C-1": "waits"}
        assert list(answer.difference.reasons) == ["the player's reports are not signed, which the policy asks for"]
        assert not any("trust" in note for note in answer.notes)

    def test_of_older_findings_is_known_by_the_grant_alone(self, town: Town) -> None:
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        as_if_from_before(town)
        assert tried(town).difference.is_none
        answer = tried(town, changed(trust__pays_without_person="signed"))
        assert fates(answer) == {"C-1": "waits"}
        assert "1 finding are from before their trust was written down" in " ".join(answer.notes)


class TestGoods:
    def test_are_sent_as_long_as_there_were_some(self, town: Town) -> None:
        town.policy = changed(goods__failed__lost={"first": "refund", "again": "refund"})
        town.sells(*(a_parcel(f"parcel-{n}", f"C-{n}") for n in range(3)))
        town.stocks(book=2)
        town.night(gone_wrong("parcel-0"), gone_wrong("parcel-1"), bundles=1)
        town.night(gone_wrong("parcel-2", day=1), day=1)
        answer = tried(town, POLICY)
        assert (answer.difference.sides.before.goods, answer.difference.sides.after.goods) == (0, 2)
        assert fates(answer) == {"C-0": "otherwise", "C-1": "otherwise"}

    def test_that_are_not_sent_are_there_for_others(self, town: Town) -> None:
        town.sells(a_parcel("parcel-0", "C-0"), a_parcel("parcel-1", "C-1"))
        town.stocks(book=1)
        town.night(gone_wrong("parcel-0"))
        town.night(gone_wrong("parcel-1", "damaged", day=1), day=1)
        lost = changed(goods__failed__lost={"first": "refund", "again": "refund"})
        answer = tried(town, lost)
        assert {each.customer_id: each.goods.after for each in answer.difference.customers} == {"C-0": 0, "C-1": 1}

    def test_may_be_late_by_other_days(self, town: Town) -> None:
        """Nothing followed on the second day, but it was written down."""
        town.sells(a_parcel("parcel"))
        for day in (1, 2):
            town.night(gone_wrong("parcel", "late", days_late=day, day=day), day=day)
        two = changed(goods__late__moderate_from_days=2)
        assert paid(tried(town, two)) == (500, 700)

    def test_may_have_a_day_of_grace(self, town: Town) -> None:
        town.sells(a_parcel("parcel"), a_parcel("other", "C-2"))
        town.night(gone_wrong("parcel", "late", day=1), gone_wrong("other", "late", days_late=2, day=1), day=1)
        answer = tried(town, changed(delivery__late__grace=1))
        assert fates(answer) == {"C-1": "no_longer"}


class TestPeople:
    def test_are_taken_at_their_word_where_they_would_be_asked_again(self, town: Town) -> None:
        town.policy = changed(limits__payouts_per_customer_month=0)
        town.sells(a_rental("film-0"), a_rental("film-1", "C-2"))
        town.night(stalled("film-0"), stalled("film-1"))
        approve(town.ledger, remedy_of("film-0"), ADA, "seen")
        reject(town.ledger, remedy_of("film-1"), ADA, "not so")
        half = changed(town.policy, refund__rental__playback_stalls=HALF)
        answer = tried(town, half)
        assert paid(answer) == (400, 200)
        assert answer.difference.sides.after.waiting == ()

    def test_are_not_asked_about_what_goes_out_by_itself(self, town: Town) -> None:
        town.policy = changed(limits__payouts_per_customer_month=0)
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        reject(town.ledger, remedy_of("film"), ADA, "not so")
        answer = tried(town, POLICY)
        assert fates(answer) == {"C-1": "helped"}
        assert "1 remedy that a person rejected then would have gone out" in " ".join(answer.notes)

    def test_may_have_withdrawn_what_would_not_be_held(self, town: Town) -> None:
        town.sells(a_rental("film"))
        run = town.night(stalled("film"), clock=-DAY)
        withdraw(town.ledger, run, ADA, "another day's file")
        assert nothing_differs(tried(town))
        answer = tried(town, changed(guards__clock__ahead_ms=3 * DAY))
        assert (the_run(answer).states.before, the_run(answer).states.after) == ("held", "released")
        assert fates(answer) == {"C-1": "helped"}
        assert "would not have held 1 run that a person withdrew" in " ".join(answer.notes)


class TestGuards:
    MONEY = changed(
        guards__money={
            **POLICY.model_dump(mode="json")["guards"]["money"],
            "USD": {"floor": 100, "first_nights": 500, "ceiling": 1_000, "single": 1_000},
        }
    )

    def test_hold_a_run_that_pays_too_much(self, town: Town) -> None:
        town.sells(a_rental("film-0", "C-0"), a_rental("film-1", "C-1"), a_rental("film-2", "C-2"))
        town.night(stalled("film-0"))
        town.night(stalled("film-1", day=1), stalled("film-2", day=1), day=1)
        answer = tried(town, self.MONEY)
        assert [run.states.after for run in answer.difference.runs] == ["released", "held"]
        (objection,) = the_run(answer).objections.after
        assert (objection.guard, "8.00 USD in 2 refunds" in objection.reason) == ("money", True)
        assert (answer.difference.runs_held.before, answer.difference.runs_held.after) == (0, 1)

    def test_see_what_the_policy_would_have_paid(self, town: Town) -> None:
        town.policy = self.MONEY
        town.sells(a_rental("film-1", "C-1"), a_rental("film-2", "C-2"))
        run = town.night(stalled("film-1"), stalled("film-2"))
        release(town.ledger, run, ADA, "seen")
        answer = tried(town, changed(self.MONEY, refund__rental__playback_stalls=HALF))
        assert (the_run(answer).guards.before, the_run(answer).guards.after) == (("money",), ())

    def test_know_nights_from_before_the_first_that_is_replayed(self, town: Town) -> None:
        town.policy = changed(guards__payouts={"times": 2.0, "floor": 2, "first_nights": 2, "ceiling": 100})
        town.sells(*(a_rental(f"film-{n}", f"C-{n}") for n in range(12)))
        for day in range(4):
            town.night(stalled(f"film-{2 * day}", day=day), stalled(f"film-{2 * day + 1}", day=day), day=day)
        town.night(*(stalled(f"film-{n}", day=4) for n in range(8, 12)), day=4)
        assert nothing_differs(tried(town, nights=1))
        tight = changed(town.policy, guards__payouts={"times": 1.5, "floor": 2, "first_nights": 2, "ceiling": 100})
        (objection,) = the_run(tried(town, tight, nights=1)).objections.after
        assert "the median of 4 released nights is 2, and the limit is 3" in objection.reason

    def test_do_not_hold_a_policy_for_being_new(self, town: Town) -> None:
        """It is asked what would be if it had been in force; that its first run will be held is said beside it."""
        town.sells(a_rental("film-0"), a_rental("film-1", "C-2"))
        town.night(stalled("film-0"))
        town.night(stalled("film-1", day=1), day=1)
        for nights in (1, 2):
            answer = tried(town, LESS, nights)
            assert [run.guards.after for run in answer.difference.runs] == [()] * nights
            assert "the guards hold its first run" in answer.notes[-1]


class TestWhatIsNotKnownAnyMore:
    def test_stands_as_it_was_decided(self, town: Town) -> None:
        town.sells(a_rental("film"), a_rental("other", "C-2"))
        town.night(stalled("film"), stalled("other"))
        with writing(town.ledger) as connection:
            connection.execute(
                update(ORDER_LINES).where(ORDER_LINES.c.order_line_id == "film").values(amount_minor=500)
            )
        answer = tried(town, LESS)
        assert (answer.tally.standing, fates(answer)) == (1, {"C-2": "less"})
        assert "1 finding could not be judged anew" in " ".join(answer.notes)
        assert answer.difference.sides.after.approved == 2

    def test_of_a_forgotten_customer_stands(self, town: Town) -> None:
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        forget(town.ledger, "C-1", ADA, "request 2026-17")
        answer = tried(town, LESS)
        assert (answer.difference.is_none, answer.tally.standing) == (True, 1)

    def test_of_a_policy_that_was_not_kept_stands(self, town: Town) -> None:
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        town.policy = LESS
        with writing(town.ledger) as connection:
            connection.execute(delete(POLICIES))
        answer = tried(town, changed(LESS, refund__rental__slow_start=HALF))
        assert (answer.difference.is_none, answer.tally.standing) == (False, 0)

    def test_older_claims_are_put_together_where_the_ledger_still_holds_them(self, town: Town) -> None:
        an_eventful_week(town)
        then = tried(town, LESS)
        as_if_from_before(town)
        assert tried(town).difference.is_none
        now = tried(town, LESS)
        assert now.difference.sides.after.approved == then.difference.sides.after.approved
        assert now.tally.untraced > 0

    def test_older_claims_whose_findings_were_refreshed_stand(self, town: Town) -> None:
        town.sells(a_rental("film"))
        town.night(stalled("film"))
        as_if_from_before(town)
        with writing(town.ledger) as connection:
            connection.execute(update(FINDINGS).values(severity=0.2))
        answer = tried(town, LESS)
        assert (answer.difference.is_none, answer.tally.standing) == (True, 1)


def as_if_from_before(town: Town) -> None:
    """As a ledger is whose runs wrote down no claims."""
    with writing(town.ledger) as connection:
        connection.execute(delete(CLAIMS))


def test_a_ledger_without_a_run_has_nothing_to_replay(town: Town) -> None:
    with pytest.raises(NothingToReplayError, match=r"^the ledger holds no run to replay: run a night"):
        tried(town, POLICY)


def test_a_policy_that_was_replaced_is_compared_with_the_newest(town: Town) -> None:
    town.sells(a_rental("film-0"), a_rental("film-1", "C-2"))
    town.night(stalled("film-0"))
    town.policy = LESS
    town.night(stalled("film-1", day=1), day=1)
    answer = tried(town)
    assert (answer.changes, len(answer.policies)) == ((), 2)
    assert fates(answer) == {"C-1": "less"}
    assert the_run(answer).guards.before == ("policy",)
    assert the_run(answer).guards.after == ()
