"""One story for each rule: what a player said, and what is made of it."""

from dataclasses import replace

import polars as pl
import pytest

from detectors import schemas
from detectors.playback.sessions import sessionize
from detectors.schemas import Channel
from tests.detectors.playback.evenings import RULES, a_course, frame, heartbeats, sole_session
from tests.detectors.playback.reference import Record

Figures = dict[str, int | bool | None]


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        pytest.param("0 starting, 2 playing, 60 ended", {"startup_ms": 2_000, "stall_count": 0}, id="a clean start"),
        pytest.param("0 -, 1 starting, 3 playing", {"startup_ms": 3_000}, id="a start counts from the first report"),
        pytest.param("0 stalled, 2 playing", {"startup_ms": 2_000, "stall_count": 0}, id="no stall before the picture"),
        pytest.param(
            "0 preloading, 30 starting, 32 playing",
            {"startup_ms": 2_000, "watched_ms": 2_000},
            id="preloading is nobody's wait",
        ),
        pytest.param(
            "0 starting, 2 paused, 62 starting, 63 playing",
            {"startup_ms": 3_000, "paused_ms": 60_000},
            id="a pause in the start",
        ),
        pytest.param("0 playing, 10 paused", {"startup_ms": None}, id="joined while it played: start unknown"),
        pytest.param("0 playing startup_ms=900, 10 paused", {"startup_ms": 900}, id="then what the player said counts"),
        pytest.param(
            "0 starting, 2 playing startup_ms=9, 10 paused",
            {"startup_ms": 2_000},
            id="but never against its own states",
        ),
    ],
)
def test_start(course: str, expected: Figures) -> None:
    assert sole_session(a_course(course)) | expected == sole_session(a_course(course))


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        pytest.param("0 playing, 10 stalled, 14 playing", {"stall_count": 1, "stall_ms": 4_000}, id="a stall"),
        pytest.param(
            "0 playing, 10 stalled, 12 stalled, 14 playing",
            {"stall_count": 1, "stall_ms": 4_000},
            id="confirmed, not repeated",
        ),
        pytest.param(
            "0 playing, 10 waiting, 14 playing", {"stall_count": 1, "stall_ms": 4_000}, id="waiting after playing"
        ),
        pytest.param(
            "0 playing, 10 starting, 12 waiting, 14 playing", {"stall_count": 0}, id="waiting after anything else"
        ),
        pytest.param(
            "0 playing, 10 stalled, 14 paused, 60 playing",
            {"stall_count": 1, "stall_ms": 4_000, "paused_ms": 46_000},
            id="a pause ends a stall",
        ),
        pytest.param(
            "0 playing, 10 paused, 20 seeking, 22 stalled, 30 playing",
            {"stall_count": 0, "seek_wait_ms": 0, "seek_count": 1, "paused_ms": 20_000},
            id="nothing counts in a pause",
        ),
        pytest.param(
            "0 playing, 10 ended, 20 stalled, 30 playing, 40 ended",
            {"stall_count": 0, "watched_ms": 20_000},
            id="nor after the end",
        ),
        pytest.param(
            "0 playing, 10 stalled, 12 failed, 13 stalled, 15 playing",
            {"stall_count": 1, "stall_ms": 5_000, "failed": False},
            id="a failure it got over",
        ),
        pytest.param(
            "0 playing, 10 stalled, 12 failed, 60 -",
            {"stall_count": 1, "stall_ms": 2_000, "failed": True, "watched_ms": 12_000},
            id="a failure for good ends the stall",
        ),
        pytest.param(
            "0 playing, 10 failed, 60 ended", {"failed": False, "watched_ms": 60_000}, id="reached the end all the same"
        ),
        pytest.param(
            "0 playing, 10 stalled, 14 -",
            {"stall_count": 1, "stall_ms": 4_000, "unfinished": True},
            id="a stall to the last report",
        ),
        pytest.param(
            "0 playing, 10 stalled", {"stall_count": 1, "stall_ms": 0, "unfinished": True}, id="silence is not a stall"
        ),
        pytest.param(
            "0 playing, 10 stalled background=yes, 20 playing background=no, 30 ended",
            {"stall_count": 0, "stall_ms": 0, "watched_ms": 20_000},
            id="the background does not count",
        ),
        pytest.param(
            "0 playing, 10 stalled ad=yes, 20 playing ad=no, 30 ended",
            {"stall_count": 0, "watched_ms": 20_000},
            id="nor does an ad",
        ),
        pytest.param(
            "0 playing sequence=1, 10 stalled sequence=2, 8 playing sequence=3, 9 ended sequence=4",
            {"stall_count": 1, "stall_ms": 0, "clamped": 1},
            id="a clock set back is clamped and counted",
        ),
        pytest.param("0 playing, 10 stalled, 310 playing", {"stall_ms": 120_000}, id="a wait without a word is capped"),
    ],
)
def test_stalls(course: str, expected: Figures) -> None:
    found = sole_session(a_course(course))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        pytest.param(
            "0 playing, 10 seeking, 11 stalled, 12 waiting, 13 playing",
            {"stall_count": 0, "seek_count": 1, "seek_wait_ms": 3_000, "stall_after_seek_ms": 0},
            id="every wait of a seek is the seek's",
        ),
        pytest.param(
            "0 playing, 10 seeking, 30 playing",
            {"seek_wait_ms": 20_000, "stall_after_seek_ms": 15_000},
            id="beyond the grace",
        ),
        pytest.param(
            "0 playing, 10 seeking, 11 seeking, 12.5 seeking, 20 playing",
            {"seek_count": 1, "seek_wait_ms": 10_000, "stall_after_seek_ms": 2_500},
            id="the grace runs from the last seek of a burst",
        ),
        pytest.param(
            "0 playing, 10 seeking, 20 seeking, 30 playing",
            {"seek_count": 1, "stall_after_seek_ms": 15_000},
            id="a late repeat confirms and renews no grace",
        ),
        pytest.param(
            "0 playing, 10 seeking, 11 stalled, 20 seeking, 30 playing",
            {"seek_count": 2, "seek_wait_ms": 20_000, "stall_after_seek_ms": 5_000},
            id="a second seek while the first still waits",
        ),
        pytest.param(
            "0 playing, 10 stalled, 12 seeking, 13 playing",
            {"stall_ms": 2_000, "seek_wait_ms": 1_000},
            id="a seek ends a stall",
        ),
    ],
)
def test_seeks(course: str, expected: Figures) -> None:
    found = sole_session(a_course(course))
    assert {name: found[name] for name in expected} == expected


