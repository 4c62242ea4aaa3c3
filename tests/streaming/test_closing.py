"""When a session of a stream is over, by its records alone."""

from dataclasses import replace
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from detectors.playback.sessions import sessionize
from detectors.schemas import Channel
from pipelines.batches import pack, unpack
from pipelines.streaming import waiting as waiting_module
from pipelines.streaming.closing import Closed, earliest_due
from pipelines.streaming.waiting import Waiting
from tests.detectors.playback.evenings import RULES, a_course, frame
from tests.detectors.playback.reference import Record
from tests.detectors.playback.visits import EVENING, a_bad_visit
from tests.streaming.flowing import PATIENCE, Flow, arriving, blocks
from tests.support.examples import first_of

SECOND, MINUTE = 1_000, 60_000
LATENESS, GAP = PATIENCE.lateness_ms, PATIENCE.gap_ms


def closing(records: list[Record], at: int, waiting: Waiting | None = None) -> Closed:
    return (waiting or Waiting(PATIENCE)).close(frame(records), at)


def record(second: int, state: str | None = None, session_id: str = "s", channel: int = Channel.BEACON) -> Record:
    return Record(session_id, second * SECOND, channel, state=state)


def test_a_session_that_ended_closes_when_the_lateness_is_over() -> None:
    visit = [record(0, "playing"), record(60, "ended")]
    due = 60 * SECOND + LATENESS

    assert closing(visit, due - PATIENCE.tick_ms).closed.is_empty()
    assert closing(visit, due - PATIENCE.tick_ms).due == due
    assert closing(visit, due).closed.height == 2
    assert closing(visit, due).kept.is_empty()
    assert closing(visit, due).due is None


@pytest.mark.parametrize("end", ["ended", "failed", "quit"])
def test_each_way_to_end_is_an_end(end: str) -> None:
    assert closing([record(0, end)], LATENESS).closed.height == 1


def test_a_session_without_an_end_closes_after_the_gap_and_the_lateness() -> None:
    visit = [record(0, "playing"), record(60)]
    due = 60 * SECOND + GAP + LATENESS

    assert closing(visit, due - 1).closed.is_empty()
    assert closing(visit, due).closed.height == 2


def test_a_report_after_the_end_keeps_the_session_open() -> None:
    visit = [record(0, "ended"), record(10, "playing")]

    assert closing(visit, 10 * SECOND + LATENESS).closed.is_empty()


def test_of_several_ends_the_last_one_counts() -> None:
    visit = [record(0, "ended"), record(10, "playing"), record(20, "ended")]

    assert closing(visit, 10 * SECOND + LATENESS).closed.is_empty()
    assert closing(visit, 20 * SECOND + LATENESS).closed.height == 3


def test_where_the_end_and_another_report_carry_one_time_the_end_is_the_last_word() -> None:
    assert closing([record(10, "ended"), record(10, "playing")], 10 * SECOND + LATENESS).closed.height == 2


def test_a_request_that_is_logged_after_the_end_does_not_keep_the_session_open() -> None:
    visit = [record(0, "ended"), record(10, channel=Channel.ACCESS_LOG)]

    assert closing(visit, 10 * SECOND + LATENESS).closed.height == 2


def test_sessions_close_at_whole_ticks_whatever_else_closes() -> None:
    odd = [replace(record(0, "ended"), event_time=1)]

    assert closing(odd, LATENESS).due == LATENESS + PATIENCE.tick_ms
    assert closing(odd, LATENESS + PATIENCE.tick_ms).closed.height == 1


def test_a_row_that_follows_a_closed_session_within_the_gap_is_a_stray() -> None:
    waiting = Waiting(PATIENCE)
    closing([record(0, "ended")], LATENESS, waiting)

    later = closing([record(300, "playing"), record(5, "playing", "another")], LATENESS + 5 * MINUTE, waiting)

    assert later.strays["session_id"].to_list() == ["s"]
    assert later.kept["session_id"].to_list() == ["another"]
    assert later.oldest == 5 * SECOND


