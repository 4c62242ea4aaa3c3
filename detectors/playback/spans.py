"""Neighbouring records of one mode as one span: a stall is a span, however many reports it took."""

from dataclasses import dataclass

import numpy as np

from detectors.playback.groups import Bools, Codes, Groups, Ints, changes
from detectors.playback.timeline import Course, among


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of one mode, in order.

    `first`, `last` and `end` are rows of the course, `end` the row that closes the
    span or, where none does, its last; times are on the client's clock; `counted_ms` leaves out
    background, ads and sleep, and `counts` is false where nothing else is left.
    """

    sessions: Groups
    mode: Codes
    first: Ints
    last: Ints
    end: Ints
    started_at: Ints
    ended_at: Ints
    counted_ms: Ints
    counts: Bools

    def total(self, *modes: int) -> Ints:
        """Counted time in these modes, by session row."""
        return self.sessions.sum(np.where(among(self.mode, modes), self.counted_ms, 0))

    def final(self) -> Ints:
        """Each session row's last span, -1 where it has none."""
        return self.sessions.last(np.ones(self.mode.size, np.bool_))


def spans(course: Course) -> Spans:
    """The spans of every session."""
    first = np.flatnonzero(changes(course.mode) | changes(course.sessions.of))
    sessions = Groups.by(course.sessions.of[first], course.sessions.count)
    last = np.append(first[1:], course.mode.size)[: first.size] - 1
    closed = np.append(sessions.of[1:] == sessions.of[:-1], np.zeros(min(first.size, 1), np.bool_))
    end = last + closed
    return Spans(
        sessions=sessions,
        mode=course.mode[first],
        first=first,
        last=last,
        end=end,
        started_at=course.at[first],
        ended_at=course.at[end],
        counted_ms=_summed(course.counted_ms, first),
        counts=_summed(course.counts, first) > 0,
    )


def _summed(values: Ints | Bools, first: Ints) -> Ints:
    if not first.size:
        return np.zeros(0, np.int64)
    total: Ints = np.add.reduceat(values, first, dtype=np.int64)
    return total
