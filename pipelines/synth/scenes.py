"""What a session is made of: scenes in order, each with how long it truly lasted."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Scene(IntEnum):
    """What the viewer saw or did."""

    PRELOAD = 0  # the page fetches a film that nobody has asked for
    START = 1  # asked for, and no picture yet
    PLAY = 2
    STALL = 3
    SEEK = 4  # jumped, and waits for the picture there
    SEEK_AGAIN = 5  # jumped on while waiting
    PAUSE = 6
    PAUSE_IN_STALL = 7
    SEEK_PAUSED = 8  # jumped while paused, and still paused
    SLEEP = 9  # the lid is closed: nothing runs, nothing is reported
    STUCK = 10  # the player has given up and shows an error
    END = 11  # lasts for no time; what is said at the end


class Ending(IntEnum):
    """How a session ended."""

    ENDED = 0
    LEFT = 1
    KILLED = 2  # the app, by its user or by the system: not another word
    BROKE_OFF = 3  # a technical error, in the middle
    NO_PICTURE = 4  # a technical error, before the first picture
    ABANDONED = 5  # left before the first picture
    REFUSED = 6  # not paid for, or not allowed in this country
    GAVE_UP = 7  # left while it stalled


UNSEEN: Final = (Ending.NO_PICTURE, Ending.ABANDONED, Ending.REFUSED)
"""Endings before any picture."""

BROKEN: Final = (Ending.BROKE_OFF, Ending.NO_PICTURE, Ending.REFUSED)
"""Endings by an error, of whichever kind."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The scenes of many sessions, a row each, by session and in order.

    `owner` is the session's number, `start_ms` counts from the session's beginning,
    `rung` is the rendition on the screen (0 is the best), `hidden` marks what ran
    in a background tab and `ad` what is advertising.
    """

    owner: Ints
    scene: Codes
    start_ms: Ints
    lasts_ms: Ints
    rung: Codes
    hidden: Bools
    ad: Bools
    sessions: int

    @property
    def length_ms(self) -> Ints:
        """How long each session lasted in all."""
        return np.bincount(self.owner, weights=self.lasts_ms, minlength=self.sessions).astype(np.int64)

    @property
    def last_waits(self) -> Bools:
        """Marks the waits after which nothing moved any more."""
        following = np.append(self.scene[1:], Scene.END)
        waits: Bools = self.is_scene(Scene.STALL, Scene.START) & np.isin(following, (Scene.STUCK, Scene.END))
        return waits

    def is_scene(self, *scenes: Scene) -> Bools:
        """Marks the rows that are one of these."""
        chosen = np.zeros(len(Scene), np.bool_)
        chosen[list(scenes)] = True
        return chosen[self.scene]

    def total_ms(self, where: Bools) -> Ints:
        """Time in the marked rows, by session."""
        return np.bincount(self.owner[where], weights=self.lasts_ms[where], minlength=self.sessions).astype(np.int64)


def begins(owner: Ints) -> Bools:
    """Marks the first row of each session, of rows that lie by session."""
    return np.append(True, owner[1:] != owner[:-1])[: owner.size]


def from_start(owner: Ints, lasts_ms: Ints) -> Ints:
    """When each scene begins, counted from the beginning of its session."""
    ends = np.cumsum(lasts_ms)
    before = ends - lasts_ms
    head = np.searchsorted(owner, owner)
    return before - before[head]
