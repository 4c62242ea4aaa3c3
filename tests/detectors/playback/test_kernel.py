"""The kernel against the plain fold, and against itself under everything that must not matter."""

from dataclasses import fields, replace
from random import Random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from detectors.playback.sessions import sessionize
from detectors.schemas import STATES, Channel
from tests.detectors.playback.evenings import RULES, frame
from tests.detectors.playback.reference import Folded, Record, fold
from tests.support.examples import examples

SILENCE = 2_000_000
LATE = 700_000_000

half_seconds = st.integers(0, 240).map(lambda n: n * 500)
minutes = st.integers(0, 40).map(lambda n: n * 60_000)
event_times = st.one_of(half_seconds, half_seconds, minutes, half_seconds.map(lambda t: t + SILENCE))
lags = st.sampled_from([None, 0, 20, 40, 18_000, 900_000, 4_000_000, LATE])
maybe_true = st.sampled_from([None, None, None, None, True, False])


@st.composite
def records(draw: st.DrawFn) -> Record:
    event_time = draw(event_times)
    lag = draw(lags)
    return Record(
        session_id=draw(st.sampled_from("ab")),
        event_time=event_time,
        channel=draw(st.sampled_from([Channel.BEACON, Channel.BEACON, *Channel])),
        received_at=None if lag is None else event_time + lag,
        sequence=draw(st.none() | st.integers(0, 12)),
        state=draw(st.none() | st.sampled_from(STATES) | st.sampled_from(["playing", "stalled", "seeking"])),
        bitrate_kbps=draw(st.sampled_from([None, None, 150.0, 900.0])),
        height=draw(st.sampled_from([None, None, 240, 1_080])),
        player_height=draw(st.sampled_from([None, None, 400, 1_080])),
        startup_ms=draw(st.sampled_from([None, None, None, 700])),
        error_code=draw(st.sampled_from([None, None, None, None, "27", "drm-6001"])),
        http_status=draw(st.sampled_from([None, None, 200, 0, 404, 403, 503])),
        fatal=draw(maybe_true),
        background=draw(maybe_true),
        ad=draw(maybe_true),
    )


def numbered(events: list[Record]) -> list[Record]:
    """A player that counts: its own order is the order of the list, whatever its clock says."""
    return [replace(event, sequence=number) for number, event in enumerate(events)]


plain = st.lists(records(), min_size=1, max_size=30)
evenings = st.one_of(
    plain,
    plain.map(numbered),
    plain.map(lambda events: [replace(e, sequence=None) for e in events]),
    plain.map(lambda events: [replace(e, channel=Channel.BEACON) for e in events]),
)


def rows(sessions: pl.DataFrame) -> list[Folded]:
    return [rounded(Folded(**row)) for row in sessions.select(f.name for f in fields(Folded)).to_dicts()]


@examples(60)
@given(evenings)
def test_the_kernel_is_the_plain_fold(events: list[Record]) -> None:
    expected = fold(events, RULES)
    found = sessionize(frame(events), RULES)
    assert (found.duplicate, found.late) == (expected.duplicate, expected.late)
    assert rows(found.sessions) == [rounded(row) for row in expected.sessions]
    assert len(events) == found.sessions["events"].sum() + found.duplicate + found.late


def rounded(row: Folded) -> Folded:
    """Sums of floats may differ in the last digits; a millisecond may not."""
    rate = row.mean_bitrate_kbps
    return replace(row, mean_bitrate_kbps=None if rate is None else round(rate, 6))


@examples(25)
@given(evenings, st.randoms(use_true_random=False))
def test_order_repetition_and_partition_change_nothing(events: list[Record], random: Random) -> None:
    once = sessionize(frame(events), RULES)
    shuffled = random.sample(events, k=len(events))
    assert_frame_equal(sessionize(frame(shuffled), RULES).sessions, once.sessions)
    apart = [sessionize(frame(event for event in events if event.session_id == name), RULES) for name in "ab"]
    assert_frame_equal(pl.concat(part.sessions for part in apart), once.sessions)
    again = sessionize(frame([*shuffled, *events]), RULES)
    assert_frame_equal(again.sessions.drop("duplicates"), once.sessions.drop("duplicates"))
    assert again.duplicate == once.duplicate + len(events)