def test_a_device_that_slept_neither_stalled_nor_played() -> None:
    asleep = heartbeats(60, "0 playing, 25 stalled, 500 playing, 510 ended")
    found = sole_session(asleep)
    assert (found["stall_ms"], found["watched_ms"]) == (35_000, 70_000)


def test_a_player_that_reports_changes_only_does_not_sleep() -> None:
    assert sole_session(a_course("0 starting, 1 playing, 200 paused, 201 playing, 900 ended"))["watched_ms"] == 899_000


def test_a_session_id_that_fell_silent_is_two_sessions() -> None:
    sessions = sessionize(
        frame(a_course("0 playing, 60 paused, 1900 starting, 1902 playing, 1960 ended")), RULES
    ).sessions
    assert sessions["started_at"].to_list() == [0, 1_900_000]
    assert sessions["watched_ms"].to_list() == [60_000, 60_000]


ASLEEP = "0 starting, 1 playing, 10 -, 20 -, 2000 -, 2010 -"


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        pytest.param("2300 ended", (0, 300_000), id="and saw it to its end"),
        pytest.param("2300 seeking, 2301 playing", (0, 301_000), id="and looked for a scene"),
        pytest.param("2300 quit", (0, 300_000), id="and left"),
    ],
)
def test_who_went_on_after_a_night_with_the_lid_closed_waited_for_no_first_picture(
    words: str, figures: tuple[int, int]
) -> None:
    course = [replace(each, sequence=n) for n, each in enumerate(a_course(f"{ASLEEP}, {words}"))]
    woken = sessionize(frame(course), RULES).sessions.row(1, named=True)
    assert woken["startup_ms"] is None
    assert not woken["exit_before_start"]
    assert (woken["stall_ms"], woken["watched_ms"]) == figures
    assert woken["failures"] == []


def test_a_count_that_began_before_its_session_hides_no_start() -> None:
    course = [replace(each, sequence=700 + n) for n, each in enumerate(a_course("0 starting, 30 -, 60 quit"))]
    assert sole_session(course)["exit_before_start"]


def test_a_player_without_states_leaves_its_stalls_unknown() -> None:
    found = sole_session(a_course("0 -, 10 -, 20 - startup_ms=800"))
    assert found["stalls_known"] is False
    assert found["startup_ms"] == 800
    assert all(found[name] is None for name in ("stall_count", "stall_ms", "seek_count", "paused_ms", "watched_ms"))


def test_requests_alone_tell_that_a_session_was_and_what_it_fetched() -> None:
    found = sole_session(a_course("0 - bitrate_kbps=100, 10 - bitrate_kbps=300", channel=Channel.CMCD_REQUEST))
    assert (found["started_at"], found["ended_at"], found["stall_ms"]) == (0, 10_000, None)
    assert found["mean_bitrate_kbps"] == 200


