"""What interrupts a film: stalls, jumps, pauses, other tabs, advertising, closed lids; when, and for how long."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from pipelines.synth.players import CMCD
from pipelines.synth.population import Forgery, Habit, Visits
from pipelines.synth.recipe import HOUR_MS
from pipelines.synth.scenes import UNSEEN, Bools, Codes, Ending, Floats, Ints, Scene

STALLED_SHARE: Final = 0.04
"""Of real streams so many had any stall (Puffer, 637,189 streams); 0.17 % of the time watched was stalled."""

_STALL_MS: Final = (2_100.0, 1.1)  # median, and spread of the logarithm
_SEEK_MS: Final = (350.0, 0.9)
_POOR_SEEK_MS: Final = (7_500.0, 0.7)  # where the line is too slow for jumps
_PAUSE_MS: Final = (25_000.0, 1.3)
_HIDDEN_MS: Final = (60_000.0, 1.1)
_AD_MS: Final = (20_000.0, 0.4)
_SLEEP_MS: Final = (900_000.0, 1.0)
_CLOSE_SHARE: Final = 0.5  # of the sessions with stalls have them close together
_BOT_WAITS_MS: Final = 900
_MOST_STALLS: Final = 40
_MOST_SEEKS: Final = 60


class Interlude(IntEnum):
    """One interruption, of up to three scenes."""

    STALL = 0
    STALL_PAUSE = 1
    STALL_SEEK = 2
    SEEK = 3
    BURST = 4
    PAUSE = 5
    PAUSE_SEEK = 6
    HIDDEN = 7
    HIDDEN_STALL = 8
    AD = 9
    AD_STALL = 10
    SLEEP = 11
    SWITCH = 12  # of the rendition; no scene of its own


SCENES: Final[dict[Interlude, tuple[Scene, ...]]] = {
    Interlude.STALL: (Scene.STALL,),
    Interlude.STALL_PAUSE: (Scene.STALL, Scene.PAUSE_IN_STALL),
    Interlude.STALL_SEEK: (Scene.STALL, Scene.SEEK),
    Interlude.SEEK: (Scene.SEEK,),
    Interlude.BURST: (Scene.SEEK, Scene.SEEK_AGAIN, Scene.SEEK_AGAIN),
    Interlude.PAUSE: (Scene.PAUSE,),
    Interlude.PAUSE_SEEK: (Scene.PAUSE, Scene.SEEK_PAUSED),
    Interlude.HIDDEN: (Scene.PLAY,),
    Interlude.HIDDEN_STALL: (Scene.PLAY, Scene.STALL, Scene.PLAY),
    Interlude.AD: (Scene.PLAY,),
    Interlude.AD_STALL: (Scene.PLAY, Scene.STALL, Scene.PLAY),
    Interlude.SLEEP: (Scene.SLEEP,),
    Interlude.SWITCH: (),
}
IN_HIDING: Final = (Interlude.HIDDEN, Interlude.HIDDEN_STALL)
IN_AD: Final = (Interlude.AD, Interlude.AD_STALL)


@dataclass(frozen=True, slots=True)
class Interludes:
    """A row each, by session and by `at`, the share of the film that was watched before; `lasts_ms` by scene."""

    owner: Ints
    at: Floats
    kind: Codes
    lasts_ms: Ints


def interludes(seen: Visits, rng: np.random.Generator) -> Interludes:
    """Everything that interrupts these sessions."""
    pictured = ~np.isin(seen.ending, UNSEEN)
    minutes = seen.play_ms / 60_000 * pictured
    bot = seen.habit == Habit.BOT
    owners: list[Ints] = []
    kinds: list[Codes] = []
    at: list[Floats] = []
    for rate, among, shares in _rates(seen, minutes):
        number = np.minimum(rng.poisson(rate), _MOST_SEEKS) * (pictured & (~bot | (among == (Interlude.SEEK,))))
        owner = np.repeat(np.arange(seen.count), number)
        owners.append(owner)
        kinds.append(np.array(among, np.int8)[rng.choice(len(among), owner.size, p=shares)])
        at.append(rng.random(owner.size))
    owner, place = _stalls(seen, minutes, pictured & ~bot, rng)
    owners.append(owner)
    at.append(place)
    kinds.append(np.array([0, 1, 2], np.int8)[rng.choice(3, owner.size, p=(0.94, 0.03, 0.03))])
    return _in_order(seen, np.concatenate(owners), np.concatenate(at), np.concatenate(kinds), rng)


def _rates(seen: Visits, minutes: Floats) -> tuple[tuple[Floats, tuple[Interlude, ...], tuple[float, ...]], ...]:
    """How often each comes, by session, and how often it takes which form."""

    def often(ordinary: float, habit: Habit, then: Floats) -> Floats:
        return np.where(seen.habit == habit, then, ordinary * minutes)

    few = np.minimum(minutes, 30)
    return (
        (often(0.03, Habit.SCRUBBER, 4 + few), (Interlude.SEEK, Interlude.BURST), (0.7, 0.3)),
        (30.0 * (seen.habit == Habit.BOT), (Interlude.SEEK,), (1.0,)),
        (often(0.02, Habit.PAUSER, 1 + few / 5), (Interlude.PAUSE, Interlude.PAUSE_SEEK), (0.94, 0.06)),
        (often(0.001, Habit.BACKGROUND, 1 + few / 10), IN_HIDING, (0.98, 0.02)),
        (0.012 * minutes * ~np.isin(seen.player, CMCD), IN_AD, (0.98, 0.02)),
        (0.0006 * minutes, (Interlude.SLEEP,), (1.0,)),
        (0.1 * minutes, (Interlude.SWITCH,), (1.0,)),
    )


def _stalls(seen: Visits, minutes: Floats, possible: Bools, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Stalls come to few sessions and then in numbers; half of the time close together."""
    hazard = np.sqrt(np.minimum(minutes, 60)) * possible
    before_an_end = np.isin(seen.ending, (Ending.BROKE_OFF, Ending.GAVE_UP)).mean()
    chance = (STALLED_SHARE - before_an_end) * possible.sum() * hazard / max(hazard.sum(), 1e-9)
    stalled = rng.random(seen.count) < chance
    number = np.where(stalled, np.minimum(rng.zipf(2.2, seen.count), _MOST_STALLS), 0)
    broken = possible & (seen.struck | (seen.forged != Forgery.NONE))
    number = np.where(broken, 4 + rng.integers(0, 12, seen.count), number)
    owner = np.repeat(np.arange(seen.count), number)
    close = rng.random(seen.count) < _CLOSE_SHARE
    begin = rng.random(seen.count) * 0.7
    place = rng.random(owner.size)
    return owner, np.where(close[owner], begin[owner] + place * 0.3, place)


