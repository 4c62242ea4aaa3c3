"""How each session ended: played, failed, given up before the first picture, or broken off in a wait."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.playback.errors import Errors
from detectors.playback.groups import Bools, Ints
from detectors.playback.rules import ERROR_LEAD_MS, Failure
from detectors.playback.spans import Spans
from detectors.playback.timeline import FAILED, PLAYING, QUIT, WAITING_MODES, Course, Mode, among

_NEVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Outcomes:
    """By session row. `gave_way_at` is when the wait that ended it began, on the client's clock, where there is one."""

    played: Bools
    failed: Bools
    exit_before_start: Bools
    unfinished: Bools
    gave_way_at: Ints


def outcomes(course: Course, spans: Spans, errors: Errors, rules: Failure) -> Outcomes:
    """The end of every session.

    A session failed if its last word is a failure or a fatal error, or if it ended
    in a wait, or before the first picture, with an error at most
    `ERROR_LEAD_MS` before that wait began. An error of business or rights in that
    time makes it neither failed nor given up: the service did what it meant to.
    """
    played = course.sessions.sum(course.state == PLAYING) > 0
    if not course.at.size:
        return Outcomes(played, played, played, played, np.full(played.size, _NEVER))
    final = spans.final()
    some = final >= 0
    over = some & (spans.mode[final] == Mode.OVER)
    closing = np.where(over, course.state[spans.first[final]], -1)
    stop = _before(spans, final, over & ((closing == FAILED) | (closing == QUIT)))
    waiting = some & among(spans.mode[stop], WAITING_MODES)
    gave_way_at = _gave_way(spans, final, stop, waiting, closing == FAILED)
    asked = spans.sessions.sum(spans.mode == Mode.START) > 0
    unplayed = ~played & asked
    gave_way_at = np.where(unplayed, course.sessions.least(course.at, _NEVER), gave_way_at)
    near = errors.time >= gave_way_at[errors.session] - ERROR_LEAD_MS
    business = _any(errors, near & errors.business, played.size)
    technical = _any(errors, near & ~errors.business, played.size)
    broke = (closing == FAILED) | ((waiting | unplayed) & technical & course.known)
    failed = broke & ~business
    waited = spans.total(Mode.START) > rules.min_wait_ms
    return Outcomes(
        played=played,
        failed=failed,
        exit_before_start=course.known & ~played & ~failed & ~business & waited,
        unfinished=course.known & some & among(spans.mode[final], WAITING_MODES),
        gave_way_at=gave_way_at,
    )


def _before(spans: Spans, final: Ints, closed: Bools) -> Ints:
    """The span before the closing one where there is one, else the last."""
    earlier = np.maximum(final - 1, 0)
    same = spans.sessions.of[earlier] == spans.sessions.of[final]
    return np.where(closed & same & (final > 0), earlier, final)


def _gave_way(spans: Spans, final: Ints, stop: Ints, waiting: Bools, broke: Bools) -> Ints:
    at = np.where(broke, spans.started_at[final], _NEVER)
    return np.where(waiting, spans.started_at[stop], at)


def _any(errors: Errors, where: Bools, sessions: int) -> Bools:
    return np.bincount(errors.session[where], minlength=sessions) > 0
