"""The true course of sessions: start, picture, interruptions and end, to the millisecond."""

from dataclasses import replace
from typing import Final

import numpy as np

from pipelines.synth.interludes import IN_AD, IN_HIDING, SCENES, Interlude, Interludes, interludes
from pipelines.synth.players import Player
from pipelines.synth.population import LADDER, Forgery, Habit, Visits
from pipelines.synth.scenes import BROKEN, UNSEEN, Bools, Codes, Ending, Ints, Scene, Timeline, begins, from_start

START_MS: Final = (300.0, 1.0437)
"""Half of all starts take 0.3 s, one in a hundred more than 3.4 s (Puffer): median, spread of the logarithm."""

_LEAST_PLAY_MS: Final = 400
"""Between two interruptions the picture moves at least so long: else they are one."""

_PRELOAD_SHARE: Final = 0.1
_FIRST_SCENES: Final = 2
_LAST_SCENES: Final = 4


def watch(seen: Visits, rng: np.random.Generator) -> Timeline:
    """What truly happened in each of these sessions."""
    between = interludes(seen, rng)
    line = _laid_out(seen, between, rng)
    line = replace(line, rung=_rungs(seen, line, rng))
    return replace(line, start_ms=from_start(line.owner, line.lasts_ms))


def _laid_out(seen: Visits, between: Interludes, rng: np.random.Generator) -> Timeline:
    """Scenes in order: two to begin with, a stretch of play and its scenes for each interlude, four to end with."""
    width = 1 + np.array([len(SCENES[each]) for each in Interlude])[between.kind]
    number = np.bincount(between.owner, minlength=seen.count)
    inner = np.bincount(between.owner, weights=width, minlength=seen.count).astype(np.int64)
    size = _FIRST_SCENES + inner + _LAST_SCENES
    first = np.cumsum(size) - size
    owner = np.repeat(np.arange(seen.count), size)
    scene = np.full(owner.size, Scene.PLAY, np.int8)
    lasts = np.zeros(owner.size, np.int64)
    hidden, ad = np.zeros(owner.size, np.bool_), np.zeros(owner.size, np.bool_)
    before = np.cumsum(width) - width
    at = first[between.owner] + _FIRST_SCENES + before - np.repeat((np.cumsum(inner) - inner), number)
    lasts[at] = _stretches(seen, between)
    for kind in Interlude:
        rows = np.flatnonzero(between.kind == kind)
        for turn, each in enumerate(SCENES[kind]):
            here = at[rows] + 1 + turn
            scene[here], lasts[here] = each, between.lasts_ms[rows, turn]
            hidden[here], ad[here] = kind in IN_HIDING, kind in IN_AD
    line = Timeline(owner, scene, lasts, lasts, np.zeros(owner.size, np.int8), hidden, ad, seen.count)
    _begin(seen, first, scene, lasts, rng)
    tail = first + size - _LAST_SCENES
    lasts[tail] = _rest(seen, between)
    _end(seen, tail, scene, lasts, rng)
    kept = (lasts > 0) | (scene == Scene.END)
    return Timeline(
        owner[kept], scene[kept], lasts[kept], lasts[kept], line.rung[kept], hidden[kept], ad[kept], seen.count
    )


def _stretches(seen: Visits, between: Interludes) -> Ints:
    """The play before each interlude."""
    place = between.at * seen.play_ms[between.owner]
    since = np.append(0.0, place[:-1])
    since[begins(between.owner)] = 0
    # A change of the rendition interrupts nothing.
    least = np.where(between.kind == Interlude.SWITCH, 0, _LEAST_PLAY_MS)
    lasts: Ints = (place - since + least).astype(np.int64) + 1
    return lasts


