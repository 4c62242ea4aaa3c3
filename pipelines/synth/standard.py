"""What viewers went through, by the published standard: its figures from the policy, its meaning from the README.

Everything is judged on the true course, never on what was reported of it.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from detectors.finding import PlaybackKind
from pipelines.synth.figures import Playback
from pipelines.synth.players import Player
from pipelines.synth.population import HEIGHTS, LADDER, Forgery, Habit, Visits
from pipelines.synth.scenes import UNSEEN, Bools, Ending, Floats, Ints, Scene, Timeline
from pipelines.synth.viewing import counts

KINDS: Final[tuple[PlaybackKind, ...]] = (
    "playback_stalls",
    "slow_start",
    "playback_failed",
    "low_quality",
    "slow_seeks",
)

_VERY_SLOW: Final = 0.3  # severity of a start that is just very slow
_BROKE_OFF: Final = 0.8  # of a film that had begun
_ALL_LOW: Final = 0.6  # of a picture that was low throughout


@dataclass(frozen=True, slots=True)
class Suffered:
    """By session and kind of `KINDS`: whether it happened, how grave it was (0 to 1), and when it first did.

    `first_ms` counts from the beginning of the session.
    """

    happened: Bools
    severity: Floats
    first_ms: Ints


def suffered(seen: Visits, line: Timeline, rules: Playback) -> Suffered:
    """What each session's viewer suffered. Of bots and forgeries nothing is true: nobody was there."""
    line = _as_seen(seen, line)
    looked = counts(line)
    start_ms = line.total_ms(line.is_scene(Scene.START))
    unseen = np.isin(seen.ending, UNSEEN)
    judged = (
        _stalls(line, looked, rules),
        _slow_start(start_ms, unseen, rules),
        _failed(seen, start_ms, unseen, rules),
        _low(seen, line, looked, rules),
        _seeks(line, looked, rules),
    )
    nobody = (seen.habit == Habit.BOT) | (seen.forged != Forgery.NONE)
    happened = np.column_stack([happened & ~nobody for happened, _ in judged])
    severity = np.column_stack([np.where(happened, grave, 0.0) for happened, grave in judged])
    return Suffered(happened, severity, _first(line, looked))


def _as_seen(seen: Visits, line: Timeline) -> Timeline:
    """dash.js shows no error: when it has given up, its viewers go on looking at a film that stands still."""
    stuck = np.flatnonzero((line.scene == Scene.STUCK) & (seen.player == Player.DASH)[line.owner])
    lasts = line.lasts_ms.copy()
    lasts[stuck - 1] += lasts[stuck]
    lasts[stuck] = 0
    return replace(line, lasts_ms=lasts)


def excess(figure: Floats | Ints, threshold: float) -> Floats:
    """0 at the threshold, a half at twice of it, towards 1 beyond: what the policy says of severity."""
    return np.clip(1 - threshold / np.maximum(figure, max(threshold, 1e-9)), 0, 1)


def _stalls(line: Timeline, looked: Bools, rules: Playback) -> tuple[Bools, Floats]:
    figures = rules.stalls
    stalls = line.is_scene(Scene.STALL) & looked
    waits = line.is_scene(Scene.START, Scene.PLAY, Scene.STALL, Scene.SEEK, Scene.SEEK_AGAIN) & looked
    stalled, watched = line.total_ms(stalls), line.total_ms(waits)
    longest = np.zeros(line.sessions, np.int64)
    np.maximum.at(longest, line.owner[stalls], line.lasts_ms[stalls])
    burst = _most_within(line, stalls & (line.lasts_ms >= figures.burst_stall_ms), figures.burst_window_ms)
    share = np.where(stalled >= figures.bad_ratio_min_stall_ms, stalled / np.maximum(watched, 1), 0.0)
    happened = (share >= figures.bad_ratio) | (burst >= figures.burst_count) | (longest >= figures.long_stall_ms)
    grave = np.maximum(excess(share, figures.bad_ratio), excess(burst, figures.burst_count))
    return happened, np.maximum(grave, excess(longest, figures.long_stall_ms))


def _most_within(line: Timeline, marked: Bools, window_ms: int) -> Ints:
    """The most marked scenes of each session that begin within one window."""
    most = np.zeros(line.sessions, np.int64)
    rows = np.flatnonzero(marked)
    owner, start = line.owner[rows], line.start_ms[rows]
    far = int(line.start_ms.max(initial=0)) + window_ms + 1
    place = owner * far + start
    within = np.arange(rows.size) - np.searchsorted(place, np.maximum(place - window_ms, owner * far)) + 1
    np.maximum.at(most, owner, within)
    return most


def _slow_start(start_ms: Ints, unseen: Bools, rules: Playback) -> tuple[Bools, Floats]:
    slow, very = rules.start.slow_ms, rules.start.very_slow_ms
    slight = _VERY_SLOW * (start_ms - slow) / max(very - slow, 1)
    grave = np.where(start_ms < very, slight, _VERY_SLOW + (1 - _VERY_SLOW) * excess(start_ms, very))
    return ~unseen & (start_ms >= slow), grave


def _failed(seen: Visits, start_ms: Ints, unseen: Bools, rules: Playback) -> tuple[Bools, Floats]:
    broke = np.isin(seen.ending, (Ending.BROKE_OFF, Ending.NO_PICTURE))
    given_up = (seen.ending == Ending.ABANDONED) & (start_ms >= rules.failure.abandoned_ms)
    return broke | given_up, np.where(unseen, 1.0, _BROKE_OFF)


def _low(seen: Visits, line: Timeline, looked: Bools, rules: Playback) -> tuple[Bools, Floats]:
    """A quarter of the best data rate or less at few rows, or very few on a large screen, for most of the time."""
    figures = rules.picture
    played = line.is_scene(Scene.PLAY) & looked
    height = HEIGHTS[seen.is_uhd[line.owner].astype(np.int64), line.rung]
    small = (height <= figures.low_height) & (seen.screen[line.owner] >= figures.min_player_height)
    coarse = (LADDER[line.rung] <= figures.low_bitrate_ratio) & (height < figures.good_height)
    low = played & (coarse | small)
    shown = line.total_ms(played)
    share = line.total_ms(low) / np.maximum(shown, 1)
    grave = _ALL_LOW * (share - figures.share_of_play) / max(1 - figures.share_of_play, 1e-9)
    return (shown >= figures.min_play_ms) & (share >= figures.share_of_play), grave


def _seeks(line: Timeline, looked: Bools, rules: Playback) -> tuple[Bools, Floats]:
    """What the wait after the last jump of each burst has beyond the grace."""
    seeks = line.is_scene(Scene.SEEK, Scene.SEEK_AGAIN) & looked
    jumps_on = np.append(line.scene[1:] == Scene.SEEK_AGAIN, np.zeros(1, np.bool_))
    last = seeks & ~jumps_on
    beyond = np.maximum(line.lasts_ms - rules.timeline.seek_grace_ms, 0)
    waited = np.bincount(line.owner[last], weights=beyond[last], minlength=line.sessions)
    slow_ms = rules.seeks.slow_ms
    return (waited >= slow_ms) & (waited > 0), excess(waited, slow_ms)


def _first(line: Timeline, looked: Bools) -> Ints:
    """The first wait that is nobody's but ours, else the beginning; by session."""
    first = np.full(line.sessions, np.iinfo(np.int64).max)
    stalls = np.flatnonzero(line.is_scene(Scene.STALL) & looked)
    np.minimum.at(first, line.owner[stalls], line.start_ms[stalls])
    return np.where(first < np.iinfo(np.int64).max, first, 0)
