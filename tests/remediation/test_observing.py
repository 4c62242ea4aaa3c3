"""Copies and habits: what is looked up of customers whose visits failed."""

from collections.abc import Iterable
from dataclasses import replace

from detectors.finding import Finding, Provenance
from remediation.book import FailedVisit, Seen
from remediation.observing import observed
from remediation.orders import Grant
from remediation.policy.case import Case
from remediation.policy.conduct import Conduct
from remediation.policy.load import default_policy
from remediation.policy.trust import Trust
from tests.remediation.policy.stories import (
    DAY,
    EVENING,
    MORNING,
    MemoryBook,
    a_case,
    a_failure,
    a_finding,
    a_line,
    a_parcel,
)

RULES = default_policy().trust


def a_visit(session: str, *marks: str, received_at: int | None = EVENING) -> Finding:
    provenance = Provenance(granted_at=EVENING, received_at=received_at, fingerprints=marks)
    return a_finding(session=session, provenance=provenance)


def conduct(cases: Iterable[Case], book: MemoryBook, rules: Trust = RULES) -> dict[str, Conduct]:
    return {case.customer_id: case.conduct for case in observed(tuple(cases), book, rules, MORNING)}


def copies(*findings: Finding, seen: Iterable[Seen] = ()) -> set[str]:
    return set(conduct([a_case(*findings)], MemoryBook(prints=tuple(seen)))["ilsa"].copies)


class TestCopies:
    def test_the_later_of_two_is_the_copy_whoever_is_looked_at_first(self) -> None:
        original, copy = a_visit("original", "m"), a_visit("copy", "m", received_at=EVENING + 1)
        assert copies(original, copy) == copies(copy, original) == {"copy"}

    def test_of_two_that_nobody_can_tell_apart_neither_is_taken_for_the_original(self) -> None:
        assert copies(a_visit("one", "m"), a_visit("other", "m")) == {"one", "other"}
        assert copies(a_visit("one", "m", received_at=None), a_visit("other", "m", received_at=None)) == {
            "one",
            "other",
        }

    def test_one_shared_fingerprint_is_enough(self) -> None:
        assert copies(a_visit("original", "a", "b"), a_visit("copy", "b", "c", received_at=EVENING + 1)) == {"copy"}
        assert copies(a_visit("one", "a"), a_visit("other", "b")) == set()

    def test_one_from_another_night_or_another_customer_is_known_to_the_ledger(self) -> None:
        copy = a_visit("copy", "m")
        assert copies(copy, seen=[Seen("m", "last night's", EVENING - DAY)]) == {"copy"}
        assert copies(copy, seen=[Seen("m", "a later one", EVENING + 1)]) == set()

    def test_a_session_is_no_copy_of_itself_and_keeps_the_moment_at_which_it_was_seen_first(self) -> None:
        found_again = a_visit("original", "m", received_at=EVENING + DAY // 4)
        assert copies(found_again, seen=[Seen("m", "original", EVENING)]) == set()
        assert copies(found_again, seen=[Seen("m", "original", EVENING), Seen("m", "copy", EVENING + 1)]) == set()

    def test_a_later_nights_copy_does_not_reach_back(self) -> None:
        assert copies(a_visit("original", "m", received_at=MORNING), seen=[Seen("m", "copy", MORNING + DAY)]) == set()

    def test_each_customer_is_told_of_their_own(self) -> None:
        other = replace(a_case(a_visit("copy", "m", received_at=EVENING + 1)), customer_id="rick")
        found = conduct([a_case(a_visit("original", "m")), other], MemoryBook())
        assert (found["ilsa"].copies, found["rick"].copies) == (frozenset(), frozenset({"copy"}))


class TestFailedVisits:
    VISITS = tuple(FailedVisit(f"old-{n}", "line-1", MORNING - n * DAY) for n in (1, 6, 8))
    GRANTS = (Grant(session_id="old-6", customer_id="ilsa", order_line_id="line-1", granted_at=EVENING - 6 * DAY),)

    def found(self, wanted: str) -> list[str]:
        rules = RULES.model_copy(update={"pays_without_person": wanted})
        book = MemoryBook(granted=self.GRANTS, failed={"ilsa": self.VISITS})
        told = conduct([a_case(a_finding())], book, rules)["ilsa"]
        return [visit.session_id for visit in told.failed_visits]

    def test_those_of_the_policys_days_with_our_own_word(self) -> None:
        assert self.found("granted") == self.found("corroborated") == ["old-6"]

    def test_or_all_of_those_days_where_the_policy_takes_anybodys(self) -> None:
        assert self.found("claimed") == ["old-1", "old-6"]


def test_the_same_few_questions_for_any_number_of_customers() -> None:
    visitors = [replace(a_case(a_visit(f"s-{n}", f"m-{n}")), customer_id=f"c-{n}") for n in range(30)]
    book = MemoryBook(failed={f"c-{n}": (FailedVisit(f"old-{n}", "line-1", EVENING),) for n in range(30)})
    conduct(visitors, book)
    assert book.asked == {"seen": 1, "failed_visits": 1, "grants": 1}


def test_none_where_there_are_only_deliveries() -> None:
    book = MemoryBook()
    parcel = a_case(a_failure("lost"), line=a_parcel())
    assert observed((parcel,), book, RULES, MORNING) == (parcel,)
    assert not book.asked


def test_a_visit_without_fingerprints_asks_for_none() -> None:
    book = MemoryBook()
    assert conduct([a_case(a_visit("short"), line=a_line())], book)["ilsa"] == Conduct()
    assert book.asked["seen"] == 0
