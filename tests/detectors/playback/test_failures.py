"""The standard at its edges: one figure below it is no failure, at it is one, and worse is never milder."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import schemas
from detectors.finding import Finding
from detectors.playback.failures import findings, judge, standards
from detectors.playback.sessions import sessionize
from tests.detectors.playback.evenings import RULES, a_course, frame, heartbeats
from tests.detectors.playback.reference import Record

Figure = int | float | bool | str | None

USUAL: dict[str, Figure] = {
    "session_id": "s",
    "started_at": 1_000_000,
    "ended_at": 1_600_000,
    "startup_ms": 900,
    "stall_count": 0,
    "stall_ms": 0,
    "longest_stall_ms": 0,
    "long_stall_count": 0,
    "worst_window_stall_count": 0,
    "device_stall_count": 0,
    "stall_after_seek_ms": 0,
    "watched_ms": 600_000,
    "played_ms": 590_000,
    "low_picture_ms": 0,
    "judged_picture_ms": 590_000,
    "failed": False,
    "exit_before_start": False,
    "server_error_count": 0,
    "clock_skew_ms": 0,
}


def a_session(**figures: Figure) -> pl.DataFrame:
    """A session with nothing wrong but what is named."""
    session = schemas.complete(pl.DataFrame([USUAL | figures]), schemas.SESSIONS_WITH_EVIDENCE)
    return session.with_columns(judge(session, RULES))


def kinds(session: pl.DataFrame) -> list[str]:
    found: list[str] = session["failures"].to_list()[0]
    return found


def the_finding(session: pl.DataFrame) -> Finding:
    (finding,) = findings(session, RULES)
    return finding


@pytest.mark.parametrize(
    ("figures", "kind"),
    [
        pytest.param({"stall_ms": 12_000}, "playback_stalls", id="a fiftieth of the watched time"),
        pytest.param({"worst_window_stall_count": 3}, "playback_stalls", id="three in five minutes"),
        pytest.param({"longest_stall_ms": 15_000}, "playback_stalls", id="one long stall"),
        pytest.param({"startup_ms": 5_000}, "slow_start", id="a slow start"),
        pytest.param({"failed": True}, "playback_failed", id="failed"),
        pytest.param({"exit_before_start": True, "watched_ms": 10_000}, "playback_failed", id="gave up"),
        pytest.param({"low_picture_ms": 295_000}, "low_quality", id="half of it low"),
        pytest.param({"stall_after_seek_ms": 10_000}, "slow_seeks", id="slow seeks"),
    ],
)
def test_at_the_threshold_it_is_a_failure(figures: dict[str, Figure], kind: str) -> None:
    assert kinds(a_session(**figures)) == [kind]


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({}, id="nothing wrong"),
        pytest.param({"stall_ms": 11_999}, id="less than a fiftieth"),
        pytest.param({"stall_ms": 4_999, "watched_ms": 30_000}, id="a large share of a short visit"),
        pytest.param({"worst_window_stall_count": 2, "longest_stall_ms": 14_999}, id="two stalls, neither long"),
        pytest.param({"startup_ms": 4_999}, id="a start just in time"),
        pytest.param({"exit_before_start": True, "watched_ms": 9_999}, id="gave up soon"),
        pytest.param({"low_picture_ms": 29_000, "judged_picture_ms": 29_999}, id="too short to judge"),
        pytest.param({"low_picture_ms": 294_999}, id="low for less than half"),
        pytest.param({"stall_after_seek_ms": 9_999}, id="seeks that wait a little"),
        pytest.param(
            dict.fromkeys(("stall_count", "stall_ms", "longest_stall_ms", "worst_window_stall_count", "watched_ms")),
            id="stalls unknown",
        ),
        pytest.param(
            dict.fromkeys(("startup_ms", "low_picture_ms", "judged_picture_ms")), id="start and picture unknown"
        ),
    ],
)
def test_below_the_threshold_or_unknown_it_is_none(figures: dict[str, Figure]) -> None:
    assert kinds(a_session(**figures)) == []
    assert list(findings(a_session(**figures), RULES)) == []


SCRUBBING = "0 starting, 1 playing, 20 seeking, 21 playing, 30 seeking, 33 playing, 50 seeking, 54 playing"
PAUSING = "0 playing, 8 paused, 16 playing, 24 paused, 25 playing, 33 paused, 40 playing, 41 paused"
HIDDEN = "0 starting, 1 playing, 30 stalled background=yes, 60 playing background=no"
BAD_LINE = (
    "0 starting, 1 playing, 10 seeking, 12 playing, 20 stalled, 22 playing, 30 stalled, 33 seeking, 34 playing, "
    "44 stalled, 47 playing"
)


@pytest.mark.parametrize(
    "course",
    [
        pytest.param(heartbeats(80, SCRUBBING), id="scrubbing"),
        pytest.param(heartbeats(80, PAUSING), id="pausing often"),
        pytest.param(heartbeats(90, HIDDEN), id="a tab in the background"),
        pytest.param(heartbeats(300, "0 starting, 1 playing"), id="a killed app"),
        pytest.param(a_course("0 starting, 1.2 playing, 3 stalled, 5 quit"), id="a short visit"),
    ],
)
def test_the_viewers_own_doing_is_no_failure(course: list[Record]) -> None:
    assert sessionize(frame(course), RULES).sessions["failures"].to_list() == [[]]


def test_scrubbing_on_a_bad_line_is_one() -> None:
    (failures,) = sessionize(frame(heartbeats(60, BAD_LINE)), RULES).sessions["failures"].to_list()
    assert failures == ["playback_stalls"]


def test_a_finding_tells_when_on_the_servers_clock_and_on_what_it_rests() -> None:
    stalled = a_session(
        stall_count=3,
        worst_window_stall_count=3,
        stall_ms=250_000,
        first_fault_at=1_100_000,
        last_fault_at=1_400_000,
        clock_skew_ms=3_600_000,
        customer_id="c1",
    )
    finding = the_finding(stalled)
    assert (finding.occurred_from, finding.occurred_to) == (4_700_000, 5_000_000)
    assert (finding.evidence["stall_count"], finding.evidence["stall_ms"]) == (3, 250_000)
    assert (finding.subject.id, finding.customer_id, finding.fault) == ("s", "c1", "unknown")


@pytest.mark.parametrize(
    ("figures", "fault"),
    [
        ({"server_error_count": 1}, "cdn"),
        ({"device_stall_count": 2, "stall_count": 3}, "device"),
        ({"device_stall_count": 1, "stall_count": 3}, "unknown"),
    ],
)
def test_blame(figures: dict[str, Figure], fault: str) -> None:
    assert the_finding(a_session(longest_stall_ms=20_000, **figures)).fault == fault


def test_two_rows_of_one_session_id_make_one_finding_of_the_worse() -> None:
    rows = pl.concat([a_session(longest_stall_ms=20_000), a_session(longest_stall_ms=60_000, started_at=9_000_000)])
    assert the_finding(rows).evidence["longest_stall_ms"] == 60_000


def test_no_figure_makes_a_worse_session_milder() -> None:
    assert the_finding(a_session(startup_ms=5_000)).severity == 0
    assert the_finding(a_session(failed=True, played_ms=0)).severity == 1


WORSE = {
    "playback_stalls": ("stall_ms", "longest_stall_ms", "worst_window_stall_count"),
    "slow_start": ("startup_ms",),
    "low_quality": ("low_picture_ms",),
    "slow_seeks": ("stall_after_seek_ms",),
}


@given(
    st.sampled_from([(kind, name) for kind, names in WORSE.items() for name in names]),
    st.integers(0, 500_000),
    st.integers(0, 90_000),
)
def test_severity_never_falls_as_a_figure_grows(case: tuple[str, str], figure: int, more: int) -> None:
    kind, name = case
    (standard,) = (each for each in standards(RULES) if each.kind == kind)
    both = pl.concat([a_session(**{name: figure}), a_session(**{name: figure + more})])
    less, worse = both.select(s=pl.when(standard.when).then(standard.severity).otherwise(0.0))["s"].to_list()
    assert 0 <= less <= worse <= 1
