"""What a CDN's access log can say to a player's word, and where it has nothing to say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl
import pytest

from detectors.playback.sessions import sessionize
from detectors.schemas import Channel
from tests.detectors.playback.evenings import RULES, a_course, frame, heartbeats
from tests.detectors.playback.reference import Record
from tests.detectors.playback.visits import EVENING, RECORDINGS, telemetry

STALLS: Final = (
    "0 starting, 1 playing, 31 stalled, 41 playing, 71 stalled, 81 playing, 111 stalled, 121 playing, 150 ended"
)
SLOW_START: Final = "0 starting, 14 playing, 150 ended"
GIVEN_UP: Final = "0 starting, 22 quit"
SEEKS: Final = "0 starting, 1 playing, 30 seeking, 50 playing, 150 ended"
LOW: Final = ", ".join(f"{n} playing bitrate_kbps=150 top_bitrate_kbps=6000" for n in range(1, 150, 9))


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the log; `second` counts from the beginning of the visit, on the server's clock."""

    second: float
    took_ms: int | None = 300
    buffer_ms: float | None = 20_000.0
    status: int = 200
    bitrate_kbps: float | None = 4_500.0


def a_line(request: Request) -> Record:
    """The request as a line of the log, counted from the beginning of the visit."""
    return Record(
        "s",
        round(request.second * 1_000),
        channel=Channel.ACCESS_LOG,
        http_status=request.status,
        transfer_ms=request.took_ms,
        buffer_ms=request.buffer_ms,
        bitrate_kbps=request.bitrate_kbps,
    )


def told(course: str, requests: Sequence[Request], *, clock_ahead_ms: int = 0) -> tuple[list[str], list[str]]:
    """What of the visit's failures is borne out, and what is spoken against.

    The player's reports take 80 ms; its clock is behind the server's by `clock_ahead_ms`.
    """
    visit = [
        replace(record, event_time=record.event_time + EVENING, received_at=record.event_time + EVENING + 80)
        for record in heartbeats(150, course)
    ]
    own = [replace(record, event_time=record.event_time - clock_ahead_ms) for record in visit]
    logged = [
        replace(line, event_time=line.event_time + EVENING, received_at=line.event_time + EVENING)
        for line in map(a_line, requests)
    ]
    row = sessionize(frame([*own, *logged]), RULES).sessions.row(0, named=True)
    assert row["failures"], "the visit must have failed"
    return row["corroborated"], row["contradicted"]


def steady(**figures: float | None) -> list[Request]:
    """A request every four seconds, answered at once."""
    return [Request(second, **figures) for second in range(0, 150, 4)]  # type: ignore[arg-type]  # the test names fields


def slow_at(*seconds: float) -> list[Request]:
    """Steady, with little in the buffer, and slow answers to what was asked at these times."""
    quick = [request for request in steady(buffer_ms=3_000.0) if not any(0 <= request.second - s < 12 for s in seconds)]
    return [*quick, *(Request(second, took_ms=11_000, buffer_ms=2_000.0) for second in seconds)]


class TestStalls:
    def test_slow_answers_bear_them_out(self) -> None:
        assert told(STALLS, slow_at(29, 69, 109)) == (["playback_stalls"], [])

    def test_most_of_them_suffice(self) -> None:
        assert told(STALLS, slow_at(29, 69)) == (["playback_stalls"], [])
        assert told(STALLS, slow_at(29)) == ([], [])

    def test_failed_answers_bear_them_out(self) -> None:
        failing = [Request(second, took_ms=None, buffer_ms=0.0, status=503) for second in (33, 73, 113)]
        assert told(STALLS, failing) == (["playback_stalls"], [])

    def test_a_full_buffer_speaks_against_them(self) -> None:
        assert told(STALLS, steady()) == ([], ["playback_stalls"])

    def test_even_where_the_answers_were_slow(self) -> None:
        assert told(STALLS, steady(took_ms=2_000)) == ([], ["playback_stalls"])

    def test_quick_answers_alone_prove_nothing(self) -> None:
        assert told(STALLS, steady(buffer_ms=3_000.0)) == ([], [])
        assert told(STALLS, steady(buffer_ms=None)) == ([], [])

    def test_sound_may_be_full_while_the_picture_waits(self) -> None:
        assert told(STALLS, steady(bitrate_kbps=None)) == ([], [])

    def test_requests_outside_of_the_waits_say_nothing(self) -> None:
        between = [
            request for request in steady() if not any(start <= request.second <= start + 10 for start in (31, 71, 111))
        ]
        assert told(STALLS, between) == ([], [])

    def test_one_low_buffer_within_a_wait_clears_it(self) -> None:
        low = [Request(second, buffer_ms=400.0) for second in (34, 74, 114)]
        assert told(STALLS, [*steady(), *low]) == ([], [])

    @pytest.mark.parametrize("ahead_ms", [-300_000, 5_000, 300_000, 7_200_000])
    def test_the_clocks_are_laid_upon_each_other(self, ahead_ms: int) -> None:
        assert told(STALLS, slow_at(29, 69, 109), clock_ahead_ms=ahead_ms) == (["playback_stalls"], [])
        assert told(STALLS, steady(), clock_ahead_ms=ahead_ms) == ([], ["playback_stalls"])

    def test_another_sessions_requests_are_nobodys_witness(self) -> None:
        lines = [
            Record("t", EVENING + n * 4_000, channel=Channel.ACCESS_LOG, received_at=EVENING, buffer_ms=20_000.0)
            for n in range(30)
        ]
        visit = [replace(r, received_at=r.event_time + 80) for r in a_course(STALLS)]
        row = sessionize(frame([*visit, *lines]), RULES).sessions.filter(pl.col("session_id") == "s").row(0, named=True)
        assert (row["corroborated"], row["contradicted"]) == ([], [])


