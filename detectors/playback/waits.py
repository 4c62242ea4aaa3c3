"""Stalls and seeks: how many, how long, how close together, and how much of a seek's wait is our fault."""

from dataclasses import dataclass

import numpy as np

from detectors.playback.groups import Bools, Groups, Ints, changes
from detectors.playback.records import Records
from detectors.playback.rules import FULL_BUFFER_MS, Stalls
from detectors.playback.spans import Spans
from detectors.playback.timeline import SEEKING, UNKNOWN, Course, Mode


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits of one kind, in order; `row` is the row of the course that opened each, times are the client's."""

    sessions: Groups
    row: Ints
    started_at: Ints
    ended_at: Ints
    counted_ms: Ints


def stalls(spans: Spans) -> Waits:
    """Every stall of which any part counts."""
    return _waits(spans, (spans.mode == Mode.STALL) & spans.counts, spans.started_at, spans.counted_ms)


def waits_after_seeks(course: Course, spans: Spans, edges: Ints, grace_ms: int) -> Waits:
    """What of each seek's wait exceeds the grace after its last seek; `edges` are `seek_edges`."""
    wait = np.flatnonzero(spans.mode == Mode.SEEK)
    if not wait.size:
        return _waits(spans, np.zeros(spans.mode.size, np.bool_), spans.started_at, spans.counted_ms)
    last_edge = edges[np.searchsorted(edges, spans.last[wait], side="right") - 1]
    clock = np.concatenate(([0], np.cumsum(course.counted_ms)))
    waited = clock[spans.end[wait]] - clock[last_edge]
    excess = np.zeros(spans.mode.size, np.int64)
    excess[wait] = np.maximum(waited - grace_ms, 0)
    return _waits(spans, excess > 0, spans.ended_at - excess, excess)


def _waits(spans: Spans, where: Bools, started_at: Ints, counted_ms: Ints) -> Waits:
    chosen = np.flatnonzero(where)
    return Waits(
        sessions=Groups.by(spans.sessions.of[chosen], spans.sessions.count),
        row=spans.first[chosen],
        started_at=started_at[chosen],
        ended_at=spans.ended_at[chosen],
        counted_ms=counted_ms[chosen],
    )


def seek_edges(course: Course, burst_ms: int) -> Ints:
    """Rows at which the viewer sought, after the first picture.

    A repeated `seeking` within a burst's time is a further seek, as one player
    reports them; a later one only confirms that the first still waits.
    """
    seeking = np.flatnonzero((course.state == SEEKING) & (course.mode != Mode.START))
    known = np.flatnonzero(course.state != UNKNOWN)
    before = known[np.maximum(np.searchsorted(known, seeking) - 1, 0)]
    repeats = (before < seeking) & (course.sessions.of[before] == course.sessions.of[seeking])
    repeats &= course.state[before] == SEEKING
    edges: Ints = seeking[~repeats | (course.at[seeking] - course.at[before] <= burst_ms)]
    return edges


def seek_count(course: Course, edges: Ints, burst_ms: int) -> Ints:
    """Seeks by session row, those of one burst counted once; `edges` are `seek_edges`."""
    session = course.sessions.of[edges]
    opens = changes(session)
    opens[1:] |= np.diff(course.at[edges]) > burst_ms
    return np.bincount(session[opens], minlength=course.sessions.count)


def long_stalls(stalls: Waits, rules: Stalls) -> tuple[Ints, Ints]:
    """By session row: stalls of `burst_stall_ms` or more, and the most of them that start within `burst_window_ms`."""
    long = stalls.counted_ms >= rules.burst_stall_ms
    session = stalls.sessions.of[long]
    count = np.bincount(session, minlength=stalls.sessions.count)
    if not session.size:
        return count, count
    start = stalls.started_at[long]
    start = start - start.min()
    width = int(start.max()) + rules.burst_window_ms + 1
    place = np.sort(session * width + start)
    # The sessions are further apart than a window, so that none reaches into another's.
    within = np.arange(place.size) - np.searchsorted(place, place - rules.burst_window_ms) + 1
    return count, Groups.by(place // width, count.size).greatest(within, 0)


def device_stalls(records: Records, course: Course, stalls: Waits) -> Ints:
    """Stalls by session row that opened with more than `FULL_BUFFER_MS` in the buffer."""
    if not records.has("buffer_ms"):
        return np.zeros(course.sessions.count, np.int64)
    buffered = records.numbers("buffer_ms")[course.record[stalls.row]]
    return stalls.sessions.sum(buffered > FULL_BUFFER_MS)
