import pytest

from remediation.guards.figures import Judged
from tests.remediation.guards.nights import a_night, reasons, weeks


@pytest.mark.parametrize(
    ("usual", "tonight", "held"),
    [
        pytest.param(Judged(4_000, 40), Judged(4_000, 120), False, id="three times the usual share"),
        pytest.param(Judged(4_000, 40), Judged(4_000, 121), True, id="more than three times"),
        pytest.param(Judged(4_000, 40), Judged(12_000, 360), False, id="three times as many sessions"),
        pytest.param(Judged(4_000, 4), Judged(4_000, 80), False, id="two per cent, however little is usual"),
        pytest.param(Judged(4_000, 4), Judged(4_000, 81), True, id="more than two per cent there"),
        pytest.param(Judged(4_000, 100), Judged(4_000, 201), True, id="five per cent, however much is usual"),
        pytest.param(Judged(100, 1), Judged(100, 19), False, id="a handful in a small service"),
        pytest.param(Judged(100, 1), Judged(100, 20), True, id="more than a handful there"),
    ],
)
def test_so_many_flagged_sessions_are_held(usual: Judged, tonight: Judged, held: bool) -> None:  # noqa: FBT001
    found = reasons(a_night(sessions=tonight, groups=()), weeks(sessions=usual))
    assert (list(found) == ["sessions"]) is held


@pytest.mark.parametrize(
    ("tonight", "held"),
    [
        pytest.param(Judged(10, 5), False, id="a fixture"),
        pytest.param(Judged(999, 400), False, id="hundreds"),
        pytest.param(Judged(1_000, 50), False, id="five per cent"),
        pytest.param(Judged(1_000, 51), True, id="more than five per cent"),
        pytest.param(Judged(5_000, 2_000), True, id="forty per cent of thousands"),
    ],
)
def test_without_history_the_ceiling_alone_stops_a_storm(tonight: Judged, held: bool) -> None:  # noqa: FBT001
    for released in ([], [a_night(-2), a_night(-1)]):
        assert ("sessions" in reasons(a_night(sessions=tonight), released)) is held


@pytest.mark.parametrize(
    ("usual", "tonight", "held"),
    [
        pytest.param(Judged(3_000, 90), Judged(3_000, 225), False, id="two and a half times the usual share"),
        pytest.param(Judged(3_000, 90), Judged(3_000, 226), True, id="more than that"),
        pytest.param(Judged(3_000, 300), Judged(3_000, 601), True, id="twenty per cent, however much is usual"),
    ],
)
def test_so_many_flagged_order_lines_are_held(usual: Judged, tonight: Judged, held: bool) -> None:  # noqa: FBT001
    assert ("order_lines" in reasons(a_night(order_lines=tonight), weeks(order_lines=usual))) is held


def test_a_burning_depot_in_a_first_small_night_is_not_held() -> None:
    assert reasons(a_night(order_lines=Judged(300, 50), sessions=Judged(0, 0), groups=()), []) == {}


@pytest.mark.parametrize(
    ("subject", "usual", "most"),
    [
        pytest.param("rejected", 400, 4_000, id="rejected: one per cent"),
        pytest.param("rejected", 4_000, 12_000, id="rejected: three times the usual"),
        pytest.param("rejected", 16_000, 20_000, id="rejected: never above five per cent"),
        pytest.param("late", 1_600, 8_000, id="late: two per cent"),
        pytest.param("late", 40_000, 80_000, id="late: never above twenty per cent"),
        pytest.param("duplicate", 20_000, 80_000, id="duplicate: twenty per cent"),
        pytest.param("duplicate", 80_000, 160_000, id="duplicate: twice the usual"),
    ],
)
def test_so_many_records_out_of_order_are_held(subject: str, usual: int, most: int) -> None:
    released = weeks(**{subject: usual})
    assert reasons(a_night(**{subject: most}), released) == {}
    assert list(reasons(a_night(**{subject: most + 1}), released)) == [f"records {subject}"]


def test_a_few_bad_records_of_a_few_are_no_storm() -> None:
    assert reasons(a_night(records=900, rejected=300, late=300, duplicate=300), []) == {}


def test_the_reason_says_how_many_of_what_kind_and_what_is_usual() -> None:
    tonight = a_night(
        sessions=Judged(1_000, 412),
        findings_by_kind={"slow_start": 1_100, "playback_failed": 390, "lost": 5},
        groups=(),
    )
    assert reasons(tonight, weeks(sessions=Judged(1_000, 21)))["sessions"] == (
        "412 of 1,000 sessions were flagged (41.2 %: slow start 1,100 and playback failed 390); the median of 14"
        " released nights is 2.1 %, and the limit is 5.0 %: so many are not let down unless the whole service was, so"
        " look for a fault in the telemetry first."
    )


def test_a_night_without_sessions_has_no_share() -> None:
    nothing = a_night(sessions=Judged(0, 0), groups=(), records=0, rejected=0, late=0, duplicate=0)
    assert reasons(nothing, weeks()) == {}
    assert reasons(a_night(), weeks(sessions=Judged(0, 0))) == {}
