"""How far a stream is: by its records, over all its parts, and never by when they were read."""

import polars as pl
import pytest

from detectors.playback.rules import SKEW_TOLERANCE_MS
from pipelines.streaming.clock import SourceClock, stream_times

EVENING = 1_795_284_000_000  # 2026-11-21T18:00:00Z
HOUR = 3_600_000
DISORDER, IDLE = 10_000, 5_000


def a_clock(watermark: int | None = None, newest: int | None = None) -> SourceClock:
    return SourceClock(DISORDER, IDLE, watermark, newest)


def times_of(*records: tuple[int, int | None]) -> list[int]:
    columns = {"event_time": [own for own, _ in records], "received_at": [received for _, received in records]}
    return stream_times(pl.DataFrame(columns, schema={"event_time": pl.Int64, "received_at": pl.Int64})).to_list()


@pytest.mark.parametrize(
    ("own", "received", "expected"),
    [
        pytest.param(0, 2_000, 0, id="a minute on the way is transport"),
        pytest.param(0, SKEW_TOLERANCE_MS, 0, id="at the tolerance"),
        pytest.param(48 * HOUR, 0, 0, id="a clock two days ahead"),
        pytest.param(0, 5 * HOUR, 5 * HOUR, id="kept back for hours"),
        pytest.param(7, None, 7, id="received nobody knows when"),
    ],
)
def test_a_record_belongs_to_its_own_time_unless_its_clock_is_wrong(
    own: int, received: int | None, expected: int
) -> None:
    arrived = None if received is None else EVENING + received
    assert times_of((EVENING + own, arrived)) == [EVENING + expected]


def test_scans_and_contacts_have_their_own_time_alone() -> None:
    assert stream_times(pl.DataFrame({"event_time": [EVENING]})).to_list() == [EVENING]


def test_the_part_that_is_furthest_behind_decides() -> None:
    clock = a_clock()
    clock.heard("a", EVENING + 60_000, EVENING + HOUR)
    clock.heard("b", EVENING, EVENING + HOUR)

    assert clock.watermark() == EVENING - DISORDER


def test_a_part_of_which_nothing_was_read_holds_everything() -> None:
    clock = a_clock()
    clock.heard("a", EVENING, EVENING + HOUR)
    clock.expect("b")
    assert clock.watermark() is None

    clock.heard("b", EVENING + 1, EVENING + HOUR)
    assert clock.watermark() == EVENING - DISORDER


def test_the_watermark_never_runs_back() -> None:
    clock = a_clock()
    clock.heard("a", EVENING + HOUR, EVENING + 2 * HOUR)
    reached = clock.watermark()
    clock.heard("b", EVENING, EVENING + 2 * HOUR)
    clock.heard("a", EVENING, EVENING + 2 * HOUR)

    assert clock.watermark() == reached == EVENING + HOUR - DISORDER


def test_an_idle_part_is_left_out_until_it_speaks() -> None:
    clock, now = a_clock(), EVENING + HOUR
    clock.heard("idle", EVENING, now)
    clock.heard("busy", EVENING + 30_000, now)
    clock.quiet("idle", now)
    clock.quiet("idle", now + IDLE - 1)
    assert clock.watermark() == EVENING - DISORDER

    clock.quiet("idle", now + IDLE)
    assert clock.watermark() == EVENING + 30_000 - DISORDER

    clock.heard("idle", EVENING + 35_000, now + IDLE)
    clock.heard("busy", EVENING + 90_000, now + IDLE)
    assert clock.watermark() == EVENING + 35_000 - DISORDER


def test_a_part_that_nobody_looked_at_is_not_idle() -> None:
    clock, now = a_clock(), EVENING + HOUR
    clock.heard("a", EVENING, now)
    clock.heard("b", EVENING + 30_000, now)
    clock.quiet("a", now)
    clock.heard("b", EVENING + 60_000, now + HOUR)

    assert clock.watermark() == EVENING - DISORDER


def test_something_unread_makes_an_idle_part_count_again() -> None:
    clock, now = a_clock(), EVENING + HOUR
    for at in (now, now + IDLE):
        clock.heard("busy", EVENING, at)
        clock.expect("a")
    clock.quiet("a", now)
    clock.quiet("a", now + IDLE)
    clock.expect("a")

    assert clock.watermark() is None


def test_a_part_with_something_unread_is_not_on_its_way_to_be_idle() -> None:
    clock, now = a_clock(), EVENING + HOUR
    clock.heard("a", EVENING, now)
    clock.heard("b", EVENING + 30_000, now)
    clock.quiet("a", now)
    clock.expect("a")
    clock.quiet("a", now + IDLE)

    assert clock.watermark() == EVENING - DISORDER


def test_when_all_are_idle_time_goes_on_by_the_wall_clock() -> None:
    clock, now = a_clock(), EVENING + HOUR
    clock.heard("a", EVENING, now)
    for at in range(now, now + 60_000, 1_000):
        clock.quiet("a", at)
        clock.look(at)

    assert clock.watermark() == EVENING + 59_000 - DISORDER


def test_no_record_carries_the_stream_beyond_now() -> None:
    clock = a_clock()
    clock.heard("a", EVENING + 48 * HOUR, EVENING)
    assert clock.watermark() == EVENING - DISORDER

    clock.quiet("a", EVENING)
    clock.quiet("a", EVENING + IDLE)
    clock.look(EVENING + IDLE)
    assert clock.watermark() == EVENING + IDLE - DISORDER


def test_a_part_at_its_end_holds_nothing_back() -> None:
    clock = a_clock()
    clock.heard("a", EVENING, EVENING + HOUR)
    clock.heard("b", EVENING + 60_000, EVENING + HOUR)
    clock.forget("a")

    assert clock.watermark() == EVENING + 60_000 - DISORDER


def test_who_goes_on_begins_where_the_other_was_and_counts_no_time_between() -> None:
    clock = a_clock(watermark=EVENING, newest=EVENING + DISORDER)
    assert clock.watermark() == EVENING

    clock.look(EVENING + 100 * HOUR)
    clock.look(EVENING + 100 * HOUR + 2_000)
    assert clock.watermark() == EVENING + 2_000


def test_nobody_can_tell_before_the_first_record() -> None:
    clock = a_clock()
    clock.look(EVENING)
    assert clock.watermark() is None
