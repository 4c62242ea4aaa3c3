"""What no honest player can report, however clumsy it is.

A clock that is set forward or back, a device that slept, records that come twice,
in batches or in any order are none of it. What needs the service's own records to be
told (more watching than there was time for since playback was allowed, failures
before it, or from the future) is told where these are known: in
`remediation.policy.trust`.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from detectors.playback.groups import Bools, Groups, Ints
from detectors.playback.records import Records
from detectors.playback.timeline import Course

EXCESS_MS: Final = 60_000
"""Time that was counted more than once: less is how finely clocks and reports agree."""

CLOCK_STEPS: Final = 2
"""A clock may be set back so often in one visit: once by hand, once more when it is set by the network."""

MOST: Final[Mapping[str, float]] = {
    "bitrate_kbps": 1e6,  # a gigabit a second; studio masters have less
    "top_bitrate_kbps": 1e6,
    "height": 20_000,  # sixteen times the rows of full HD, and more
    "player_height": 20_000,
    "frame_rate": 1_000,
    "playback_rate": 256,  # set-top boxes wind at up to 128 times
}
"""The largest figure, forward or backward, that any player has reason to report."""


def doubts(records: Records, record: Ints, sessions: Groups, course: Course) -> dict[str, Bools]:
    """Marks by session row of `course` for each way in which its reports cannot be so.

    Args:
      records: All records.
      record: The numbers of those that belong to the sessions of `course`.
      sessions: To which of these each belongs.
      course: What the sessions' timelines came to.
    """
    return {
        "beyond_wall_clock": _beyond_wall_clock(course),
        "absurd_figures": _absurd_figures(records, record, sessions),
    }


def _beyond_wall_clock(course: Course) -> Bools:
    """The parts add up to more than lies between the first report and the last, since time was gone through again."""
    step = np.diff(course.at, append=course.at[-1:])
    step[np.append(course.sessions.starts[1:], course.at.size) - 1] = 0
    total = course.sessions.sum(np.maximum(step, 0))
    span = course.sessions.greatest(course.at, 0) - course.sessions.least(course.at, 0)
    return (total - span > EXCESS_MS) & (course.sessions.sum(course.clamped) > CLOCK_STEPS)


def _absurd_figures(records: Records, record: Ints, sessions: Groups) -> Bools:
    # Nearly always nobody reports such a thing, and then no record need be looked at by itself.
    met = [name for name in MOST if records.has(name) and _exceeded(records.frame[name], MOST[name])]
    if not met:
        return np.zeros(sessions.count, np.bool_)
    said = records.frame.select(met)[records.row[record]]
    absurd = said.select(pl.any_horizontal(pl.col(name).abs() > MOST[name] for name in met)).to_series()
    return sessions.sum(absurd.fill_null(value=False).to_numpy()) > 0


def _exceeded(values: pl.Series, most: float) -> bool:
    low, high = values.min(), values.max()
    return isinstance(low, int | float) and isinstance(high, int | float) and max(-low, high) > most
