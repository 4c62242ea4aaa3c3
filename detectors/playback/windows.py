"""The worst five minutes of each session: a whole film's figures hide a ruined quarter of an hour."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.playback.coefficients import ONE_STALL_MS
from detectors.playback.groups import Floats, Groups, Ints
from detectors.playback.picture import Picture, Samples
from detectors.playback.quality import WINDOW_MS, Experience, quality_score, stall_weight_ms
from detectors.playback.timeline import Course, Mode, among
from detectors.playback.waits import Waits

WATCHED: Final = (Mode.PLAY, Mode.RESTART, Mode.STALL, Mode.SEEK, Mode.START)
"""Modes of watched time: wall clock from request to pause, end or failure (CTA-2066)."""

_PARTS: Final = 10**6  # of a loss: whole numbers sum to the same in any order, and safely over a partition


@dataclass(frozen=True, slots=True)
class Clock:
    """Watched time on one clock that runs on from session to session.

    `at` has one entry a row of the course, the watched time before it, and one for
    the end; `begin` and `end` are by session row.
    """

    at: Ints
    begin: Ints
    end: Ints


def clock(course: Course) -> Clock:
    """Watched time over all sessions, which stands still in pauses, ads, background and sleep."""
    watched = np.where(among(course.mode, WATCHED), course.counted_ms, 0)
    at = np.concatenate((np.zeros(1, np.int64), np.cumsum(watched)))
    begin = np.zeros(course.sessions.count, np.int64)
    begin[course.sessions.present] = at[course.sessions.starts]
    return Clock(at=at, begin=begin, end=begin + course.sessions.sum(watched))


def worst_window_score(course: Course, stalls: Waits, seen: Samples, picture: Picture, startup_ms: Floats) -> Floats:
    """The lowest score of any window of `WINDOW_MS` of watched time, by session row.

    The windows are the session cut from its start, its last five minutes, and five
    minutes from the start of each stall. A shorter session is one window. Every stall in a
    window is recent, so that none is discounted for its age.

    Returns:
      Float64, NaN where there is no timeline or neither stalls nor picture are known.
    """
    watched = clock(course)
    session, begin = _windows(watched, stalls, course.sessions.present)
    end = np.minimum(begin + WINDOW_MS, watched.end[session])
    cut = _cut(watched, begin, end)
    stall_ms = cut.sum(np.where(course.mode == Mode.STALL, course.counted_ms, 0))
    played = np.where(course.mode == Mode.PLAY, course.counted_ms, 0)
    since, until = cut.clock(played)
    opened, closed = _reading(seen, since), _reading(seen, until)
    starting = begin - watched.begin[session] < np.nan_to_num(startup_ms[session])
    experience = Experience(
        played_ms=(until - since).astype(np.float64),
        stall_ms=np.where(course.known[session], stall_ms, np.nan),
        stall_load=_load(watched, stalls, begin, end),
        startup_ms=np.where(starting, startup_ms[session], np.nan),
        picture_loss=_mean(seen, picture.losses, opened, closed),
        player_height=picture.player_height[session],
        frame_rate=picture.frame_rate[session],
        shown=np.ones(session.size, np.bool_),
    )
    score = quality_score(experience)
    by_session = np.argsort(session, kind="stable")
    worst = np.full(course.sessions.count, np.nan)
    if session.size:
        groups = Groups.by(session[by_session], course.sessions.count)
        worst[groups.present] = np.fmin.reduceat(score[by_session], groups.starts)
    return worst


def _windows(watched: Clock, stalls: Waits, present: Ints) -> tuple[Ints, Ints]:
    """Session rows and beginnings of the windows to look at."""
    length = watched.end[present] - watched.begin[present]
    cuts = length // WINDOW_MS + 1
    session = np.repeat(present, cuts)
    number = np.arange(session.size) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    session = np.concatenate((session, stalls.sessions.of))
    begin = np.concatenate((watched.begin[session[: number.size]] + number * WINDOW_MS, watched.at[stalls.row]))
    latest = np.maximum(watched.end[session] - WINDOW_MS, watched.begin[session])
    return session, np.minimum(begin, latest)


def _load(watched: Clock, stalls: Waits, begin: Ints, end: Ints) -> Floats:
    """The weighed number of stalls that start in each window."""
    opened = watched.at[stalls.row]
    load = np.concatenate((np.zeros(1, np.int64), np.cumsum(stall_weight_ms(stalls.counted_ms))))
    return (load[np.searchsorted(opened, end)] - load[np.searchsorted(opened, begin)]) / ONE_STALL_MS


@dataclass(frozen=True, slots=True)
class _Cut:
    """Windows as rows of the course: from a share of row `first` to a share of row `last`.

    Sums are of integers and shares of one row each, so that what else is in the
    partition cannot change the last digit of a score.
    """

    first: Ints
    last: Ints
    first_share: Floats
    last_share: Floats

    def sum(self, amount: Ints) -> Ints:
        """How much of an amount a row lies in each window, in proportion where a window cuts a row."""
        begin, end = self.clock(amount)
        return end - begin

    def clock(self, amount: Ints) -> tuple[Ints, Ints]:
        """The running sum of an amount a row at each window's beginning and end."""
        padded = np.append(amount, 0)
        total = np.concatenate((np.zeros(1, np.int64), np.cumsum(amount)))
        begin = total[self.first] + np.rint(padded[self.first] * self.first_share).astype(np.int64)
        return begin, total[self.last] + np.rint(padded[self.last] * self.last_share).astype(np.int64)


def _cut(watched: Clock, begin: Ints, end: Ints) -> _Cut:
    step = np.append(np.maximum(np.diff(watched.at), 1), 1)
    first = np.searchsorted(watched.at, begin, side="right") - 1
    last = np.searchsorted(watched.at, end, side="right") - 1
    return _Cut(first, last, (begin - watched.at[first]) / step[first], (end - watched.at[last]) / step[last])


@dataclass(frozen=True, slots=True)
class _Reading:
    """Readings of the played clock: the sample that held then, -1 before the first of all, and for how long it had."""

    sample: Ints
    since: Ints


def _mean(seen: Samples, losses: Floats, begin: _Reading, end: _Reading) -> Floats:
    """The mean loss over play between two readings of the played clock, NaN where none is known."""
    if not losses.size:
        return np.full(begin.sample.size, np.nan)
    unknown = np.isnan(losses)
    whole = np.rint(np.where(unknown, 0, losses) * _PARTS).astype(np.int64)
    known = _between(seen, (~unknown).astype(np.int64), begin, end)
    return np.where(known > 0, _between(seen, whole, begin, end) / np.maximum(known, 1) / _PARTS, np.nan)


def _reading(seen: Samples, clock: Ints) -> _Reading:
    sample = np.searchsorted(seen.at, clock, side="right") - 1
    # A sample holds until the next of its session, and not into the next session's time.
    since = np.minimum(clock - seen.at[sample], seen.played_ms[sample]) if seen.at.size else np.zeros_like(clock)
    return _Reading(sample, since)


def _between(seen: Samples, values: Ints, begin: _Reading, end: _Reading) -> Ints:
    """Values times played time between two readings."""
    total = np.concatenate((np.zeros(1, np.int64), np.cumsum(values * seen.played_ms)))

    def until(reading: _Reading) -> Ints:
        result: Ints = total[reading.sample] + values[reading.sample] * reading.since
        return np.where(reading.sample >= 0, result, 0)

    return until(end) - until(begin)
