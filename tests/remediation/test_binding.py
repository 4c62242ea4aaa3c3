from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.finding import Finding, Provenance, Subject
from remediation.binding import Bound, bind
from remediation.orders import Grant, OrderLine
from remediation.remedy import Declined
from tests.remediation.policy.stories import DAY, EVENING, HOUR, MORNING, MemoryBook, a_finding, a_line

MINUTE = 60_000


def a_grant(line_id: str = "line-1", customer_id: str = "ilsa", session: str = "session-1") -> Grant:
    return Grant(session_id=session, customer_id=customer_id, order_line_id=line_id, granted_at=EVENING)


def a_plan(line_id: str = "plan-1", *, purchased_at: int = EVENING - 9 * DAY, until: int | None = None) -> OrderLine:
    return a_line(
        "subscription", 999, line_id=line_id, item_id="everything", purchased_at=purchased_at, available_until=until
    )


def bound_line(bound: Bound) -> str | None:
    (finding,) = bound.findings
    assert bound.declined == ()
    return finding.order_line_id


def the_declined(bound: Bound) -> Declined:
    (declined,) = bound.declined
    assert bound.findings == ()
    return declined


def test_a_grant_binds_a_session_that_names_nobody() -> None:
    book = MemoryBook(granted=(a_grant(),), ordered=(a_line(),))
    (finding,) = bind([a_finding(customer_id=None, content_id=None)], book, MORNING).findings
    assert (finding.customer_id, finding.order_line_id) == ("ilsa", "line-1")


def test_a_grant_decides_even_where_the_claimed_item_fits_another_order() -> None:
    book = MemoryBook(
        granted=(a_grant("line-2"),), ordered=(a_line(), a_line(line_id="line-2", item_id="maltese-falcon"))
    )
    assert bound_line(bind([a_finding()], book, MORNING)) == "line-2"


@pytest.mark.parametrize(
    ("granted", "ordered", "claimed", "code"),
    [
        pytest.param((a_grant(),), (a_line(),), "rick", "customer_contradicts_grant", id="the player names another"),
        pytest.param(
            (a_grant("line-1"), a_grant("line-2")),
            (a_line(), a_line(line_id="line-2")),
            "ilsa",
            "several_grants",
            id="granted for two orders",
        ),
        pytest.param((a_grant("line-9"),), (a_line(),), "ilsa", "order_missing", id="granted for an order we lack"),
        pytest.param(
            (a_grant(customer_id="rick"),),
            (a_line(),),
            "rick",
            "another_customers_order",
            id="granted on another's order",
        ),
    ],
)
def test_records_that_contradict_each_other_go_to_a_person(
    granted: tuple[Grant, ...], ordered: tuple[OrderLine, ...], claimed: str, code: str
) -> None:
    declined = the_declined(bind([a_finding(customer_id=claimed)], MemoryBook(granted, ordered), MORNING))
    assert (declined.outcome, declined.code) == ("review", code)
    assert declined.subject == Subject("session", "session-1")


def test_a_contradicted_claim_is_not_written_down_as_the_customer() -> None:
    book = MemoryBook(granted=(a_grant(),), ordered=(a_line(),))
    assert the_declined(bind([a_finding(customer_id="rick")], book, MORNING)).customer_id is None


