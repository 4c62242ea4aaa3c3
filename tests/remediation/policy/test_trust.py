"""Whose word is enough, and what is said where it is not."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import pytest

from detectors.finding import Finding, Provenance
from remediation.book import Entry, FailedVisit
from remediation.orders import OrderLine
from remediation.policy.case import Case
from remediation.policy.conduct import Conduct
from remediation.policy.decide import decide
from remediation.policy.load import PolicyError, default_policy
from remediation.policy.model import Policy
from remediation.policy.trust import Level, level
from remediation.remedy import Remedy
from tests.remediation.policy.stories import (
    DAY,
    EVENING,
    HOUR,
    MORNING,
    a_case,
    a_customer,
    a_failure,
    a_finding,
    a_line,
    a_month,
    a_parcel,
    a_policy,
    an_entry,
    the_remedy,
)

POLICY: Final = default_policy()
MINUTE: Final = 60_000
GRANTED: Final = EVENING - MINUTE


def asking_for(wanted: Level) -> Policy:
    return a_policy(('pays_without_person = "granted"', f'pays_without_person = "{wanted}"'))


def said_by(finding: Finding, **provenance: Any) -> Finding:
    """The finding with another provenance; what is not named is that of a session that the service had allowed."""
    return replace(finding, provenance=Provenance(**{"granted_at": GRANTED, **provenance}))


def decided(*findings: Finding, line: OrderLine | None = None, policy: Policy = POLICY, **case: Any) -> Remedy:
    return the_remedy(decide(replace(a_case(*findings, line=line), **case), policy, MORNING))


def waits(remedy: Remedy) -> str:
    """Why it waits for a person."""
    assert remedy.state == "held", remedy.reason
    _, _, reasons = remedy.reason.partition(" Held for a person: ")
    assert reasons, remedy.reason
    return reasons


BACKED: Final[dict[Level, dict[str, Any]]] = {
    "claimed": {"granted_at": None},
    "granted": {},
    "signed": {"signed": True},
    "corroborated": {"corroborated": True},
}
ORDER: Final = list(BACKED)


class TestLevels:
    @pytest.mark.parametrize("wanted", ORDER)
    @pytest.mark.parametrize("has", ORDER)
    def test_what_is_backed_enough_is_paid_and_everything_else_waits(self, has: Level, wanted: Level) -> None:
        finding = said_by(a_finding(), **BACKED[has])
        remedy = decided(finding, policy=asking_for(wanted))
        assert level(finding.provenance) == has
        assert remedy.amount == 299
        assert remedy.state == ("approved" if ORDER.index(has) >= ORDER.index(wanted) else "held")

    @pytest.mark.parametrize(
        ("has", "wanted", "says"),
        [
            ("claimed", "granted", "only the player says whose visit this was"),
            ("claimed", "corroborated", "only the player says whose visit this was"),
            ("granted", "signed", "are not signed, which the policy asks for"),
            ("signed", "corroborated", "the CDN's access log does not bear the player out"),
        ],
    )
    def test_an_agent_reads_what_is_missing(self, has: Level, wanted: Level, says: str) -> None:
        assert says in waits(decided(said_by(a_finding(), **BACKED[has]), policy=asking_for(wanted)))

    def test_neither_signature_nor_log_makes_up_for_the_services_own_word(self) -> None:
        assert level(Provenance(signed=True, corroborated=True)) == "claimed"
        assert waits(decided(said_by(a_finding(), granted_at=None, signed=True, corroborated=True)))

    def test_by_default_our_own_word_is_enough_and_no_less(self) -> None:
        assert POLICY.trust.pays_without_person == "granted"
        assert decided(a_finding()).state == "approved"
        assert decided(a_finding(provenance=Provenance())).state == "held"

    def test_deliveries_are_not_concerned(self) -> None:
        late = a_failure("late", days_late=3, promised_date="2026-11-19", delivered_date="2026-11-20")
        remedy = decided(late, line=a_parcel(), policy=asking_for("corroborated"))
        assert remedy.state == "approved"

    def test_another_word_is_no_policy(self) -> None:
        with pytest.raises(PolicyError, match=r"trust\.pays_without_person: "):
            a_policy(('pays_without_person = "granted"', 'pays_without_person = "hearsay"'))


class TestWhatSpeaksAgainst:
    @pytest.mark.parametrize(
        ("finding", "says"),
        [
            pytest.param(
                said_by(a_finding(), corroborated=False), "access log speaks against", id="the CDN contradicts"
            ),
            pytest.param(
                said_by(a_finding(), doubts=("beyond_wall_clock",)), "more time than it took", id="time used twice"
            ),
            pytest.param(said_by(a_finding(), doubts=("absurd_figures",)), "no player can have", id="absurd figures"),
            pytest.param(
                said_by(a_finding(), attested_ms=90 * MINUTE, received_at=EVENING + HOUR),
                "more watching than there was time for",
                id="an hour and a half within one",
            ),
            pytest.param(
                said_by(a_finding(), granted_at=EVENING + 12 * MINUTE), "before the playback was allowed", id="old news"
            ),
            pytest.param(
                said_by(a_finding(at=EVENING - HOUR - 12 * MINUTE), granted_at=EVENING - 2 * HOUR),
                "before the order was paid",
                id="before it was bought",
            ),
            pytest.param(
                said_by(a_finding(), ended_at=MORNING + 11 * MINUTE), "some clock is wrong", id="ends in the future"
            ),
            pytest.param(
                said_by(a_finding(), received_at=MORNING + 11 * MINUTE), "some clock is wrong", id="heard of tomorrow"
            ),
        ],
    )
    def test_it_waits_for_a_person_who_reads_why_and_is_not_refused(self, finding: Finding, says: str) -> None:
        remedy = decided(finding)
        assert says in waits(remedy)
        assert remedy.amount == 299

    @pytest.mark.parametrize(
        "finding",
        [
            pytest.param(said_by(a_finding(), corroborated=None), id="no log"),
            pytest.param(said_by(a_finding(), granted_at=EVENING + 10 * MINUTE), id="a clock ten minutes slow"),
            pytest.param(
                replace(said_by(a_finding(), granted_at=EVENING + 15 * MINUTE), occurred_to=EVENING + 20 * MINUTE),
                id="loaded long before it was allowed",
            ),
            pytest.param(
                said_by(a_finding(at=EVENING - HOUR - 10 * MINUTE), granted_at=GRANTED - HOUR), id="just bought"
            ),
            pytest.param(said_by(a_finding(), ended_at=MORNING + 10 * MINUTE), id="a clock ten minutes fast"),
            pytest.param(
                said_by(a_finding(), attested_ms=3 * HOUR, received_at=GRANTED + 3 * HOUR - 10 * MINUTE), id="long film"
            ),
            pytest.param(said_by(a_finding(), attested_ms=3 * HOUR, received_at=None), id="time of receipt unknown"),
            pytest.param(said_by(a_finding(), attested_ms=None, received_at=GRANTED), id="nothing attested"),
        ],
    )
    def test_what_clocks_and_logs_leave_open_speaks_against_nobody(self, finding: Finding) -> None:
        assert decided(finding).state == "approved"

    def test_where_nothing_was_granted_the_order_says_since_when_there_was_time(self) -> None:
        claimed = asking_for("claimed")
        told = {"granted_at": None, "received_at": EVENING, "attested_ms": HOUR + 11 * MINUTE}
        assert "more watching" in waits(decided(said_by(a_finding(), **told), policy=claimed))
        assert decided(said_by(a_finding(), **told), line=a_line(purchased_at=0), policy=claimed).state == "approved"

    def test_every_reason_is_said_once(self) -> None:
        one, other = (said_by(a_finding(session=name), corroborated=False) for name in ("one", "other"))
        assert waits(decided(one, other)) == "the CDN's access log speaks against what the player reports."


class TestSoundWordsAndOthers:
    def test_a_doubtful_word_does_not_make_a_sound_one_wait(self) -> None:
        sound, claimed = a_finding(severity=0.5), a_finding(session="copy", severity=0.9, provenance=Provenance())
        remedy = decided(sound, claimed)
        assert (remedy.state, remedy.amount) == ("approved", 299)
        assert "severity 0.50" in remedy.reason

    def test_but_what_only_the_doubtful_one_owes_waits(self) -> None:
        remedy = decided(a_finding("slow_start", 0.1), a_finding(session="copy", provenance=Provenance()))
        assert remedy.amount == 299
        assert "only the player says" in waits(remedy)

    def test_a_day_of_a_subscription_that_only_a_doubtful_word_names_waits(self) -> None:
        sound = a_finding(at=EVENING)
        other = a_finding(session="copy", at=EVENING - DAY, provenance=Provenance())
        assert decided(sound, replace(other, occurred_from=EVENING + 1), line=a_month()).state == "approved"
        assert decided(sound, other, line=a_month()).state == "held"


def visits(count: int, *, at: int = EVENING, every_ms: int = HOUR, lasting_ms: int = MINUTE) -> list[Finding]:
    """Failed visits one after the other, each with our own word."""
    return [
        replace(
            said_by(
                a_finding(session=f"visit-{number}", at=begun),
                started_at=begun,
                ended_at=begun + lasting_ms,
                granted_at=begun,
            )
        )
        for number in range(count)
        for begun in [at + number * every_ms]
    ]


class TestAtOnce:
    MOST = POLICY.trust.visits_at_once

    def test_a_household_has_so_many_screens(self) -> None:
        together = {"every_ms": 1_000, "lasting_ms": HOUR}
        assert decided(*visits(self.MOST, **together)).state == "approved"
        remedy = decided(*visits(self.MOST + 1, **together))
        assert waits(remedy) == "5 visits on this order line ran at the same time, more than 4."

    def test_who_ends_as_another_begins_makes_room(self) -> None:
        assert decided(*visits(9, every_ms=MINUTE, lasting_ms=MINUTE)).state == "approved"

    def test_two_failures_of_one_visit_are_one(self) -> None:
        four = visits(self.MOST, every_ms=1_000, lasting_ms=HOUR)
        assert decided(*four, *(replace(each, kind="slow_start") for each in four)).state == "approved"

    def test_a_strangers_claims_do_not_count(self) -> None:
        claimed = [
            replace(each, provenance=replace(each.provenance, granted_at=None)) for each in visits(9, every_ms=1)
        ]
        assert decided(a_finding(), *claimed).state == "approved"


def earlier(count: int, *, line_id: str = "line-1", at: int = EVENING - DAY) -> Conduct:
    return Conduct(failed_visits=tuple(FailedVisit(f"earlier-{n}", line_id, at + n) for n in range(count)))


class TestFailedVisits:
    LINE = POLICY.trust.failed_visits.per_order_line
    CUSTOMER = POLICY.trust.failed_visits.per_customer

    def test_so_many_on_one_line_in_one_night(self) -> None:
        apart = {"every_ms": 10 * MINUTE}
        assert decided(*visits(self.LINE, **apart)).state == "approved"
        remedy = decided(*visits(self.LINE + 1, **apart))
        assert waits(remedy) == "16 visits on this order line failed in 7 days, more than 15."

    def test_so_many_over_several_nights(self) -> None:
        assert decided(a_finding(), conduct=earlier(self.LINE - 1)).state == "approved"
        assert "16 visits on this order line" in waits(decided(a_finding(), conduct=earlier(self.LINE)))

    def test_a_visit_that_is_found_again_is_the_same(self) -> None:
        again = a_finding(session="earlier-0")
        assert decided(again, conduct=earlier(self.LINE)).state == "approved"

    def test_so_many_of_one_customer_whatever_the_line(self) -> None:
        elsewhere = earlier(self.CUSTOMER - 1, line_id="line-9")
        assert decided(a_finding(), conduct=elsewhere).state == "approved"
        remedy = decided(a_finding(), conduct=earlier(self.CUSTOMER, line_id="line-9"))
        assert waits(remedy) == "21 visits of this customer failed in 7 days, more than 20."

    def test_what_lies_longer_back_does_not_count(self) -> None:
        assert decided(a_finding(), conduct=earlier(99, at=MORNING - 7 * DAY - 99)).state == "approved"
        assert decided(a_finding(), conduct=earlier(99, at=MORNING - 7 * DAY + 1)).state == "held"

    def test_nor_does_what_comes_late_of_longer_ago(self) -> None:
        month = a_month().model_copy(update={"purchased_at": 0, "available_until": None})
        late = visits(self.LINE + 1, at=MORNING - 8 * DAY, every_ms=10 * MINUTE)
        assert decided(*late, line=month).state == "approved"

    def test_parcels_are_no_visits_whoever_is_believed(self) -> None:
        parcels = tuple(
            (a_parcel(line_id=f"parcel-{n}"), (a_failure("lost", line_id=f"parcel-{n}"),)) for n in range(30)
        )
        case = Case("ilsa", a_customer(), ((a_line(), (a_finding(),)), *parcels), ())
        claimed = asking_for("claimed")
        of_film = [each for each in decide(case, claimed, MORNING) if each.order_line_id == "line-1"]
        assert isinstance(of_film[0], Remedy)
        assert of_film[0].state == "approved"

    def test_a_strangers_claims_neither_count_nor_keep_the_customer_waiting(self) -> None:
        claims = [
            replace(each, subject=replace(each.subject, id=f"forged-{n}"), provenance=Provenance())
            for n, each in enumerate(visits(50, every_ms=MINUTE))
        ]
        assert decided(a_finding(), *claims).state == "approved"
        assert waits(decided(*claims)) == (
            "only the player says whose visit this was: our own records hold no permission to play for it."
        )


class TestCopies:
    def test_a_copy_waits_and_the_original_does_not(self) -> None:
        copies = Conduct(copies=frozenset({"copy"}))
        remedy = decided(a_finding(session="copy"), conduct=copies)
        assert "may be a copy of it" in waits(remedy)
        assert decided(a_finding(session="original"), conduct=copies).state == "approved"


def paid_out(line_ids: Iterable[str], *, as_of: int, state: str = "approved") -> list[Entry]:
    """Pay-outs of earlier nights, one a line."""
    entries = []
    for number, line_id in enumerate(line_ids, start=1):
        finding = a_finding(session=f"old-{number}-{as_of}")
        remedy = decided(finding, line=a_line(line_id=line_id))
        entries.append(an_entry(replace(remedy, number=number, state=state), finding, as_of=as_of))  # type: ignore[arg-type]  # a state
    return entries


class TestPayOuts:
    """Where two months meet, the calendar's limits alone would let twice as many out."""

    LAST_OF_MONTH = 1_796_041_800_000  # 2026-11-30T12:30:00Z
    NEXT_DAY = LAST_OF_MONTH + DAY

    def on_the_first(self, history: list[Entry], line_id: str = "line-new") -> Remedy:
        line, finding = a_line(line_id=line_id, purchased_at=0), a_finding(at=self.NEXT_DAY - HOUR)
        return the_remedy(
            decide(Case("ilsa", a_customer(), ((line, (finding,)),), tuple(history)), POLICY, self.NEXT_DAY)
        )

    def test_so_many_within_thirty_days_go_out_by_themselves(self) -> None:
        three = paid_out(["a", "b", "c"], as_of=self.LAST_OF_MONTH)
        assert self.on_the_first(three).state == "approved"
        four = [*three, *paid_out(["d"], as_of=self.NEXT_DAY - 1)]
        assert waits(self.on_the_first(four)) == "5 pay-outs would go to this customer in 30 days, more than 4."

    def test_what_lies_longer_back_or_still_waits_does_not_count(self) -> None:
        long_ago = paid_out(["a", "b", "c", "d"], as_of=self.NEXT_DAY - 30 * DAY)
        waiting = paid_out(["e", "f", "g", "h"], as_of=self.LAST_OF_MONTH, state="held")
        assert self.on_the_first([*long_ago, *waiting]).state == "approved"

    def test_those_of_this_run_count_too(self) -> None:
        lavish = a_policy(("payouts_per_customer_month = 3", "payouts_per_customer_month = 9"))
        lines = tuple((a_line(line_id=f"line-{n}"), (a_finding(session=f"s-{n}"),)) for n in range(5))
        decisions = decide(Case("ilsa", a_customer(), lines, ()), lavish, MORNING)
        assert [each.state for each in decisions if isinstance(each, Remedy)] == ["approved"] * 4 + ["held"]

    def test_so_many_on_one_line(self) -> None:
        month = replace_id(a_month(), "line-new")
        history = [
            replace(entry, remedy=replace(entry.remedy, number=number, finding_ids=(f"old-{number}",)))
            for number, entry in enumerate(paid_out(["line-new"] * 3, as_of=self.LAST_OF_MONTH), start=1)
        ]
        case = Case("ilsa", a_customer(), ((month, (a_finding(at=self.NEXT_DAY - HOUR),)),), tuple(history))
        remedy = the_remedy(decide(case, POLICY, self.NEXT_DAY))
        assert waits(remedy) == "4 pay-outs would go to this order line in 30 days, more than 3."


def replace_id(line: OrderLine, line_id: str) -> OrderLine:
    return line.model_copy(update={"order_line_id": line_id, "amount_minor": 90_000})
