"""Fingerprints of a visit's course, by which a copy of it under another name and date is found.

How long a viewer watched, waited and paused, to the millisecond, is one of a kind
after a few changes. A fingerprint covers as many changes of state in a row as it
takes to tell that: the states, and how long each held. Names, dates, the order and
repetition of records, samples between changes and all other figures leave it
alone. A visit keeps `KEPT` of its fingerprints, the smallest, so that a copy that
was cut short or made longer most likely still shares one (min-wise hashing; Broder
1997).
"""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from detectors.playback.groups import Groups, Ints
from detectors.playback.timeline import UNKNOWN, Course

KEPT: Final = 4

BITS: Final = 64
"""What the durations of a fingerprint must tell: two honest visits agree in that much once in 2^64 times."""

LONGEST: Final = 16
"""Durations that tell less than this many of them together are those of a coarse clock, which many visits share."""

_Words = NDArray[np.uint64]

# The increment and the multipliers of SplitMix64 (Steele, Lea and Flood 2014).
_STEP, _FIRST, _SECOND = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def fingerprints(course: Course) -> pl.Series:
    """Up to `KEPT` fingerprints of each session row, numbers of 64 bits as text; none where it tells too little."""
    state, lasted, sessions = _changes(course)
    told = np.concatenate((np.zeros(1, np.int64), np.cumsum(_told(lasted))))
    word = _mixed((state.astype(np.uint64) << np.uint64(56)) ^ lasted.view(np.uint64))
    first = np.arange(state.size)
    last = np.searchsorted(told, told[:-1] + BITS)
    whole = (last - first <= LONGEST) & (last <= state.size)
    whole[whole] = sessions.of[first[whole]] == sessions.of[last[whole] - 1]
    first, last = first[whole], last[whole]
    hashed = np.zeros(first.size, np.uint64)
    for k in range(LONGEST):
        more = first + k < last
        hashed[more] = _mixed(hashed[more] + word[first[more] + k])
    return _smallest(sessions.of[first], hashed, course.known.size)


def _changes(course: Course) -> tuple[Ints, Ints, Groups]:
    """The states that others followed, how long each held in milliseconds, and the session rows."""
    known = np.flatnonzero(course.state != UNKNOWN)
    state, owner = course.state[known], course.sessions.of[known]
    new = np.ones(known.size, np.bool_)
    new[1:] = (state[1:] != state[:-1]) | (owner[1:] != owner[:-1])
    state, owner, at = state[new].astype(np.int64), owner[new], course.at[known[new]]
    followed = np.append(owner[1:] == owner[:-1], np.zeros(min(owner.size, 1), np.bool_))
    lasted = np.diff(at, append=at[-1:])
    return state[followed], lasted[followed], Groups.by(owner[followed], course.known.size)


def _told(lasted: Ints) -> Ints:
    """How many bits each duration tells; 8,000 ms are 8 of a coarse clock's units, and tell no more than these."""
    digits = np.abs(lasted)
    for _ in range(18):
        round_ones = (digits > 0) & (digits % 10 == 0)
        if not round_ones.any():
            break
        digits = np.where(round_ones, digits // 10, digits)
    return np.frexp(np.maximum(digits, 1))[1].astype(np.int64) - 1


def _mixed(word: _Words) -> _Words:
    word = word + _STEP
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    return word ^ (word >> np.uint64(31))


def _smallest(owner: Ints, hashed: _Words, sessions: int) -> pl.Series:
    kept = (
        pl.DataFrame({"owner": owner, "hashed": hashed})
        .unique()
        .sort("owner", "hashed")
        .group_by("owner", maintain_order=True)
        .agg(pl.col("hashed").head(KEPT).cast(pl.String))
    )
    every = pl.DataFrame({"owner": np.arange(sessions)}).join(kept, on="owner", how="left", maintain_order="left")
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return every.select(pl.col("hashed").fill_null(nothing).alias("fingerprints")).to_series()