class TestOtherFailures:
    @pytest.mark.parametrize(
        ("course", "kind", "second"),
        [(SLOW_START, "slow_start", 2), (GIVEN_UP, "playback_failed", 12), (SEEKS, "slow_seeks", 32)],
    )
    def test_each_is_borne_out_or_spoken_against_by_its_own_waits(self, course: str, kind: str, second: int) -> None:
        borne_out, _ = told(course, slow_at(second))
        assert kind in borne_out
        _, against = told(course, steady())
        assert kind in against

    def test_a_slow_start_does_not_bear_stalls_out(self) -> None:
        both = STALLS.replace("1 playing", "14 playing")
        assert told(both, slow_at(2)) == (["slow_start"], [])

    def test_a_low_picture_is_what_was_asked_for_or_is_not(self) -> None:
        course = f"0 starting, {LOW}, 150 ended"
        assert told(course, steady(bitrate_kbps=150.0, buffer_ms=3_000.0)) == (["low_quality"], [])

    def test_two_requests_for_the_picture_have_no_mean(self) -> None:
        course = f"0 starting, {LOW}, 150 ended"
        low = [Request(second, bitrate_kbps=150.0, buffer_ms=3_000.0) for second in (10, 40)]
        assert told(course, low) == ([], [])
        assert told(course, [*low, replace(low[0], second=70)]) == (["low_quality"], [])

    def test_the_time_until_the_next_sessions_requests_is_nobodys(self) -> None:
        """Its last request was for a good piece; another session asked an hour later."""
        requests = [
            *steady(bitrate_kbps=150.0, buffer_ms=3_000.0),
            Request(149, bitrate_kbps=6_000.0, buffer_ms=3_000.0),
        ]
        visit = heartbeats(150, f"0 starting, {LOW}, 150 ended")
        both = [
            moved
            for name, later_ms in (("s", 0), ("t", 3_600_000))
            for record in [*visit, *(a_line(request) for request in requests)]
            for at in [record.event_time + later_ms]
            for moved in [replace(record, session_id=name, event_time=at, received_at=at + 80)]
        ]
        assert sessionize(frame(both), RULES).sessions["corroborated"].to_list() == [["low_quality"]] * 2

    def test_a_picture_that_came_good_in_the_end_was_low_all_the_same(self) -> None:
        """The better pieces were asked for in a burst: they are many, and were on their way for a short time."""
        course = f"0 starting, {LOW}, 150 ended"
        low = steady(bitrate_kbps=150.0, buffer_ms=3_000.0)
        burst = [Request(146 + n / 10, bitrate_kbps=6_000.0, buffer_ms=3_000.0) for n in range(20)]
        assert told(course, [*low, *burst])[1] == []

    def test_a_far_better_picture_than_the_player_says_speaks_against_it(self) -> None:
        course = f"0 starting, {LOW}, 150 ended"
        # Few enough requests for the picture that the reports still make it low on the whole.
        better = [Request(second, bitrate_kbps=6_000.0, buffer_ms=3_000.0) for second in (1.5, 2, 2.5, 9)]
        assert told(course, better) == ([], ["low_quality"])


def test_without_a_time_of_receipt_the_clocks_cannot_be_compared() -> None:
    visit = [replace(record, event_time=record.event_time + EVENING) for record in a_course(STALLS)]
    lines = [
        Record(
            "s",
            EVENING + n * 4_000,
            channel=Channel.ACCESS_LOG,
            received_at=EVENING + n * 4_000,
            buffer_ms=20_000.0,
            bitrate_kbps=900.0,
        )
        for n in range(30)
    ]
    row = sessionize(frame([*visit, *lines]), RULES).sessions.row(0, named=True)
    assert (row["corroborated"], row["contradicted"]) == ([], [])


@pytest.mark.skipif(not RECORDINGS, reason="the recordings do not lie beside this checkout")
class TestRecordings:
    def test_what_really_went_wrong_is_borne_out_and_never_spoken_against(self) -> None:
        files = [folder / name for folder in RECORDINGS for name in ("reports.jsonl", "access.jsonl")]
        sessions = sessionize(telemetry(*files), RULES).sessions
        failing = sessions.filter(pl.col("failures").list.len() > 0)
        assert failing["contradicted"].list.len().sum() == 0
        borne_out = failing.filter(pl.col("corroborated").list.len() > 0)
        # One player's reports name the picture twice in a minute, which is too little to compare.
        assert (failing.height, borne_out.height) == (7, 6)

    @pytest.mark.parametrize("player", ["dash", "hls", "shakadbg"])
    def test_stalls_that_are_made_up_beside_a_real_and_good_playback_are_spoken_against(self, player: str) -> None:
        folder = next(folder for folder in RECORDINGS if folder.parent.name == player and folder.name == "01_clean")
        log = telemetry(folder / "access.jsonl")
        (session_id,) = log["session_id"].cast(pl.String).unique()
        begun = int(log["event_time"].min() or 0)  # type: ignore[arg-type]  # a time
        lie = "0 starting, 0.8 playing, 9 stalled, 19 playing, 29 stalled, 39 playing, 45 stalled, 55 playing, 61 ended"
        forged = [
            replace(r, session_id=session_id, event_time=r.event_time + begun, received_at=r.event_time + begun + 90)
            for r in heartbeats(60, lie)
        ]
        row = sessionize(pl.concat([log, frame(forged)]), RULES).sessions.row(0, named=True)
        assert "playback_stalls" in row["failures"]
        assert row["contradicted"] == ["playback_stalls"]
