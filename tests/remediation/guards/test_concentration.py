import pytest

from detectors.incidents.cohorts import Lane
from remediation.guards.figures import Figures, Group, Judged
from tests.remediation.guards.nights import a_group, a_night, reasons, weeks

USUAL = (a_group("5.1", 3_600, 36), a_group("5.0", 400, 4))


def flagging(*groups: Group, flagged: int = 79) -> Figures:
    """Four thousand sessions with fewer flags in all than would hold the night."""
    return a_night(sessions=Judged(4_000, flagged), groups=groups)


@pytest.mark.parametrize(
    ("groups", "held"),
    [
        pytest.param(USUAL, "", id="as usual"),
        pytest.param((a_group("5.1", 3_600, 40), a_group("5.0", 400, 39)), "5.0", id="a small version goes wrong"),
        pytest.param((a_group("5.1", 3_600, 40), a_group("6.0", 100, 39)), "6.0", id="a version never seen before"),
        pytest.param((a_group("5.1", 3_600, 40), a_group("6.0", 100, 19)), "", id="a handful"),
        pytest.param((a_group("5.1", 3_600, 60), a_group("6.0", 1_000, 19)), "", id="a new version like all others"),
        pytest.param((a_group("5.1", 3_600, 40), a_group("5.0", 900, 36)), "", id="four times its usual share"),
        pytest.param((a_group("5.1", 3_600, 40), a_group("5.0", 900, 37)), "5.0", id="more than four times"),
        pytest.param(
            (a_group("5.1", 3_600, 40), a_group("6.0", 900, 37)), "6.0", id="more than four times that of all"
        ),
    ],
)
def test_one_value_with_too_much_of_what_failed_is_held_and_named(groups: tuple[Group, ...], held: str) -> None:
    found = reasons(flagging(*groups), weeks(groups=USUAL))
    assert list(found) == ([f"concentration app version {held}"] if held else [])


def test_a_large_version_is_held_by_its_own_history() -> None:
    usual = (a_group("5.1", 2_400, 6), a_group("5.0", 1_600, 34))
    tonight = (a_group("5.1", 2_400, 76), a_group("5.0", 1_600, 3))
    assert list(reasons(flagging(*tonight), weeks(groups=usual))) == ["concentration app version 5.1"]


def test_a_value_that_was_always_bad_is_usual() -> None:
    usual = (a_group("old-tv", 300, 30, "device"), a_group("tv", 3_700, 10, "device"))
    assert reasons(flagging(*usual, flagged=40), weeks(groups=usual)) == {}


def test_a_few_sessions_say_nothing_of_what_is_usual() -> None:
    hardly_used = weeks(groups=(a_group("5.0", 19, 10),))
    assert list(reasons(flagging(a_group("5.0", 900, 40)), hardly_used)) == ["concentration app version 5.0"]
    assert reasons(flagging(a_group("5.0", 900, 40)), weeks(groups=(a_group("5.0", 20, 10),))) == {}


def test_a_second_fault_elsewhere_does_not_hide_the_first() -> None:
    one = (a_group("5.0", 400, 39), a_group("cdn-b", 400, 4, "cdn"))
    both = (a_group("5.0", 400, 39), a_group("cdn-b", 400, 39, "cdn"))
    first = reasons(flagging(*one), weeks(groups=USUAL))
    second = reasons(flagging(*both), weeks(groups=USUAL))
    assert first.keys() < second.keys()
    assert second.keys() == {"concentration app version 5.0", "concentration CDN cdn-b"}


def test_a_value_that_hardly_matters_for_the_night_is_not_held() -> None:
    large = weeks(sessions=Judged(400_000, 4_000), groups=())
    tonight = a_night(sessions=Judged(400_000, 4_000), groups=(a_group("isp-9", 200, 60, "isp"),))
    assert reasons(tonight, large) == {}


def test_what_nearly_everything_shares_is_judged_as_the_night_itself() -> None:
    usual = weeks(groups=(a_group("web", 3_800, 4, "device"),), sessions=Judged(4_000, 50))
    for units, held in ((3_800, False), (3_799, True)):
        tonight = a_night(sessions=Judged(4_000, 133), groups=(a_group("web", units, 132, "device"),))
        assert (list(reasons(tonight, usual)) == ["concentration device web"]) is held


@pytest.mark.parametrize(
    ("lane", "dimension", "value", "said"),
    [
        pytest.param("playback", "content_id", "casablanca", "sessions with title casablanca", id="a title"),
        pytest.param("playback", "country", "JP", "sessions with country JP", id="a country"),
        pytest.param(
            "delivery", "carrier+depot", "usps / RENO, NV", "parcels with depot usps / RENO, NV", id="a depot"
        ),
    ],
)
def test_without_history_the_ceiling_holds_one_value(lane: Lane, dimension: str, value: str, said: str) -> None:
    lines = Judged(4_000, 190)
    for units, held in ((400, True), (4_000, False)):
        tonight = a_night(sessions=lines, order_lines=lines, groups=(a_group(value, units, 100, dimension, lane),))
        reason = reasons(tonight, []).get(f"concentration {said.split(' with ')[1]}", "")
        assert (f"100 of {units:,} {said} were flagged" in reason) is held


def test_without_history_a_small_night_has_no_parts() -> None:
    depot = a_group("usps / SPARKS, NV", 60, 50, "carrier+depot", "delivery")
    tonight = a_night(order_lines=Judged(300, 50), sessions=Judged(0, 0), groups=(depot,))
    assert reasons(tonight, []) == {}


def test_of_each_dimension_only_the_value_that_stands_out_most_is_named() -> None:
    bad = [a_group(f"film-{number}", 100, 40 + number, "content_id") for number in range(9)]
    found = reasons(flagging(*bad, a_group("cdn-b", 400, 39, "cdn")), weeks(groups=USUAL))
    assert found.keys() == {"concentration title film-8", "concentration CDN cdn-b"}


def test_a_value_from_the_telemetry_stays_in_its_sentence() -> None:
    found = reasons(flagging(a_group("6.0\n\x1b[2J", 100, 39)), weeks(groups=USUAL))
    assert all("\n" not in reason and "\x1b" not in reason for reason in found.values())
    assert len(found) == 1
