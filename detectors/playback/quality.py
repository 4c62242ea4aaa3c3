"""What a viewer would have said of a stretch of playback: a score on the mean-opinion scale, 1 to 5."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.playback.groups import Bools, Floats, Ints

WINDOW_MS: Final = 300_000
"""Five minutes: long enough to be rated, short enough that a ruined quarter of an hour stays visible."""

ONE_STALL_MS: Final = 1_000
"""Anything shorter is a fraction of a stall; Mux leaves freezes below this out altogether."""

# Least squares over the 810 rated sessions of Waterloo SQoE-IV (doi 10.21227/j15a-8r35, ratings mapped linearly to
# 1-5), once for each of what may be known. Where the height is, the bitrate adds next to nothing; that it adds
# at all keeps a better encoding from scoring worse. Top rendition and frame rate hardly vary there: they are priors.
_BY_BOTH: Final = 1.3
_BY_BITRATE: Final = 0.32
_BY_HEIGHT: Final = 1.41
_BITRATE_BESIDE_HEIGHT: Final = 0.04  # a doubling, from 1 Mbit/s
_BITRATE_ALONE: Final = 0.39
_HEIGHT_BESIDE_BITRATE: Final = 0.68  # a doubling, up to the player's own height
_HEIGHT_ALONE: Final = 0.75
_TOP: Final = 0.15  # a doubling, up to the best rendition of the title
_FRAME_RATE: Final = 0.2  # a doubling, up to 30 a second
_USUAL_SCREEN_HEIGHT: Final = 1080.0  # where the player's height is unknown
_SMOOTH_FRAME_RATE: Final = 30.0
_PICTURE_UNKNOWN: Final = 0.85

# DOMAIN 2.4: at 9 % stalled in five minutes, one stall is all but forgiven and ten ruin the film, so the
# count must weigh more than in proportion.
_STALL_WEIGHT: Final = 0.037
_STALL_POWER: Final = 1.45
_SHARE_WEIGHT: Final = 0.7
_SHARE_SQUARE_WEIGHT: Final = 2.0
_START_PATIENCE_MS: Final = 2_000  # abandonment begins here (Krishnan and Sitaraman 2012)
_START_WEIGHT_PER_S: Final = 0.015
_START_CEILING_MS: Final = 60_000

_RECENT_MS: Final = 120_000
_OLD_STALL_WEIGHT: Final = 0.7


@dataclass(frozen=True, slots=True)
class Experience:
    """Stretches of playback, one an entry; NaN is unknown.

    `stall_load` is the number of stalls, each weighed by `stall_weight_ms` and, over a
    whole session, by `recency`. `shown` is false where no picture ever came.
    """

    played_ms: Floats
    stall_ms: Floats
    stall_load: Floats
    startup_ms: Floats
    bitrate_kbps: Floats
    top_bitrate_kbps: Floats
    height: Floats
    player_height: Floats
    frame_rate: Floats
    shown: Bools


def stall_weight_ms(stall_ms: Ints) -> Ints:
    """How much each stall counts, `ONE_STALL_MS` being one: a second or more is one, a flicker of 100 ms a tenth."""
    return np.clip(stall_ms, 0, ONE_STALL_MS)


def recency(played_since_ms: Floats) -> Floats:
    """The weight of a stall by the play that followed it: 1 at the end, falling to 0.7.

    Age is counted in played time, so that a longer stall cannot make an earlier one milder.
    """
    return _OLD_STALL_WEIGHT + (1 - _OLD_STALL_WEIGHT) * np.exp(-played_since_ms / _RECENT_MS)


def quality_score(experience: Experience) -> Floats:
    """Expected mean opinion, 1 (bad) to 5 (excellent), one an entry.

    More or longer stalls and a longer start never raise it; more bitrate, height or
    frame rate never lowers it. Where nothing is known of the picture a good one is
    assumed, where nothing was ever shown the score is 1. On SQoE-IV it correlates
    with the ratings at 0.63 by bitrate alone and 0.68 by height, VMAF's mean at 0.62.

    Returns:
      Float64 to three decimals, NaN where neither stalls nor picture are known.
    """
    picture = _picture(experience)
    harm = _stall_harm(experience) + _start_harm(experience)
    known = ~(np.isnan(experience.stall_ms) & np.isnan(picture))
    score = 1 + 4 * np.where(np.isnan(picture), _PICTURE_UNKNOWN, picture) * np.exp(-harm)
    return np.where(known, np.where(experience.shown, np.round(score, 3), 1.0), np.nan)


def _stall_harm(experience: Experience) -> Floats:
    """Shares are of play and stalls, never of wall clock alone, so that a longer stall cannot thin out the others."""
    played = np.nan_to_num(experience.played_ms)
    stalled = np.nan_to_num(experience.stall_ms)
    per_window = np.nan_to_num(experience.stall_load) * WINDOW_MS / np.maximum(played, WINDOW_MS)
    share = stalled / np.maximum(played + stalled, 1.0)
    return _STALL_WEIGHT * per_window**_STALL_POWER + _SHARE_WEIGHT * share + _SHARE_SQUARE_WEIGHT * share**2


def _start_harm(experience: Experience) -> Floats:
    waited = np.clip(np.nan_to_num(experience.startup_ms), _START_PATIENCE_MS, _START_CEILING_MS)
    return (waited - _START_PATIENCE_MS) / 1000 * _START_WEIGHT_PER_S


def _picture(experience: Experience) -> Floats:
    """0 (nothing to see) to 1 by what is known of the picture, NaN where nothing is."""
    screen = np.where(np.isnan(experience.player_height), _USUAL_SCREEN_HEIGHT, experience.player_height)
    sharp = _doublings(experience.height / np.maximum(screen, 1.0))
    of_top = _doublings(experience.bitrate_kbps / np.maximum(experience.top_bitrate_kbps, 1.0))
    smooth = _doublings(experience.frame_rate / _SMOOTH_FRAME_RATE)
    rate = np.log2(np.maximum(experience.bitrate_kbps, 1.0) / 1000)
    by_both = _BY_BOTH + _BITRATE_BESIDE_HEIGHT * rate + _HEIGHT_BESIDE_BITRATE * sharp
    by_rate = _BY_BITRATE + _BITRATE_ALONE * rate + _TOP * np.nan_to_num(of_top)
    by_height = _BY_HEIGHT + _HEIGHT_ALONE * sharp
    value = np.where(np.isnan(sharp), by_rate, np.where(np.isnan(rate), by_height, by_both))
    return 1 / (1 + np.exp(-value - _FRAME_RATE * np.nan_to_num(smooth)))


def _doublings(ratio: Floats) -> Floats:
    """Doublings up to 1, where more no longer shows; one in a thousand is as bad as it gets."""
    return np.log2(np.clip(ratio, 0.001, 1.0))