def test_the_same_id_after_the_gap_is_another_visit() -> None:
    waiting = Waiting(PATIENCE)
    closing([record(0, "ended")], LATENESS, waiting)

    later = closing([record(GAP // SECOND + 1, "playing")], LATENESS + 5 * MINUTE, waiting)

    assert later.strays.is_empty()
    assert later.kept.height == 1


def test_closed_sessions_are_remembered_only_while_strays_could_be_in_time() -> None:
    waiting = Waiting(PATIENCE)
    closing([record(0, "ended")], LATENESS, waiting)

    closing([], GAP + LATENESS - 1, waiting)
    assert closing([record(1, "playing")], GAP + LATENESS, waiting).strays.height == 1
    assert closing([record(1, "playing")], GAP + LATENESS, waiting).strays.is_empty()


def test_of_a_session_that_waits_only_its_own_rows_close() -> None:
    waiting = Waiting(PATIENCE)
    closing([record(0, "playing"), record(0, "playing", "another")], LATENESS, waiting)
    closing([record(30), record(40, session_id="another")], LATENESS, waiting)

    closed = closing([record(60, "ended"), record(60, session_id="another")], LATENESS + MINUTE, waiting).closed

    assert closed.sort("event_time").select("session_id", "event_time", "state").rows() == [
        ("s", 0, "playing"),
        ("s", 30 * SECOND, None),
        ("s", 60 * SECOND, "ended"),
    ]


def test_rows_of_several_forms_wait_together() -> None:
    waiting = Waiting(PATIENCE)
    bare = frame([record(0, "playing")]).drop("bitrate_kbps", "state")
    categorical = frame([record(5, "ended")]).with_columns(pl.col("session_id").cast(pl.Categorical))
    waiting.close(bare, LATENESS)

    closed = waiting.close(unpack([pack(categorical)]), LATENESS + 5 * SECOND).closed

    assert closed.sort("event_time")["state"].to_list() == [None, "ended"]


def test_nothing_is_due_without_events() -> None:
    assert earliest_due(frame([]), PATIENCE) is None


def test_a_batch_is_never_due_before_it_is_looked_at() -> None:
    for seed in range(20):
        visit = a_bad_visit(seed)
        due = closing(visit, 0).due
        assert due is not None
        assert (earliest_due(frame(visit), PATIENCE) or 0) <= due


def many_visits(random: Random) -> list[Record]:
    """Bad evenings one after the other; some players say no end, some clocks are days ahead, some come offline."""
    records: list[Record] = []
    for number in range(30):
        visit = a_bad_visit(number, stalls=random.randint(0, 6), session_id=f"s-{number}", at=EVENING + number * 40_000)
        if number % 4 == 1:
            visit = visit[:-1]
        if number % 5 == 2:
            hours = random.choice([-48, -3, 3, 48])
            visit = [replace(each, event_time=each.event_time + hours * 60 * MINUTE) for each in visit]
        if number % 3 == 0:
            visit = [*visit, *random.choices(visit, k=3)]
        records += visit
    return records


@pytest.mark.parametrize("seed", first_of(3, range(8)))
def test_sessions_of_a_stream_are_those_of_a_night(seed: int) -> None:
    random = Random(seed)  # noqa: S311 a reproducible evening
    events = frame(many_visits(random))
    arrived = arriving(events, random, disorder_ms=LATENESS // 2)
    flow = Flow()
    for block in blocks(arrived, [random.randint(1, 200) for _ in range(5)]):
        flow.block(block)

    assert_frame_equal(flow.ended().sessions, sessionize(events, RULES).sessions)
    assert not pl.concat([*flow.late, *flow.strays]).height


def test_what_the_engine_keeps_is_enough_to_go_on() -> None:
    random = Random(1)  # noqa: S311 a reproducible evening
    visits = many_visits(random)
    after = [
        replace(each, event_time=each.event_time + 5 * MINUTE, state="playing")
        for each in visits
        if each.state == "ended"
    ]
    events = arriving(frame(visits + after[:5]), random, disorder_ms=LATENESS // 2)
    whole, forgetful, short = Flow(), Flow(forgets=1), Flow(forgets=7, shortens=3)
    for flow in (whole, forgetful, short):
        for block in blocks(events, [40]):
            flow.block(block)
        flow.ended()

    assert pl.concat(whole.strays).height
    for flow in (forgetful, short):
        assert [at for at, _ in flow.tables] == [at for at, _ in whole.tables]
        assert_frame_equal(flow.sessions, whole.sessions)
        assert [each.height for each in flow.strays] == [each.height for each in whole.strays]
    assert sum(rows.height for _, rows in short.kept) < sum(rows.height for _, rows in whole.kept) / 10


def test_what_is_over_is_cleared_away_once_it_is_more_than_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_module, "FEW", 0)
    waiting = Waiting(PATIENCE)
    closing([record(second, session_id=each) for each in "ab" for second in range(10)], 0, waiting)
    wasteful = [
        waiting.is_wasteful
        for at in (LATENESS, LATENESS + 10 * SECOND)
        if closing([record(10, "ended", "a")] if at == LATENESS else [], at, waiting)
    ]

    assert wasteful == [False, True]
    [(_, rows)], [(_, over)] = waiting.short(LATENESS + 10 * SECOND)
    assert rows.height == 10
    assert over["session_id"].to_list() == ["a"]


@pytest.mark.parametrize("seed", first_of(3, range(8)))
def test_what_comes_too_late_is_told_and_everything_else_is_as_a_night_without_it(seed: int) -> None:
    random = Random(seed)  # noqa: S311 a reproducible evening
    events = frame(many_visits(random))
    flow = Flow()
    for block in blocks(arriving(events, random, disorder_ms=4 * LATENESS), [40]):
        flow.block(block)
    flow.ended()

    too_late = pl.concat([*flow.late, *flow.strays])
    assert too_late.height + flow.in_time.height == events.height
    assert too_late.height
    assert_frame_equal(flow.sessions, sessionize(flow.in_time, RULES).sessions)
    unhurt = ~pl.col("session_id").is_in(too_late["session_id"].implode())
    whole = sessionize(events, RULES).sessions
    assert_frame_equal(flow.sessions.filter(unhurt), whole.filter(unhurt))


def test_ticks_do_not_depend_on_how_blocks_are_cut() -> None:
    random = Random(3)  # noqa: S311 likewise
    events = arriving(frame(many_visits(random)), random, disorder_ms=MINUTE)
    ticks = []
    for size in (1, 7, 10_000):
        flow = Flow()
        for block in blocks(events, [size]):
            flow.block(block)
        ticks.append([(at, sorted(table["session_id"])) for at, table in flow.ended().tables])

    assert ticks[0] == ticks[1] == ticks[2]


def test_a_paused_visit_closes_a_gap_after_its_last_word() -> None:
    flow = Flow()
    flow.block(frame(a_course("0 starting, 2 playing, 40 paused")))
    flow.ended()

    (at, table) = flow.tables[0]
    assert at >= int(table["ended_at"][0]) + GAP + LATENESS