class TestOurOwnWord:
    """A grant is what lifts a player's word above a claim."""

    TOLD = Provenance(signed=True, fingerprints=("m",), granted_at=1)

    def noted(self, book: MemoryBook) -> Provenance:
        (finding,) = bind([a_finding(provenance=self.TOLD)], book, MORNING).findings
        return finding.provenance

    def test_what_was_granted_is_noted_with_the_earliest_moment(self) -> None:
        twice = (a_grant(), a_grant().model_copy(update={"granted_at": EVENING - MINUTE}))
        noted = self.noted(MemoryBook(granted=twice, ordered=(a_line(),)))
        assert noted == replace(self.TOLD, granted_at=EVENING - MINUTE)

    def test_without_a_grant_nothing_was_granted_whatever_the_finding_brings(self) -> None:
        assert self.noted(MemoryBook(ordered=(a_line(),))) == replace(self.TOLD, granted_at=None)

    def test_a_grant_of_another_session_is_none(self) -> None:
        other = MemoryBook(granted=(a_grant(session="session-2"),), ordered=(a_line(),))
        assert self.noted(other).granted_at is None

    def test_an_order_line_needs_none(self) -> None:
        parcel = a_finding(subject=Subject("order_line", "line-1"), provenance=Provenance())
        book = MemoryBook(granted=(a_grant(session="line-1"),), ordered=(a_line(),))
        bound = bind([parcel, a_finding(session="line-1")], book, MORNING).findings
        assert [finding.provenance.granted_at for finding in bound] == [None, EVENING]


def test_the_same_grant_twice_is_one_grant() -> None:
    book = MemoryBook(granted=(a_grant(), a_grant()), ordered=(a_line(),))
    assert bound_line(bind([a_finding()], book, MORNING)) == "line-1"