def _in_order(seen: Visits, owner: Ints, at: Floats, kind: Codes, rng: np.random.Generator) -> Interludes:
    order = np.lexsort((at, owner))
    owner, at, kind = owner[order], at[order], kind[order]
    return Interludes(owner, at, kind, _lasting(seen, owner, kind, rng))


def _lasting(seen: Visits, owner: Ints, kind: Codes, rng: np.random.Generator) -> Ints:
    """How long each scene of each interlude lasts, in milliseconds."""
    lasts = np.zeros((owner.size, 3), np.int64)
    slow = seen.slow_jumps[owner]
    for each, scenes in SCENES.items():
        rows = np.flatnonzero(kind == each)
        for turn, scene in enumerate(scenes):
            middle, spread = _usual(each, scene, is_last=turn == len(scenes) - 1)
            middles = np.where(slow[rows], _POOR_SEEK_MS[0], middle) if scene == Scene.SEEK else middle
            lasts[rows, turn] = middles * np.exp(spread * rng.standard_normal(rows.size))
    burst = np.flatnonzero(kind == Interlude.BURST)
    # Who looks for a scene jumps on within two seconds; the last jump is waited for.
    lasts[burst, :2] = rng.integers(150, 1_800, (burst.size, 2))
    lasts[burst, 2] = np.where(slow[burst], 20, 1) * lasts[burst, 2]
    # A program loads no more than it needs.
    most = np.where((seen.habit == Habit.BOT)[owner], _BOT_WAITS_MS, 4 * HOUR_MS)
    return np.clip(lasts, 1, most[:, np.newaxis])


def _usual(interlude: Interlude, scene: Scene, *, is_last: bool) -> tuple[float, float]:
    if scene == Scene.PLAY:
        return _HIDDEN_MS if interlude in IN_HIDING else _AD_MS
    if scene == Scene.STALL:
        return _STALL_MS
    if scene in (Scene.SEEK, Scene.SEEK_AGAIN):
        return _SEEK_MS
    if scene == Scene.SLEEP:
        return _SLEEP_MS
    return _PAUSE_MS if is_last else (8_000.0, 1.0)