@pytest.mark.parametrize(
    ("course", "outcome"),
    [
        pytest.param("0 starting, 9 failed", "failed", id="failed before the picture"),
        pytest.param(
            "0 starting, 2 playing, 20 stalled, 25 - error_code=27, 60 -", "failed", id="an error in a wait that stayed"
        ),
        pytest.param("0 playing, 20 - error_code=27, 25 stalled, 60 -", "failed", id="an error shortly before it"),
        pytest.param("0 playing, 5 - error_code=27, 25 stalled, 60 -", None, id="an error long before it"),
        pytest.param("0 playing, 20 stalled, 25 - error_code=27, 30 playing", None, id="an error that was got over"),
        pytest.param("0 playing, 20 stalled, 25 - fatal=yes, 30 -", "failed", id="a fatal error"),
        pytest.param(
            "0 playing, 20 stalled, 25 - fatal=yes error_code=DRM.17, 30 -", None, id="a fatal error of rights"
        ),
        pytest.param("0 starting, 2 - error_code=license_expired, 60 -", None, id="no licence, no picture, no failure"),
        pytest.param("0 starting, 20 -", "exit_before_start", id="gave up waiting"),
        pytest.param("0 starting, 0.8 quit", None, id="a slip of the finger"),
        pytest.param("0 preloading, 60 -", None, id="never asked for"),
        pytest.param("0 starting, 2 playing, 60 -", None, id="a killed app"),
    ],
)
def test_endings(course: str, outcome: str | None) -> None:
    found = sole_session(a_course(course))
    assert [name for name in ("failed", "exit_before_start") if found[name]] == ([outcome] if outcome else [])


@pytest.mark.parametrize(("status", "failed"), [(503, True), (404, True), (403, False), (0, False), (200, False)])
def test_a_response_is_a_witness_of_a_failure(status: int, failed: bool) -> None:  # noqa: FBT001 - a table's column
    answer = Record("s", 12_000, Channel.ACCESS_LOG, http_status=status)
    assert sole_session([*a_course("0 playing, 10 stalled, 14 -"), answer])["failed"] is failed


def test_repeats_are_used_once_and_the_first_to_arrive_is_kept() -> None:
    first = Record("s", 0, sequence=1, state="starting", received_at=50)
    later = Record("s", 9_000, sequence=1, state="starting", received_at=9_050)
    found = sole_session([later, Record("s", 10_000, sequence=2, state="playing", received_at=10_050), first])
    assert (found["startup_ms"], found["duplicates"], found["events"]) == (10_000, 1, 2)


def test_records_without_a_number_repeat_by_content() -> None:
    found = sole_session([*a_course("0 starting, 2 playing"), *a_course("0 starting, 2 playing", received_at=9_000)])
    assert (found["events"], found["duplicates"]) == (2, 2)


def test_what_comes_too_late_is_counted_and_left_out() -> None:
    late = Record("s", 5_000, state="failed", received_at=5_000 + RULES.timeline.allowed_lateness_ms + 1)
    found = sessionize(frame([*a_course("0 starting received_at=20, 2 playing received_at=2020"), late]), RULES)
    assert (found.late, found.sessions["failed"].to_list(), found.sessions["events"].to_list()) == (1, [False], [2])


def test_a_clock_a_month_behind_is_corrected_and_nothing_is_late() -> None:
    month = 30 * 86_400_000
    behind = [Record("s", t, state=s, received_at=t + month + 40) for t, s in ((0, "starting"), (2_000, "playing"))]
    answer = Record("s", month + 1_000, Channel.ACCESS_LOG, received_at=month + 1_000, http_status=200)
    found = sessionize(frame([*behind, answer]), RULES)
    assert found.late == 0
    assert found.sessions["clock_skew_ms"].to_list() == [month + 40]


def test_the_picture_is_weighed_by_play_and_read_off_requests_too() -> None:
    asked = Record("s", 11_000, Channel.CMCD_REQUEST, bitrate_kbps=1_000.0)
    found = sole_session([*a_course("0 starting, 1 playing bitrate_kbps=100, 31 ended"), asked])
    assert found["mean_bitrate_kbps"] == pytest.approx((10 * 100 + 20 * 1_000) / 30)
    assert (found["low_picture_ms"], found["judged_picture_ms"]) == (10_000, 30_000)


