"""What findings say of other thresholds is what the detectors would have found, as far as findings can know."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.finding import Finding
from detectors.playback.failures import findings, judge
from detectors.schemas import SESSIONS_WITH_EVIDENCE, complete
from remediation.policy.model import Policy
from remediation.whatif.thresholds import Changed, changes, rejudge
from tests.remediation.whatif.towns import POLICY, changed, gone_wrong, stalled

FIGURES: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "watched_ms": st.integers(1, 200_000),
    "played_ms": st.integers(0, 100_000),
    "stall_ms": st.integers(0, 60_000),
    "longest_stall_ms": st.integers(0, 40_000),
    "worst_window_stall_count": st.integers(0, 8),
    "startup_ms": st.integers(0, 40_000),
    "stall_after_seek_ms": st.integers(0, 40_000),
    "low_picture_ms": st.integers(0, 60_000),
    "judged_picture_ms": st.integers(0, 90_000),
    "failed": st.booleans(),
    "exit_before_start": st.booleans(),
}

THRESHOLDS: Final[Mapping[str, tuple[float, float, float]]] = {
    "stalls__bad_ratio": (0.01, 0.02, 0.3),
    "stalls__bad_ratio_min_stall_ms": (1_000, 5_000, 20_000),
    "stalls__burst_count": (2, 3, 6),
    "stalls__long_stall_ms": (8_000, 15_000, 30_000),
    "start__slow_ms": (3_000, 5_000, 9_000),
    "start__very_slow_ms": (9_500, 10_000, 20_000),
    "failure__abandoned_ms": (5_000, 10_000, 60_000),
    "picture__share_of_play": (0.3, 0.5, 0.9),
    "picture__min_play_ms": (10_000, 30_000, 60_000),
    "seeks__slow_ms": (5_000, 10_000, 20_000),
}
"""A laxer figure, that of the policy, and a stricter one."""


@st.composite
def evenings(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.lists(st.fixed_dictionaries({name: st.none() | of for name, of in FIGURES.items()}), max_size=6))
    named = [
        {**row, "session_id": f"session-{number}", "started_at": 0, "ended_at": 1, "clock_skew_ms": 0}
        for number, row in enumerate(rows)
    ]
    known = [
        {**row, "failed": bool(row["failed"]), "exit_before_start": bool(row["exit_before_start"])} for row in named
    ]
    return complete(pl.DataFrame(known, schema_overrides=dict(SESSIONS_WITH_EVIDENCE)), SESSIONS_WITH_EVIDENCE)


def policies(place: int) -> st.SearchStrategy[Policy]:
    """The policy with some thresholds laxer (0) or stricter (2)."""
    return st.sets(st.sampled_from(sorted(THRESHOLDS)), min_size=1).map(
        lambda names: changed(**{f"playback__{name}": THRESHOLDS[name][place] for name in names})
    )


def found(sessions: pl.DataFrame, policy: Policy) -> tuple[Finding, ...]:
    return tuple(findings(sessions.with_columns(judge(sessions, policy.playback)), policy.playback))


@given(sessions=evenings(), policy=policies(2))
@settings(max_examples=60)
def test_stricter_thresholds_find_what_the_detectors_would(sessions: pl.DataFrame, policy: Policy) -> None:
    left = rejudge(found(sessions, POLICY), POLICY, policy)
    assert sorted(left.findings, key=repr) == sorted(found(sessions, policy), key=repr)
    assert left.unsure == 0


@given(sessions=evenings(), policy=policies(0))
@settings(max_examples=30)
def test_laxer_thresholds_find_nothing_that_the_detectors_would_not(sessions: pl.DataFrame, policy: Policy) -> None:
    left = rejudge(found(sessions, POLICY), POLICY, policy).findings
    would = {(each.kind, each.subject.id): each.severity for each in found(sessions, policy)}
    assert {(each.kind, each.subject.id): each.severity for each in left}.items() <= would.items()
    assert len(left) == len(found(sessions, POLICY))


def test_figures_that_do_not_come_to_what_was_found_say_nothing_of_others() -> None:
    odd = replace(stalled("film"), severity=0.9)
    bare = replace(stalled("film"), evidence={})
    left = rejudge((odd, bare), POLICY, changed(playback__stalls__bad_ratio=0.2))
    assert (left.findings, left.unsure) == ((odd, bare), 2)


def test_what_no_threshold_concerns_is_the_same_object() -> None:
    known = (stalled("film"), gone_wrong("parcel", "late"))
    left = rejudge(known, POLICY, changed(refund__rental__slow_start={"mild": 1, "moderate": 2, "severe": 3}))
    assert [id(each) for each in left.findings] == [id(each) for each in known]


@pytest.mark.parametrize(
    ("name", "value", "finds_more", "needs_telemetry"),
    [
        ("playback__stalls__bad_ratio", 0.01, True, False),
        ("playback__stalls__bad_ratio", 0.03, False, False),
        ("playback__start__very_slow_ms", 9_000, False, False),
        ("playback__stalls__burst_window_ms", 1, False, True),
        ("playback__timeline__seek_grace_ms", 1, False, True),
        ("delivery__late__grace", 1, False, False),
        ("delivery__merchant_country", "DE", False, True),
        ("goods__late__moderate_from_days", 2, False, False),
    ],
)
def test_a_change_says_whether_findings_can_answer_it(
    name: str,
    value: object,
    finds_more: object,
    needs_telemetry: object,
) -> None:
    (change,) = changes(POLICY, changed(**{name: value}))
    assert (change.name, change.after) == (name.replace("__", "."), value)
    assert (change.finds_more, change.needs_telemetry) == (finds_more, needs_telemetry)


def test_how_long_something_is_kept_is_no_change() -> None:
    assert changes(POLICY, changed(retention__evidence=700)) == ()


def test_a_currency_that_one_policy_lacks_is_a_change() -> None:
    without = POLICY.model_dump(mode="json")["currencies"]
    del without["USD"]
    assert Changed("currencies.USD.minimum", 50, None) in changes(POLICY, changed(currencies=without))
