from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from detectors import schemas
from detectors.finding import Subject
from detectors.incidents import FAILING, UNITS, Tally, delivery_tally, merged, playback_tally
from tests.detectors.incidents.nights import (
    EVENING,
    a_day,
    a_finding,
    a_night,
    promises_of,
    scans_of,
    sessions_of,
    some,
    spoilt_sessions,
)


def units(tally: Tally, cohort: str, *values: str) -> int:
    first, second = (*values, None)[:2]
    group = (pl.col("cohort") == cohort) & (pl.col("value") == first) & pl.col("second").eq_missing(pl.lit(second))
    return int(tally.units.filter(group)["units"].sum())


def test_a_session_counts_once_in_each_of_its_cohorts() -> None:
    tally = a_night(some(7, 2, cdn="a", isp="x"), some(3, 0, cdn="a", isp="y"))
    assert [units(tally, "cdn", "a"), units(tally, "isp", "x"), units(tally, "cdn+isp", "a", "y")] == [10, 7, 3]
    assert tally.failing.select("kind", "unit_id", "cdn", "isp").rows() == [
        ("playback_stalls", "S-0-0", "a", "x"),
        ("playback_stalls", "S-0-1", "a", "x"),
    ]


def test_a_session_of_several_rows_is_one_with_the_first_value_that_it_named() -> None:
    rows = [
        {"session_id": "S", "started_at": 3, "cdn": "b"},
        {"session_id": "S", "started_at": 1, "cdn": None},
        {"session_id": "S", "started_at": 2, "cdn": "a"},
    ]
    sessions = schemas.complete(pl.DataFrame(rows), schemas.SESSIONS)
    tally = playback_tally(sessions, [a_finding(Subject("session", "S"), "slow_start")])
    assert tally.units.select("cohort", "value", "units").rows() == [("cdn", "a", 1)]
    assert tally.failing["cdn"].to_list() == ["a"]


def test_what_is_not_known_is_in_no_cohort() -> None:
    tally = a_night(some(5, 5, isp="x"))
    assert tally.units["cohort"].to_list() == ["isp"]
    assert tally.failing.height == 5


def test_a_finding_about_something_else_is_left_out() -> None:
    stranger = a_finding(Subject("session", "S-elsewhere"), "slow_start")
    assert playback_tally(sessions_of([some(5, 0, cdn="a")]), [stranger]).failing.is_empty()


def test_partitions_add_up_in_any_order() -> None:
    parts = [some(30, 4, cdn="a", isp="x"), some(50, 1, cdn="b", isp="x"), some(9, 9, cdn="a")]
    sessions, findings = sessions_of(parts), spoilt_sessions(parts)
    mine = pl.col("session_id").hash(7) % 3
    split = [playback_tally(sessions.filter(mine == part), findings) for part in range(3)]
    whole = merged([playback_tally(sessions, findings)])
    for order in (split, split[::-1]):
        assert_frame_equal(merged(order).units, whole.units)
        assert_frame_equal(merged(order).failing, whole.failing, check_row_order=False)


def test_nothing_adds_up_to_nothing() -> None:
    nothing = merged([])
    assert (nothing.units.schema, nothing.failing.schema) == (UNITS, FAILING)
    empty = playback_tally(schemas.SESSIONS.to_frame(), [])
    assert (empty.units.schema, empty.failing.schema) == (UNITS, FAILING)
    no_day = delivery_tally(schemas.PROMISES.to_frame(), schemas.TRACKING.to_frame(), [])
    assert (no_day.units.schema, no_day.failing.schema) == (UNITS, FAILING)


def test_every_depot_on_the_way_had_its_chance_and_the_last_one_has_the_failure() -> None:
    lines = [{"order_line_id": line, "tracking_number": f"T-{line}", "carrier": "UPS"} for line in ("1", "2")]
    scans = [
        {"tracking_number": "T-1", "event_time": EVENING, "depot": "hub"},
        {"tracking_number": "T-1", "event_time": EVENING + 1, "depot": "hub"},
        {"tracking_number": "T-1", "event_time": EVENING + 2, "depot": "town"},
        {"tracking_number": "T-2", "event_time": EVENING, "depot": "hub"},
    ]
    lost = a_finding(Subject("order_line", "2"), "lost", fault="carrier", evidence={"depot": "hub"})
    tally = delivery_tally(promises_of(lines), scans_of(scans), [lost])
    assert units(tally, "carrier+depot", "ups", "hub") == 2
    assert units(tally, "carrier+depot", "ups", "town") == 1
    assert tally.failing.select("unit_id", "carrier", "depot").rows() == [("T-2", "ups", "hub")]


def test_lines_in_one_parcel_are_one_parcel() -> None:
    lines = [
        {"order_line_id": line, "item_id": item, "tracking_number": "T", "carrier": "ups"}
        for line, item in (("1", "cup"), ("2", "cup"), ("3", "pot"))
    ]
    tally = delivery_tally(promises_of(lines), scans_of([]), [])
    assert [units(tally, "carrier", "ups"), units(tally, "item_id", "cup"), units(tally, "item_id", "pot")] == [1, 1, 1]


def test_a_parcel_that_was_never_scanned_counts_for_its_carrier_and_its_item() -> None:
    lines = [{"order_line_id": "1", "item_id": "cup", "carrier": "ups"}]
    lost = a_finding(Subject("order_line", "1"), "lost", fault="carrier", evidence={"depot": None})
    tally = delivery_tally(promises_of(lines), scans_of([]), [lost])
    assert tally.units.select("cohort", "units").rows() == [("carrier", 1), ("item_id", 1)]
    assert tally.failing["unit_id"].to_list() == ["1"]


def test_the_carrier_is_the_booked_one_else_the_one_that_scanned_first() -> None:
    lines: list[dict[str, Any]] = [
        {"order_line_id": "1", "tracking_number": "T-1", "carrier": "UPS"},
        {"order_line_id": "2", "tracking_number": "T-2", "carrier": None},
    ]
    scans = [
        {"tracking_number": "T-1", "event_time": EVENING, "carrier": "fedex"},
        {"tracking_number": "T-2", "event_time": EVENING + 1, "carrier": "fedex"},
        {"tracking_number": "T-2", "event_time": EVENING, "carrier": "USPS"},
    ]
    tally = delivery_tally(promises_of(lines), scans_of(scans), [])
    assert tally.units.filter(pl.col("cohort") == "carrier")["value"].sort().to_list() == ["ups", "usps"]


def test_a_depot_without_a_carrier_is_named_alone() -> None:
    tally = a_day(some(2, 1, depot="hub"), some(3, 0, carrier="ups", depot="hub"))
    assert [units(tally, "depot", "hub"), units(tally, "carrier+depot", "ups", "hub")] == [2, 3]


def test_what_nobody_can_mend_is_no_failure_and_a_wrong_item_is_not_the_carriers() -> None:
    there = {"carrier": "ups", "depot": "hub", "item_id": "cup"}
    tally = a_day(
        some(2, 2, "returned", "consignee", **there),
        some(2, 2, "late", "weather", **there),
        some(2, 2, "late", "customs", **there),
        some(2, 1, "wrong_item", "merchant", **there),
    )
    assert tally.failing.select("kind", "carrier", "depot", "item_id").rows() == [("wrong_item", None, None, "cup")]
    assert units(tally, "carrier", "ups") == 8