@pytest.mark.parametrize(
    ("ordered", "line_id"),
    [
        pytest.param((a_line(),), "line-1", id="the rental of that title"),
        pytest.param((a_line("purchase"),), "line-1", id="the purchase of that title"),
        pytest.param((a_line(), a_plan()), "line-1", id="the rental goes before the subscription"),
        pytest.param((a_plan(),), "plan-1", id="the subscription covers every title"),
        pytest.param(
            (a_line("subscription", item_id="casablanca"),), "line-1", id="a subscription to that title, counted once"
        ),
        pytest.param(
            (a_plan("plan-0", purchased_at=EVENING - 40 * DAY, until=EVENING - 10 * DAY), a_plan()),
            "plan-1",
            id="this month's subscription",
        ),
        pytest.param((a_line(purchased_at=EVENING),), "line-1", id="paid at that very moment"),
        pytest.param((a_line(available_until=EVENING),), "line-1", id="ending at that very moment"),
        pytest.param(
            (a_line(purchased_at=EVENING + 9 * MINUTE),), "line-1", id="the player's clock is nine minutes slow"
        ),
        pytest.param(
            (
                a_line(available_until=EVENING - MINUTE),
                a_line(line_id="line-2", purchased_at=EVENING - MINUTE // 2),
            ),
            "line-2",
            id="rented again a minute ago",
        ),
        pytest.param(
            (a_line(line_id="other", item_id="maltese-falcon"), a_line("goods", line_id="poster"), a_line()),
            "line-1",
            id="among other orders",
        ),
    ],
)
def test_without_a_grant_the_session_belongs_to_the_order_that_covered_it(
    ordered: tuple[OrderLine, ...], line_id: str
) -> None:
    assert bound_line(bind([a_finding()], MemoryBook(ordered=ordered), MORNING)) == line_id


@pytest.mark.parametrize(
    ("finding", "ordered", "outcome", "code"),
    [
        pytest.param(a_finding(customer_id=None), (a_line(),), "declined", "no_customer", id="nobody is named"),
        pytest.param(a_finding(content_id=None), (a_line(),), "review", "no_item", id="no title is named"),
        pytest.param(a_finding(), (), "declined", "no_order", id="no order at all"),
        pytest.param(a_finding(), (a_line(customer_id="rick"),), "declined", "no_order", id="another customer's order"),
        pytest.param(a_finding(), (a_line("goods"),), "declined", "no_order", id="the title on a disc"),
        pytest.param(a_finding(), (a_line(purchased_at=EVENING + HOUR),), "declined", "no_order", id="rented later"),
        pytest.param(a_finding(), (a_line(available_until=EVENING - HOUR),), "declined", "no_order", id="over"),
        pytest.param(a_finding(), (a_line(), a_line(line_id="line-2")), "review", "several_orders", id="rented twice"),
        pytest.param(a_finding(), (a_plan(), a_plan("plan-2")), "review", "several_orders", id="two subscriptions"),
        pytest.param(a_finding(at=MORNING + 1), (a_line(),), "review", "after_as_of", id="it has not happened yet"),
    ],
)
def test_without_an_order_of_its_own_a_session_is_declined_with_the_reason(
    finding: Finding, ordered: tuple[OrderLine, ...], outcome: str, code: str
) -> None:
    declined = the_declined(bind([finding], MemoryBook(ordered=ordered), MORNING))
    assert (declined.outcome, declined.code) == (outcome, code)
    assert declined.finding_ids == (finding.finding_id,)
    assert declined.reason.endswith(".")


def test_what_was_found_on_an_order_line_belongs_to_it() -> None:
    parcel = Subject("order_line", "line-1")
    book = MemoryBook(ordered=(a_line("goods"),))
    assert bound_line(bind([a_finding("late", subject=parcel, customer_id=None)], book, MORNING)) == "line-1"
    missing = the_declined(bind([a_finding("late", subject=parcel)], MemoryBook(), MORNING))
    assert (missing.code, missing.order_line_id) == ("order_missing", "line-1")


def test_all_that_was_found_in_one_session_is_declined_at_once() -> None:
    findings = [a_finding(kind) for kind in ("playback_stalls", "low_quality")]
    declined = the_declined(bind(findings, MemoryBook(), MORNING))
    assert declined.finding_ids == tuple(sorted(finding.finding_id for finding in findings))


def test_the_book_is_asked_the_same_few_questions_for_any_number_of_findings() -> None:
    ordered = tuple(a_line(line_id=f"line-{n}", customer_id=f"guest-{n}") for n in range(300))
    book = MemoryBook(granted=(a_grant("line-7", "guest-7", "session-7"),), ordered=ordered)
    findings = [a_finding(session=f"session-{n}", customer_id=f"guest-{n}") for n in range(300)]
    assert len(bind(findings, book, MORNING).findings) == 300
    assert set(book.asked.values()) == {1}


def test_no_order_of_findings_or_records_changes_anything() -> None:
    lines = (a_line(), a_line(line_id="line-2", customer_id="rick"), a_plan())
    findings = (
        a_finding(),
        a_finding(session="session-2", customer_id="rick"),
        a_finding(session="session-3", customer_id=None),
        a_finding(session="session-4", content_id="gilda"),
    )
    results = {
        (frozenset(map(str, bound.findings)), bound.declined)
        for shuffled in permutations(findings)
        for ordered in permutations(lines)
        for bound in (bind(shuffled, MemoryBook(ordered=ordered), MORNING),)
    }
    assert len(results) == 1


NAMES = st.sampled_from(["ilsa", "rick", "", "line-1", "casablanca", "\x00", "x" * 300])
FINDINGS = st.builds(
    a_finding,
    session=NAMES,
    at=st.integers(-(10**15), 10**15),
    customer_id=st.none() | NAMES,
    content_id=st.none() | NAMES,
    subject=st.builds(Subject, st.sampled_from(["session", "order_line"]), NAMES),
)


@given(st.lists(FINDINGS, max_size=20))
def test_every_finding_is_either_bound_or_declined_whatever_it_says(findings: list[Finding]) -> None:
    book = MemoryBook(
        granted=(a_grant(session="rick"), a_grant("line-9", session="ilsa")), ordered=(a_line(), a_plan())
    )
    bound = bind(findings, book, MORNING)
    unbound: Callable[[Finding], Finding] = lambda one: replace(  # noqa: E731
        one, customer_id=None, order_line_id=None, provenance=Provenance()
    )
    declined = {finding_id for each in bound.declined for finding_id in each.finding_ids}
    assert {one.finding_id for one in bound.findings} | declined == {one.finding_id for one in findings}
    assert all(one.customer_id == "ilsa" for one in bound.findings)
    assert all(unbound(one) in map(unbound, findings) for one in bound.findings)
