import pytest

from remediation.guards.figures import Figures, Judged, SourceFigures
from tests.remediation.guards.nights import DAY, FIRST, a_night, a_source, reasons, weeks, with_sources

BEACONS, SCANS = "beacons-#.jsonl", "scans-#.jsonl"


def scans(records: int = 2_000, files: int = 1) -> SourceFigures:
    return a_source("telemetry", SCANS, records, files)


def usual(*sources: SourceFigures, nights: int = 21) -> list[Figures]:
    return [with_sources(day, *sources) for day in range(-nights, 0)]


def test_a_source_that_always_came_is_missed() -> None:
    found = reasons(with_sources(0, a_source()), usual(a_source(), scans()))
    assert list(found) == [f"sources telemetry {SCANS}"]
    assert f"telemetry source {SCANS} is missing tonight, where usually 2,000 records come" in found.popitem()[1]


def test_an_empty_source_is_as_bad_as_a_missing_one() -> None:
    found = reasons(with_sources(0, a_source(), scans(0)), usual(a_source(), scans()))
    assert list(found) == [f"sources telemetry {SCANS}"]
    assert "is empty tonight" in found.popitem()[1]


@pytest.mark.parametrize("nights", [0, 1, 2, 3, 21])
def test_a_source_that_was_never_seen_with_anything_in_it_must_not_be_empty(nights: int) -> None:
    assert f"sources telemetry {SCANS}" in reasons(
        with_sources(0, a_source(), scans(0)), usual(a_source(), nights=nights)
    )


@pytest.mark.parametrize(("records", "held"), [(9, False), (10, True)])
def test_a_nearly_empty_source_may_be_empty(records: int, held: bool) -> None:  # noqa: FBT001
    found = reasons(with_sources(0, a_source(), scans(0)), usual(a_source(), scans(records)))
    assert bool(found) is held


def test_what_came_on_some_nights_only_is_not_expected() -> None:
    sometimes = [with_sources(day, a_source(), *[scans()] * (day % 2)) for day in range(-14, 0)]
    assert reasons(with_sources(0, a_source()), sometimes) == {}


def test_one_released_night_without_it_does_not_make_a_source_dispensable() -> None:
    once = [with_sources(day, a_source(), *[scans()] * (day != -1)) for day in range(-14, 0)]
    assert list(reasons(with_sources(0, a_source()), once)) == [f"sources telemetry {SCANS}"]


def test_what_stopped_coming_long_ago_is_not_expected() -> None:
    ended = [with_sources(day, a_source(), *[scans()] * (day < -14)) for day in range(-60, 0)]
    assert reasons(with_sources(0, a_source()), ended) == {}


@pytest.mark.parametrize(
    ("records", "held"),
    [
        pytest.param(199_999, True, id="less than half"),
        pytest.param(200_000, False, id="half"),
        pytest.param(720_000, False, id="not yet twice"),
        pytest.param(720_001, True, id="all but twice"),
    ],
)
def test_a_source_far_from_its_usual_size_is_held(records: int, held: bool) -> None:  # noqa: FBT001
    found = reasons(with_sources(0, a_source(records=records)), usual(a_source()))
    assert (list(found) == [f"sources telemetry {BEACONS}"]) is held


@pytest.mark.parametrize(("records", "held"), [(1, False), (1_000, False), (1_001, True)])
def test_a_small_source_varies(records: int, held: bool) -> None:  # noqa: FBT001
    assert bool(reasons(with_sources(0, scans(records)), usual(scans(400)))) is held


def test_a_saturday_is_compared_with_saturdays() -> None:
    def night(day: int) -> Figures:
        return with_sources(day, a_source(records=1_000_000 if day % 7 == 0 else 400_000))

    released = [night(day) for day in range(-28, 0)]
    assert reasons(night(0), released) == {}
    on_tuesday = with_sources(2, a_source(records=1_000_000))
    assert list(reasons(on_tuesday, [*released, night(0), night(1)])) == [f"sources telemetry {BEACONS}"]


@pytest.mark.parametrize("later", [-3_600_000, 3_600_000])
def test_an_hour_earlier_or_later_is_still_the_same_weekday(later: int) -> None:
    sizes = {day: a_source(records=1_000_000 if day % 7 == 0 else 400_000) for day in range(-28, 0)}
    released = [a_night(day, as_of=FIRST + day * DAY + later, sources=(sizes[day],)) for day in sizes]
    assert reasons(with_sources(0, a_source(records=1_000_000)), released) == {}


@pytest.mark.parametrize(("files", "held"), [(23, True), (24, False), (48, True)])
def test_a_source_in_more_or_fewer_files_than_always_is_held(files: int, held: bool) -> None:  # noqa: FBT001
    found = reasons(with_sources(0, a_source(files=files)), usual(a_source(files=24)))
    assert (list(found) == [f"sources telemetry {BEACONS}"]) is held
    assert all("always in 24 files" in reason for reason in found.values())


def test_a_source_whose_files_vary_may_vary() -> None:
    varying = [with_sources(day, a_source(files=24 + day % 2)) for day in range(-14, 0)]
    assert reasons(with_sources(0, a_source(files=23)), varying) == {}


@pytest.mark.parametrize(("role", "name"), [("orders", "orders.jsonl"), ("grants", "grants.jsonl")])
def test_half_an_order_book_is_held(role: str, name: str) -> None:
    whole = a_source(role, name, 5_000)  # type: ignore[arg-type]
    half = a_source(role, name, 2_400)  # type: ignore[arg-type]
    assert list(reasons(with_sources(0, a_source(), half), usual(a_source(), whole))) == [f"sources {role} {name}"]


@pytest.mark.parametrize(("lines", "held"), [(1_500, False), (1_499, True)])
def test_order_lines_do_not_halve_overnight(lines: int, held: bool) -> None:  # noqa: FBT001
    found = reasons(a_night(order_lines=Judged(lines, 0)), weeks(order_lines=Judged(3_000, 0)))
    assert (list(found) == ["order_book"]) is held


def test_two_nights_are_no_history() -> None:
    assert reasons(with_sources(0, a_source(records=2_000)), usual(a_source(), scans(), nights=2)) == {}
    assert reasons(with_sources(0, a_source(files=3)), usual(a_source(files=2), nights=2)) == {}
    assert reasons(a_night(order_lines=Judged(5, 0)), weeks()[-2:]) == {}
