"""Hold-outs get everything that is owed, and no goodwill."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.finding import Finding
from remediation.book import Entry
from remediation.ledger.control import percentile
from remediation.loyalty.holdout import Holdout, HoldoutKeyError
from remediation.orders import OrderLine
from remediation.policy.decide import Decision, decide
from remediation.remedy import Action, Arm, Declined, Remedy
from remediation.resolve import resolve
from tests.remediation.policy import test_delivery_properties as delivery
from tests.remediation.policy import test_properties as playback
from tests.remediation.policy.stories import (
    DAY,
    MORNING,
    MemoryBook,
    a_case,
    a_customer,
    a_finding,
    a_line,
    a_policy,
    an_entry,
    the_declined,
    the_remedy,
)

KEY = "5e" * 32
GENEROUS = a_policy(
    ("enabled = false", "enabled = true"),
    ("percent = 20", "percent = 50"),
    ('from_tier = "severe"', 'from_tier = "mild"'),
)
SEVERE_ONLY = a_policy(("enabled = false", "enabled = true"))
STEADY = settings(deadline=None, max_examples=60)  # a busy machine is no failure


def decided(arm: Arm | None, *findings: Finding, line: OrderLine | None = None) -> tuple[Decision, ...]:
    return decide(replace(a_case(*findings, line=line or a_line(amount_minor=1_000)), arm=arm), SEVERE_ONLY, MORNING)


def test_what_is_owed_is_given_and_goodwill_is_withheld_in_words() -> None:
    remedy = the_remedy(decided("holdout", a_finding(severity=0.9)))
    assert remedy.actions == (Action("refund", 1_000),)
    assert (remedy.amount, remedy.withheld_minor, remedy.arm) == (1_000, 200, "holdout")
    assert "A goodwill credit of 2.00 USD on top is withheld from this customer" in remedy.reason
    assert "what is owed is given in full" in remedy.reason


def test_who_is_compared_with_them_gets_it() -> None:
    remedy = the_remedy(decided("goodwill", a_finding(severity=0.9)))
    assert remedy.actions == (Action("refund", 1_000), Action("credit", 200))
    assert (remedy.withheld_minor, remedy.arm) == (0, "goodwill")


@pytest.mark.parametrize("arm", ["goodwill", "holdout"])
def test_who_has_earned_no_goodwill_is_in_no_arm(arm: Arm) -> None:
    remedy = the_remedy(decided(arm, a_finding(severity=0.2)))
    assert (remedy.arm, remedy.withheld_minor) == (None, 0)
    assert remedy == the_remedy(decided(None, a_finding(severity=0.2)))


def test_goodwill_alone_is_told_as_withheld_and_compared_with_nobody() -> None:
    policy = a_policy(("enabled = false", "enabled = true"), ('from_tier = "severe"', 'from_tier = "moderate"'))
    mild, worse, line = a_finding("slow_start", 0.1), a_finding("slow_start", 0.2), a_line(amount_minor=1_000)
    paid = the_remedy(decide(a_case(mild, line=line), policy, MORNING))
    assert paid.actions == (Action("refund", 250),)
    later = a_case(worse, line=line, history=[an_entry(paid, mild)])
    withheld = the_declined(decide(replace(later, arm="holdout"), policy, MORNING))
    assert (withheld.outcome, withheld.code) == ("declined", "goodwill_withheld")
    assert "A goodwill credit of 2.00 USD on top is withheld" in withheld.reason
    given_to_the_other = the_remedy(decide(replace(later, arm="goodwill"), policy, MORNING))
    assert given_to_the_other.actions == (Action("credit", 200),)
    assert given_to_the_other.arm is None


def test_what_was_withheld_is_not_given_when_more_is_found() -> None:
    slow, bad, line = a_finding("slow_start", 0.9), a_finding(), a_line(amount_minor=1_000)
    first = the_remedy(decided("holdout", slow))
    assert (first.amount, first.withheld_minor) == (500, 200)
    for arm in ("holdout", None):
        case = replace(a_case(slow, bad, line=line, history=[an_entry(first, slow)]), arm=arm)
        more = the_remedy(decide(case, SEVERE_ONLY, MORNING))
        assert (more.actions, more.withheld_minor) == ((Action("refund", 500),), 0)


Night = Sequence[tuple[Finding, dict[str, int]]]


def nights(line: OrderLine, found: Night, arm: Arm | None) -> list[Remedy]:
    """What is given when the findings come to light one a night, each night with all before it and its own stock."""
    history: list[Entry] = []
    for night, (_, stock) in enumerate(found):
        known = [finding for finding, _ in found[: night + 1]]
        case = replace(a_case(*known, line=line, history=history, stock=stock), arm=arm)
        at = MORNING + night * DAY
        history += [an_entry(each, *known, as_of=at) for each in decide(case, GENEROUS, at) if isinstance(each, Remedy)]
    return [entry.remedy for entry in history]


def beside_goodwill(remedies: Sequence[Remedy]) -> list[tuple[Action, ...]]:
    """What is owed, night by night; a night that brought goodwill alone owed nothing."""
    owed = (tuple(action for action in each.actions if action.kind != "credit") for each in remedies)
    return [actions for actions in owed if actions]


PLAYBACK: st.SearchStrategy[tuple[OrderLine, Night]] = st.tuples(
    playback.LINES, st.lists(st.tuples(playback.FINDINGS | playback.GARBAGE, st.just({})), max_size=5)
)
GOODS: st.SearchStrategy[tuple[OrderLine, Night]] = st.tuples(
    delivery.LINES, st.lists(st.tuples(delivery.FINDINGS | delivery.UNCLEAR, delivery.STOCK), max_size=5)
)


@STEADY
@given(PLAYBACK | GOODS)
def test_being_held_out_never_changes_what_is_owed(story: tuple[OrderLine, Night]) -> None:
    line, found = story
    held_out, others = nights(line, found, "holdout"), nights(line, found, "goodwill")
    assert beside_goodwill(held_out) == beside_goodwill(others) == beside_goodwill(nights(line, found, None))
    assert not any(action.kind == "credit" for each in held_out for action in each.actions)
    assert {each.arm for each in held_out} <= {None, "holdout"}
    assert all((each.withheld_minor > 0) == (each.arm == "holdout") for each in held_out)
    assert sum(each.withheld_minor for each in held_out) <= delivery.money(others, "credit")


@STEADY
@given(PLAYBACK | GOODS)
def test_who_is_held_out_never_waits_for_a_person_where_others_do_not(story: tuple[OrderLine, Night]) -> None:
    line, found = story
    for found_now in (found[:1], found):
        known = [finding for finding, _ in found_now]
        stock = found_now[-1][1] if found_now else {}
        case = a_case(*known, line=line, stock=stock)
        held_out, others = (decide(replace(case, arm=arm), GENEROUS, MORNING) for arm in ("holdout", "goodwill"))
        waits, would_wait = ([each for each in decisions if is_held(each)] for decisions in (held_out, others))
        assert len(waits) <= len(would_wait)


def is_held(decision: Decision) -> bool:
    return isinstance(decision, Declined) or decision.state == "held"


class TestWhoIsHeldOut:
    def test_the_share_is_about_that_of_the_policy_and_stays_the_same(self) -> None:
        tenth = Holdout.of(10, KEY)
        chosen = [name for name in map(str, range(10_000)) if tenth.arm_of(name) == "holdout"]
        assert 900 <= len(chosen) <= 1_100
        assert chosen == [name for name in map(str, range(10_000)) if Holdout.of(10, KEY).arm_of(name) == "holdout"]

    def test_a_larger_share_keeps_those_who_were_held_out(self) -> None:
        small, large = Holdout.of(10, KEY), Holdout.of(20, KEY)
        names = [str(number) for number in range(1_000)]
        assert {name for name in names if small.arm_of(name) == "holdout"} < {
            name for name in names if large.arm_of(name) == "holdout"
        }

    def test_another_key_chooses_others_and_so_does_the_canary(self) -> None:
        names = [str(number) for number in range(1_000)]
        choices = {tuple(Holdout.of(10, key).arm_of(name) for name in names) for key in (KEY, "5f" * 32, "00" * 32)} | {
            tuple("holdout" if percentile(name, "salt") < 10 else "goodwill" for name in names)
        }
        assert len(choices) == 4

    @pytest.mark.parametrize("key", ["", "secret", "zz" * 32, "5e" * 31, "5e" * 129])
    def test_a_key_that_could_be_guessed_is_refused_and_not_repeated(self, key: str) -> None:
        with pytest.raises(HoldoutKeyError, match="64 to 256 hexadecimal digits") as refused:
            Holdout.of(10, key)
        assert not key or key not in str(refused.value)

    def test_the_key_is_in_no_text(self) -> None:
        holdout = Holdout.of(10, KEY)
        assert KEY not in repr(holdout)
        assert KEY not in holdout.sha256
        assert holdout.sha256 != Holdout.of(10, "5f" * 32).sha256


def test_resolving_holds_out_whom_the_key_names() -> None:
    finding = replace(a_finding(severity=0.9), order_line_id="line-1")
    book = MemoryBook(ordered=(a_line(amount_minor=1_000),), known=(a_customer(),))
    for percent, arm, amount in ((50, Holdout.of(50, KEY).arm_of("ilsa"), None), (0, "goodwill", 1_200)):
        (resolution,) = resolve([finding], book, SEVERE_ONLY, MORNING, Holdout(percent, KEY))
        assert resolution.remedy is not None
        assert resolution.remedy.arm == arm
        assert resolution.remedy.amount == (amount or {"holdout": 1_000, "goodwill": 1_200}[arm])
    (alike,) = resolve([finding], book, SEVERE_ONLY, MORNING)
    assert alike.remedy is not None
    assert (alike.remedy.arm, alike.remedy.amount) == (None, 1_200)