@pytest.mark.parametrize(
    ("rate", "named", "low_ms"),
    [
        pytest.param(300.0, None, 60_000, id="the best rendition is never named, and this is little for any"),
        pytest.param(301.0, None, 0, id="never named, but this may be all there is"),
        pytest.param(300.0, 400.0, 0, id="the title offers little more"),
        pytest.param(300.0, 1_200.0, 60_000, id="the title offers four times as much"),
    ],
)
def test_a_rate_is_little_against_the_best_that_is_offered(rate: float, named: float | None, low_ms: int) -> None:
    events = frame([Record("s", 0, state="playing", bitrate_kbps=rate), Record("s", 60_000, state="ended")])
    offered = pl.lit(named, dtype=pl.Float32).alias("top_bitrate_kbps")
    found = sessionize(events.with_columns(offered), RULES).sessions.row(0, named=True)
    assert (found["low_picture_ms"], found["judged_picture_ms"]) == (low_ms, 60_000)


@pytest.mark.parametrize(
    ("screen", "low_ms", "judged_ms"),
    [
        pytest.param(1_080, 60_000, 60_000, id="television"),
        pytest.param(400, 0, 60_000, id="telephone"),
        pytest.param(None, 0, 0, id="unknown"),
    ],
)
def test_a_height_is_little_only_on_a_large_player(screen: int | None, low_ms: int, judged_ms: int) -> None:
    found = sole_session(
        [Record("s", 0, state="playing", height=240, player_height=screen), Record("s", 60_000, state="ended")]
    )
    assert (found["low_picture_ms"], found["judged_picture_ms"]) == (low_ms, judged_ms)


@pytest.mark.parametrize(("height", "low_ms"), [(1_080, 0), (720, 0), (719, 60_000), (None, 60_000)])
def test_a_quarter_of_the_best_rate_is_not_little_where_the_picture_is_sharp(height: int | None, low_ms: int) -> None:
    events = frame(
        [Record("s", 0, state="playing", bitrate_kbps=4_000.0, height=height), Record("s", 60_000, state="ended")]
    )
    offered = pl.lit(16_000.0, dtype=pl.Float32).alias("top_bitrate_kbps")
    found = sessionize(events.with_columns(offered), RULES).sessions.row(0, named=True)
    assert (found["low_picture_ms"], found["judged_picture_ms"]) == (low_ms, 60_000)


def test_two_customers_in_one_session_claim_nothing() -> None:
    contradicted = [Record("s", 0, state="playing", customer_id="c1"), Record("s", 9, customer_id="c2", cdn="north")]
    found = sole_session([*contradicted, Record("s", 5, content_id="film", cdn="south")])
    assert (found["customer_id"], found["content_id"], found["cdn"]) == (None, "film", "north")


def test_the_timeline_knows_its_network_better_than_a_request() -> None:
    asked = Record("s", 60_000, Channel.CMCD_REQUEST, cdn="south")
    assert sole_session([Record("s", 0, state="playing", cdn="north"), asked])["cdn"] == "north"


def test_a_clock_set_back_keeps_the_players_own_order_whoever_else_is_in_the_partition() -> None:
    set_back = [
        Record("s", 0, sequence=0, bitrate_kbps=150.0),
        Record("s", 500, sequence=1, bitrate_kbps=900.0),
        Record("s", 0, sequence=2, bitrate_kbps=300.0, state="playing"),
        Record("s", 500, sequence=3),
    ]
    stranger = [Record("t", 0, state="playing"), Record("t", 9, Channel.CMCD_REQUEST, bitrate_kbps=1.0)]
    found = sessionize(frame([*set_back, *stranger]), RULES).sessions
    assert found["mean_bitrate_kbps"].to_list()[0] == sole_session(set_back)["mean_bitrate_kbps"] == 300


def test_categorical_text_and_left_out_columns_change_nothing() -> None:
    whole = frame(a_course("0 starting, 2 playing, 20 stalled, 30 playing"))
    known = [name for name in whole.columns if whole[name].null_count() < whole.height]
    lean = whole.select(known).with_columns(pl.col("session_id").cast(pl.Categorical))
    assert sessionize(lean, RULES).sessions.equals(sessionize(whole, RULES).sessions)


def test_no_events_are_no_sessions() -> None:
    found = sessionize(pl.DataFrame(schema=schemas.EVENTS), RULES)
    assert (found.sessions.schema, found.sessions.height) == (schemas.SESSIONS_WITH_EVIDENCE, 0)


def test_a_request_is_placed_among_the_reports_where_every_record_tells_of_the_picture() -> None:
    reports = a_course("0 playing bitrate_kbps=100, 20 ended bitrate_kbps=900")
    request = Record("s", 5_000, channel=Channel.CMCD_REQUEST, bitrate_kbps=900.0)
    assert sole_session([*reports, request])["mean_bitrate_kbps"] == (5 * 100 + 15 * 900) / 20
