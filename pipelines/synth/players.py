"""The players and their habits: what each reports when something happens, as recorded from the real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from detectors.schemas import STATES
from pipelines.synth.scenes import Codes, Ending, Ints, Scene

SAMPLE: Final = -1
"""A record without a state."""

MOST_TOKENS: Final = 3


class Player(IntEnum):
    """Who reports."""

    APP = 0  # canonical beacons; each confirms the state
    TV = 1  # canonical beacons; a state only when it changes
    DASH = 2  # dash.js: CMCD, as do the rest
    HLS = 3  # hls.js
    SHAKA_DEBUG = 4
    SHAKA = 5  # the production build reports no states at all


CMCD: Final = (Player.DASH, Player.HLS, Player.SHAKA_DEBUG, Player.SHAKA)

_Said = tuple[tuple[str, int], ...]
"""States in the order reported, each with milliseconds since the scene began; no name is a sample."""

_SAME: Final[Mapping[Scene, _Said]] = {
    Scene.PLAY: (("playing", 0),),
    Scene.STALL: (("stalled", 0),),
    Scene.PAUSE: (("paused", 0),),
    Scene.PAUSE_IN_STALL: (("paused", 0),),
}
_BEACONS: Final[Mapping[Scene, _Said]] = {
    **_SAME,
    Scene.PRELOAD: (("preloading", 0),),
    Scene.START: (("starting", 0),),
    Scene.SEEK: (("seeking", 0), ("waiting", 40)),
    Scene.SEEK_AGAIN: (("seeking", 0),),
    Scene.SEEK_PAUSED: (("seeking", 0), ("paused", 90)),
    Scene.STUCK: (("failed", 0),),
}
_TOLD: Final[Mapping[Player, Mapping[Scene, _Said]]] = {
    Player.APP: _BEACONS,
    Player.TV: {**_BEACONS, Scene.SEEK: (("seeking", 0),)},
    Player.DASH: {
        **_SAME,
        Scene.START: (("starting", 0), ("stalled", 780)),
        Scene.SEEK: (("seeking", 0), ("waiting", 12)),
        Scene.SEEK_AGAIN: (("seeking", 0),),
        Scene.SEEK_PAUSED: (("seeking", 0),),
    },
    Player.HLS: {
        **_SAME,
        Scene.PRELOAD: (("preloading", 0),),
        Scene.START: (("preloading", 0), ("starting", 14)),
        Scene.SEEK: (("seeking", 0), ("stalled", 25)),
        Scene.SEEK_PAUSED: (("seeking", 0), ("paused", 60)),
    },
    Player.SHAKA_DEBUG: {
        **_SAME,
        Scene.START: (("stalled", 0),),
        Scene.SEEK: (("seeking", 0), ("stalled", 30)),
        Scene.SEEK_PAUSED: (("seeking", 0), ("stalled", 40), ("playing", 400)),
        Scene.PAUSE_IN_STALL: (("playing", 0), ("paused", 20)),
        Scene.STUCK: (("failed", 0),),
    },
    Player.SHAKA: {Scene.START: (("", 0),)},
}
_LAST_WORDS: Final[Mapping[Player, Mapping[Ending, str]]] = {
    Player.APP: {Ending.ENDED: "ended", Ending.LEFT: "quit", Ending.ABANDONED: "quit", Ending.GAVE_UP: "quit"},
    Player.TV: {Ending.ENDED: "ended", Ending.LEFT: "quit", Ending.ABANDONED: "quit", Ending.GAVE_UP: "quit"},
    Player.DASH: {Ending.ENDED: "ended"},
    Player.HLS: {Ending.ENDED: "ended"},
    Player.SHAKA_DEBUG: {Ending.ENDED: "ended"},
    Player.SHAKA: {},
}


@dataclass(frozen=True, slots=True)
class Habits:
    """The same as arrays. By player, scene and turn: `state` (`SAMPLE` is none) and `offset_ms`; `count` of turns."""

    state: Codes
    offset_ms: Ints
    count: Ints
    last_word: Codes  # by player and ending


def _habits() -> Habits:
    state = np.full((len(Player), len(Scene), MOST_TOKENS), SAMPLE, np.int8)
    count = np.zeros(state.shape[:2], np.int64)
    offset_ms = np.zeros(state.shape, np.int64)
    for player, scenes in _TOLD.items():
        for scene, said in scenes.items():
            count[player, scene] = len(said)
            for turn, (name, after_ms) in enumerate(said):
                state[player, scene, turn] = STATES.index(name) if name else SAMPLE
                offset_ms[player, scene, turn] = after_ms
    last_word = np.full((len(Player), len(Ending)), SAMPLE, np.int8)
    for player, endings in _LAST_WORDS.items():
        for ending, name in endings.items():
            last_word[player, ending] = STATES.index(name)
    return Habits(state, offset_ms, count, last_word)


HABITS: Final = _habits()
