"""From ordered records to spans of one mode: playing, stalled, seeking and the rest, with the time that counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from detectors.playback.groups import Bools, Codes, Groups, Ints, changes, taken
from detectors.playback.records import Records
from detectors.playback.rules import Timeline
from detectors.schemas import STATES, Channel


class Mode(IntEnum):
    """What a stretch of a session is. After the first picture a higher mode outlasts a lower one until `playing`."""

    PLAY = 0
    PRELOAD = 1  # loading that nobody has asked for
    RESTART = 2  # getting ready again after the first picture, as between two titles
    STALL = 3
    SEEK = 4
    PAUSE = 5
    OVER = 6  # ended, left or failed for good
    START = 7  # waiting for the first picture


PLAYING, STALLED, SEEKING, WAITING, PAUSED, ENDED, FAILED, QUIT, PRELOADING = (
    STATES.index(name)
    for name in ("playing", "stalled", "seeking", "waiting", "paused", "ended", "failed", "quit", "preloading")
)
UNKNOWN: Final = -1
"""A record without a state, or with one that was taken back."""

FIRST_NUMBER: Final = 1
"""Players count their records from 0 or from 1."""


_AFTER_START: Final = {
    "preloading": Mode.PRELOAD,
    "starting": Mode.RESTART,
    "playing": Mode.PLAY,
    "stalled": Mode.STALL,
    "seeking": Mode.SEEK,
    "waiting": Mode.RESTART,  # a stall only where it follows playing
    "paused": Mode.PAUSE,
    "ended": Mode.OVER,
    "failed": Mode.OVER,
    "quit": Mode.OVER,
}
_BEFORE_START: Final = {"preloading": Mode.PRELOAD, "paused": Mode.PAUSE} | dict.fromkeys(
    ("ended", "failed", "quit"), Mode.OVER
)
# The last entry is what an unknown state, -1, reads.
_MODE_AFTER_START: Final = np.array([*(_AFTER_START[state] for state in STATES), Mode.PLAY], np.int8)
_MODE_BEFORE_START: Final = np.array([*(_BEFORE_START.get(state, Mode.START) for state in STATES), Mode.START], np.int8)


WAITING_MODES: Final = (Mode.START, Mode.STALL, Mode.SEEK)
"""Modes in which the viewer waits for a picture that was asked for."""

_AT_THE_START: Final = tuple(map(STATES.index, ("preloading", "starting", "stalled", "waiting")))
"""States that may be named before the first picture."""


def among(mode: Codes, modes: Iterable[int]) -> Bools:
    """Marks the entries that are one of `modes`."""
    chosen = np.zeros(len(Mode), np.bool_)
    chosen[list(modes)] = True
    return chosen[mode]


@dataclass(frozen=True, slots=True)
class Course:
    """The timeline's records, one a row, and what holds from each until the next.

    `at` is on the client's clock; `counted_ms` is the time until the next record that
    counts; `counts` is false in the background, in an ad and in device sleep;
    `record` points into the `Records`; `clamped` marks steps back of the clock.
    """

    sessions: Groups
    record: Ints
    at: Ints
    state: Codes
    mode: Codes
    counted_ms: Ints
    counts: Bools
    clamped: Bools
    known: Bools  # by session row: at least one state was reported

    def of(self, rows: Ints) -> "Course":
        """The same of these session rows alone, which ascend; they are numbered anew."""
        at, sessions = self.sessions.rows(rows)
        return Course(
            sessions=sessions,
            record=self.record[at],
            at=self.at[at],
            state=self.state[at],
            mode=self.mode[at],
            counted_ms=self.counted_ms[at],
            counts=self.counts[at],
            clamped=self.clamped[at],
            known=self.known[rows],
        )


def follow(records: Records, rules: Timeline) -> Course:
    """The course of every session with a timeline, under the rules of DOMAIN 2.2.

    Args:
      records: as `records.select` orders them.
      rules: `sleep_gap_ms` and `open_stall_cap_ms` are used.
    """
    record = np.flatnonzero(records.timeline)
    whole = record.size == records.row.size
    sessions = records.sessions if whole else Groups.by(records.sessions.of[record], records.sessions.count)
    at = taken(records.time, record)
    reported = taken(records.codes("state"), record)
    state = _settled_failures(reported, taken(records.codes("fatal"), record) == 1, sessions)
    mode = _modes(state, sessions, _midway(records, record, state, sessions))
    step = np.diff(at, append=at[-1:])
    step[_tails(sessions)] = 0
    asleep = _asleep(step, state, sessions, rules.sleep_gap_ms)
    counts = ~asleep & ~_elsewhere(records, record, sessions)
    long = among(mode, WAITING_MODES) & (step > rules.open_stall_cap_ms)
    return Course(
        sessions=sessions,
        record=record,
        at=at,
        state=state,
        mode=mode,
        counted_ms=np.where(counts, np.where(long, rules.open_stall_cap_ms, np.maximum(step, 0)), 0),
        counts=counts,
        clamped=step < 0,
        known=sessions.sum(reported != UNKNOWN) > 0,
    )


def _tails(sessions: Groups) -> Ints:
    return np.append(sessions.starts[1:], sessions.of.size) - 1 if sessions.of.size else sessions.starts


def _settled_failures(reported: Codes, fatal: Bools, sessions: Groups) -> Codes:
    """The states with failures that passed taken out, and fatal errors that did not put in.

    A failure passed if the picture came back, or the title reached its end after
    it had been playing: players report failed segments that they got over.
    """
    failed = (reported == FAILED) | fatal
    if not failed.any():
        return reported
    plays = reported == PLAYING
    began = sessions.carried(plays) >= 0
    recovery = sessions.last(plays | ((reported == ENDED) & began))[sessions.of]
    passed = np.arange(reported.size) < recovery
    state = reported.copy()
    state[passed & (reported == FAILED)] = UNKNOWN
    state[failed & ~passed] = FAILED
    return state


def _midway(records: Records, record: Ints, state: Codes, sessions: Groups) -> Bools:
    """Marks the session rows whose beginning is not among the records, so that nobody waited for it here.

    After a night with the lid closed a player goes on in the middle of the film and of
    its count, and its samples name no state. CMCD counts by session. Other counts may
    have begun before, so that there a first state that may be the beginning's is taken
    for that.
    """
    if not records.has("sequence") or not state.size:
        return np.zeros(sessions.count, np.bool_)
    number = taken(records.whole("sequence"), record)
    first = sessions.first(state != UNKNOWN)
    by_session = records.channel[record[first]] == Channel.CMCD_EVENT
    may_begin = np.where(by_session, np.isin(state[first], _AT_THE_START[:2]), np.isin(state[first], _AT_THE_START))
    return (sessions.least(number, 0) > FIRST_NUMBER) & (first >= 0) & ~may_begin


def _modes(state: Codes, sessions: Groups, midway: Bools) -> Codes:
    """The mode that holds from each row, by one running maximum over stretches that `playing` opens."""
    opens = (state == PLAYING) | changes(sessions.of)
    stretch = np.cumsum(opens)
    level = _MODE_AFTER_START[state]
    level[_opening_waits(state, sessions)] = Mode.STALL
    mode = (np.maximum.accumulate(stretch * 8 + level) & 7).astype(np.int8)
    first = np.flatnonzero(opens)
    before = np.flatnonzero((state[first] != PLAYING)[stretch - 1] & ~midway[sessions.of])
    mode[before] = _modes_before_start(state[before], sessions.of[before], mode[before])
    return mode


def _opening_waits(state: Codes, sessions: Groups) -> Ints:
    """Rows at which `waiting` opens a stall: it follows playing. After a stall it only goes on."""
    waiting = np.flatnonzero(state == WAITING)
    if not waiting.size:
        return waiting
    known = np.flatnonzero(state != UNKNOWN)
    before = known[np.maximum(np.searchsorted(known, waiting) - 1, 0)]
    follows = (sessions.of[before] == sessions.of[waiting]) & (state[before] == PLAYING) & (before < waiting)
    opening: Ints = waiting[follows]
    return opening


def _modes_before_start(state: Codes, session: Ints, running: Codes) -> Codes:
    """Modes until the first picture: by the last state, except that what is over stays over.

    Rows before the first state take its mode where that is loading or a pause:
    nobody had asked for the picture yet.
    """
    groups = Groups.by(np.cumsum(changes(session)) - 1, session.size)
    last = groups.carried(state != UNKNOWN)
    first = groups.first(state != UNKNOWN)[groups.of]
    source = np.where(last >= 0, last, first)
    mode = np.where(source >= 0, _MODE_BEFORE_START[state[source]], np.int8(Mode.START))
    mode[(last < 0) & (mode == Mode.OVER)] = Mode.START
    mode[(running == Mode.OVER) & (last >= 0)] = Mode.OVER
    return mode


def _asleep(step: Ints, state: Codes, sessions: Groups, gap_ms: int) -> Bools:
    """Marks silences longer than `gap_ms` in sessions whose heartbeats were due.

    Heartbeats are records that bring no change of state: at least two, most of
    them within half of `gap_ms` of the record before. Players that report
    only changes are silent while nothing happens, and that is no sleep.
    """
    silent = step > gap_ms
    if not silent.any():
        return silent
    last = sessions.carried(state != UNKNOWN)
    beat = np.ones(state.size, np.bool_)
    beat[1:] = (state[1:] == UNKNOWN) | ((last[:-1] >= 0) & (state[1:] == state[last[:-1]]))
    beat[sessions.starts] = False
    prompt = np.zeros(state.size, np.bool_)
    prompt[1:] = beat[1:] & (step[:-1] <= gap_ms // 2)
    beats, prompts = sessions.sum(beat), sessions.sum(prompt)
    due = (prompts >= 2) & (2 * prompts >= beats)  # noqa: PLR2004 - two are the fewest that make a rhythm
    return silent & due[sessions.of]


def _elsewhere(records: Records, record: Ints, sessions: Groups) -> Bools:
    """Marks rows in the background or in an ad.

    Either holds until a record says otherwise. CMCD names the background only while
    it lasts, so that there a record without it is in the foreground.
    """
    elsewhere = np.zeros(record.size, np.bool_)
    for name in ("background", "ad"):
        if records.has(name):
            said = taken(records.codes(name), record)
            if name == "background":
                said = np.where((said < 0) & (taken(records.channel, record) == Channel.CMCD_EVENT), 0, said)
            last = sessions.carried(said >= 0)
            elsewhere |= (last >= 0) & (said[last] == 1)
    return elsewhere
