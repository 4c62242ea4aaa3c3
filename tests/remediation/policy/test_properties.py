"""What must hold for all that can be found, in any order, however often, garbage among it."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detectors.finding import Finding
from remediation.book import Entry
from remediation.orders import OrderLine
from remediation.policy.case import Case
from remediation.policy.decide import decide
from remediation.policy.load import default_policy
from remediation.policy.model import Policy
from remediation.remedy import Remedy
from tests.remediation.policy.stories import (
    DAY,
    EVENING,
    MORNING,
    a_case,
    a_customer,
    a_finding,
    a_line,
    a_policy,
    an_entry,
)
from tests.support.examples import examples

STEADY = examples(40)
POLICIES = st.sampled_from(
    [
        default_policy(),
        a_policy(("enabled = false", "enabled = true"), ("percent = 20", "percent = 50")),
        a_policy(("moderate_from = 0.15", "moderate_from = 0.05"), ("minimum = 50,", "minimum = 5_000,")),
    ]
)
KINDS = st.sampled_from(["playback_stalls", "slow_start", "playback_failed", "low_quality", "slow_seeks"])
SESSIONS = st.sampled_from(["session-1", "session-2", "session-3"])
FINDINGS = st.builds(
    a_finding,
    KINDS,
    st.floats(0, 1),
    SESSIONS,
    at=st.integers(EVENING - 3 * DAY, EVENING),
    stall_ms=st.integers(0, 10**6),
)
LINES = st.builds(
    a_line,
    st.sampled_from(["rental", "purchase", "subscription"]),
    st.integers(1, 10**6),
    st.sampled_from(["USD", "JPY", "KWD", "ISK"]),
)
GARBAGE = st.builds(
    a_finding,
    KINDS | st.sampled_from(["late", "", "no such kind"]),
    st.floats() | st.integers(),
    st.text(max_size=5),
    at=st.integers(),
    fault=st.sampled_from(["unknown", "consignee", "customs", "weather", "no such fault"]),
    stall_ms=st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.booleans(),
    at_once=st.floats() | st.integers() | st.just(10**400),
)


def money(decisions: Sequence[object], kind: str = "refund") -> int:
    remedies = [each for each in decisions if isinstance(each, Remedy)]
    assert all(each.amount == sum(action.amount_minor or 0 for action in each.actions) > 0 for each in remedies)
    return sum(action.amount_minor or 0 for each in remedies for action in each.actions if action.kind == kind)


def refund(line: OrderLine, findings: Sequence[Finding], policy: Policy) -> int:
    return money(decide(a_case(*findings, line=line), policy, MORNING))


def nights(line: OrderLine, findings: Sequence[Finding], policy: Policy) -> list[Remedy]:
    """What is decided when the findings come to light one a night, each night with all before it."""
    history: list[Entry] = []
    for night in range(len(findings)):
        known = findings[: night + 1]
        decisions = decide(a_case(*known, line=line, history=history), policy, MORNING)
        history += [an_entry(each, *known) for each in decisions if isinstance(each, Remedy)]
    return [entry.remedy for entry in history]


@STEADY
@given(LINES, st.lists(FINDINGS | GARBAGE, max_size=6), POLICIES)
def test_never_more_than_was_paid_nor_goodwill_beyond_its_limit(
    line: OrderLine, findings: list[Finding], policy: Policy
) -> None:
    remedies = nights(line, findings, policy)
    assert money(remedies) <= line.amount_minor
    assert 2 * (money(remedies) + money(remedies, "credit")) <= 3 * line.amount_minor
    assert [remedy.number for remedy in remedies] == list(range(1, len(remedies) + 1))


@STEADY
@given(LINES, st.lists(FINDINGS, max_size=5), FINDINGS | GARBAGE, POLICIES)
def test_more_findings_never_owe_less(line: OrderLine, findings: list[Finding], one: Finding, policy: Policy) -> None:
    assert refund(line, [*findings, one], policy) >= refund(line, findings, policy)


@STEADY
@given(LINES, st.lists(FINDINGS, min_size=1, max_size=5), st.floats(0, 1), POLICIES)
def test_worse_findings_never_owe_less(
    line: OrderLine, findings: list[Finding], severity: float, policy: Policy
) -> None:
    worse = replace(findings[0], severity=max(severity, findings[0].severity))
    assert refund(line, [worse, *findings[1:]], policy) >= refund(line, findings, policy)


@STEADY
@given(LINES, st.lists(FINDINGS, min_size=1, max_size=5), st.lists(GARBAGE, max_size=3), POLICIES)
def test_unreadable_findings_and_repetition_never_raise_money(
    line: OrderLine, findings: list[Finding], garbage: list[Finding], policy: Policy
) -> None:
    unreadable = [replace(each, severity=float("nan")) for each in garbage]
    assert refund(line, findings * 2 + unreadable, policy) == refund(line, findings, policy)


@STEADY
@given(st.data(), st.lists(st.tuples(LINES, st.lists(FINDINGS | GARBAGE, max_size=3)), max_size=4), POLICIES)
def test_order_changes_nothing(
    data: st.DataObject, drawn: list[tuple[OrderLine, list[Finding]]], policy: Policy
) -> None:
    lines = [(line.model_copy(update={"order_line_id": f"line-{n}"}), found) for n, (line, found) in enumerate(drawn)]
    history = [
        an_entry(each, *found)
        for line, found in lines
        for each in decide(a_case(*found[:1], line=line), policy, MORNING)
        if isinstance(each, Remedy)
    ]
    first = Case("ilsa", a_customer(), tuple((line, tuple(found)) for line, found in lines), tuple(history))
    shuffled = Case(
        "ilsa",
        a_customer(),
        tuple((line, tuple(data.draw(st.permutations(found)))) for line, found in data.draw(st.permutations(lines))),
        tuple(data.draw(st.permutations(history))),
    )
    assert decide(shuffled, policy, MORNING) == decide(first, policy, MORNING)


@STEADY
@given(LINES, st.lists(FINDINGS, min_size=1, max_size=5), POLICIES)
def test_top_ups_sum_to_what_is_owed_in_all(line: OrderLine, findings: list[Finding], policy: Policy) -> None:
    assert money(nights(line, findings, policy)) == max(
        refund(line, findings[: night + 1], policy) for night in range(len(findings))
    )


@STEADY
@given(LINES, st.lists(FINDINGS | GARBAGE, min_size=1, max_size=5), POLICIES, POLICIES)
def test_the_same_night_again_decides_nothing_under_any_policy(
    line: OrderLine, findings: list[Finding], then: Policy, now: Policy
) -> None:
    decisions = decide(a_case(*findings, line=line), then, MORNING)
    history = [an_entry(each, *findings) for each in decisions if isinstance(each, Remedy)]
    again = decide(a_case(*findings, line=line, history=history), now, MORNING + DAY)
    assert not history or again == ()


@STEADY
@given(LINES, st.lists(GARBAGE, max_size=5), st.sampled_from([{"kind": "goods"}, {"currency": "ZZZ"}]), POLICIES)
def test_garbage_leads_to_a_decision_and_never_to_an_error(
    line: OrderLine,
    findings: list[Finding],
    otherwise: dict[str, str],
    policy: Policy,
) -> None:
    for each in (line, line.model_copy(update=otherwise)):
        decisions = decide(a_case(*findings, line=each, customer=a_customer("\x00/..")), policy, MORNING)
        assert len(decisions) == (1 if findings else 0)
        assert all(decision.reason for decision in decisions)