def _begin(seen: Visits, first: Ints, scene: Codes, lasts: Ints, rng: np.random.Generator) -> None:
    """Some pages fetch a film before it is asked for; then it is, and the wait for the picture begins."""
    scene[first], scene[first + 1] = Scene.PRELOAD, Scene.START
    preloads = (rng.random(seen.count) < _PRELOAD_SHARE) & np.isin(seen.player, (Player.APP, Player.HLS))
    lasts[first] = np.where(preloads, 1 + rng.exponential(4_000, seen.count), 0).astype(np.int64)
    usual = START_MS[0] * np.exp(START_MS[1] * rng.standard_normal(seen.count))
    # Who leaves before the picture has mostly waited for moments, some for long.
    impatient = 1_500 * np.exp(1.1 * rng.standard_normal(seen.count))
    error = 3_000 + rng.exponential(9_000, seen.count)
    wait = np.select([seen.ending == Ending.ABANDONED, np.isin(seen.ending, UNSEEN)], [impatient, error], default=usual)
    wait = np.where(seen.struck & ~np.isin(seen.ending, UNSEEN), wait + rng.exponential(4_000, seen.count), wait)
    wait = np.where(seen.habit == Habit.BOT, np.minimum(wait, 900), wait)
    lasts[first + 1] = np.clip(wait, 20, 180_000).astype(np.int64)


def _rest(seen: Visits, between: Interludes) -> Ints:
    """What is watched after the last interruption."""
    reached = np.zeros(seen.count)
    np.maximum.at(reached, between.owner, between.at)
    rest = (1 - reached) * seen.play_ms + _LEAST_PLAY_MS
    return np.where(np.isin(seen.ending, UNSEEN), 0, rest).astype(np.int64)


def _end(seen: Visits, tail: Ints, scene: Codes, lasts: Ints, rng: np.random.Generator) -> None:
    """After the rest of the film: the wait in which it may end, what the player shows then, and the last word."""
    scene[tail + 1], scene[tail + 2], scene[tail + 3] = Scene.STALL, Scene.STUCK, Scene.END
    unseen = np.isin(seen.ending, UNSEEN)
    waits = 2_000 + rng.exponential(7_000, seen.count)
    waiting = np.isin(seen.ending, (Ending.BROKE_OFF, Ending.GAVE_UP))
    shown = np.where(np.isin(seen.ending, BROKEN), 1 + rng.exponential(12_000, seen.count), 0)
    # hls.js never says that it has given up: its viewers look at a film that waits.
    endless = (seen.player == Player.HLS) & (seen.ending != Ending.REFUSED)
    stall = np.where(waiting, waits + np.where(endless, shown, 0), 0)
    lasts[tail + 1] = stall.astype(np.int64)
    # Without a picture, the wait for it stands right before the last scenes.
    lasts[tail[unseen & endless] - 1] += shown[unseen & endless].astype(np.int64)
    lasts[tail + 2] = np.where(endless, 0, shown).astype(np.int64)


def _rungs(seen: Visits, line: Timeline, rng: np.random.Generator) -> Codes:
    """The rendition of each scene: it moves with each stretch of play, around what the line can carry."""
    worst = LADDER.size - 1
    usual = np.minimum(rng.geometric(0.8, seen.count) - 1, 2)
    poor = seen.poor_line | (seen.forged != Forgery.NONE)
    usual = np.where(poor, rng.integers(3, worst + 1, seen.count), usual)
    usual = np.where(seen.habit == Habit.BOT, 0, usual)
    wobble = rng.choice((-1, 0, 1, 2), line.owner.size, p=(0.12, 0.72, 0.14, 0.02))
    starts = line.scene == Scene.PLAY
    rung = np.clip(usual[line.owner] + wobble, 0, worst)
    # Between stretches of play the rendition stays as it was.
    last = np.maximum.accumulate(np.where(starts, np.arange(line.owner.size), -1))
    carried = np.where((last >= 0) & (line.owner[last] == line.owner), rung[last], rung)
    rungs: Codes = carried.astype(np.int8)
    return rungs


def counts(line: Timeline) -> Bools:
    """Marks the scenes that a viewer looked at: not in a hidden tab, no advertising, and not with the lid closed."""
    return ~(line.hidden | line.ad | line.is_scene(Scene.SLEEP))
