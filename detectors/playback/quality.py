"""What a viewer would have said of a stretch of playback: a score on the mean-opinion scale, 1 to 5."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.playback import coefficients as c
from detectors.playback.groups import Bools, Floats, Ints

WINDOW_MS: Final = 300_000
"""Five minutes: long enough to be rated, short enough that a ruined quarter of an hour stays visible."""


@dataclass(frozen=True, slots=True)
class Experience:
    """Stretches of playback, one an entry; NaN is unknown.

    `stall_load` is the number of stalls, each weighed by `stall_weight_ms` and, over a
    whole session, by `recency`; `picture_loss` is the mean of what the function of that
    name gives, over a whole session weighed by `picture_weight_ms`. `shown` is false
    where no picture ever came.
    """

    played_ms: Floats
    stall_ms: Floats
    stall_load: Floats
    startup_ms: Floats
    picture_loss: Floats
    player_height: Floats
    frame_rate: Floats
    shown: Bools


def stall_weight_ms(stall_ms: Ints) -> Ints:
    """How much each stall counts, `ONE_STALL_MS` being one: a flicker of a tenth of that is a tenth."""
    return np.clip(stall_ms, 0, c.ONE_STALL_MS)


def recency(played_since_ms: Floats) -> Floats:
    """The weight of a stall by the play that followed it: 1 at the end, falling to 0.7.

    Age is counted in played time, so that a longer stall cannot make an earlier one milder.
    """
    return c.OLD_STALL + (1 - c.OLD_STALL) * np.exp(-played_since_ms / c.RECENT_MS)


def picture_weight_ms(last_played_ms: Floats) -> Floats:
    """How much the last so many milliseconds of play count together: a moment's weight falls from 1 to a half.

    A stretch of play counts for the difference of two such figures, so that it counts
    for the same in one piece as in several.
    """
    recent = c.RECENT_PICTURE_MS * -np.expm1(last_played_ms / -c.RECENT_PICTURE_MS)
    return c.OLD_PICTURE * last_played_ms + (1 - c.OLD_PICTURE) * recent


def usual_top_bitrate_kbps(player_height: Floats, codec_gain: Floats) -> Floats:
    """What a title's best rendition usually has, for a screen of some rows and a codec that saves some bits.

    A guess that stands in for a best that no record names. It rests on nothing that
    an adaptation changes, so that more bitrate or height can never raise the demand.

    Args:
      player_height: In pixels; NaN is a television.
      codec_gain: One of `CODEC_GAIN`; NaN is H.264.
    """
    rows = np.fmin(player_height, c.USUAL_SCREEN_HEIGHT) / c.USUAL_SCREEN_HEIGHT
    return c.USUAL_TOP_BITRATE_KBPS * rows**c.TOP_BITRATE_POWER / np.fmax(codec_gain, 1.0)


def picture_loss(bitrate_kbps: Floats, top_bitrate_kbps: Floats, height: Floats, player_height: Floats) -> Floats:
    """The harm that each moment's picture does, one an entry; 0 is as good as it gets.

    It is the greater of two: how far the bitrate stays below the best that the title
    offers, and how far the height stays below the screen's. A moment is judged by
    itself and the harms are averaged: of an evening half sharp and half blurred, the
    mean bitrate would say that it was rather sharp.

    Args:
      bitrate_kbps: Of what was on the screen.
      top_bitrate_kbps: The title's best, or the usual one; where it is unknown, a
        height decides alone.
      height: Of what was on the screen, in pixels.
      player_height: Of the player in pixels; where it is unknown, that of a television.

    Returns:
      Float64 from 0 to about 2.6, NaN where neither bitrate nor height is known.
    """
    screen = np.fmin(player_height, c.USUAL_SCREEN_HEIGHT)
    below_top = np.minimum(_doublings_below(bitrate_kbps, top_bitrate_kbps), c.MOST_DOUBLINGS)
    below_screen = np.minimum(_doublings_below(height, screen), c.MOST_DOUBLINGS / 2)
    return np.fmax(
        c.BITRATE * below_top * below_top * below_top, c.HEIGHT * below_screen * below_screen * np.sqrt(below_screen)
    )


def quality_score(experience: Experience) -> Floats:
    """Expected mean opinion, 1 (bad) to 5 (excellent), one an entry.

    More or longer stalls and a longer start never raise it; more bitrate, height or
    frame rate never lowers it. Where nothing is known of the picture a good one is
    assumed, where nothing was ever shown the score is 1.

    Returns:
      Float64 to three decimals, NaN where neither stalls nor picture are known.
    """
    known = ~(np.isnan(experience.stall_ms) & np.isnan(experience.picture_loss))
    screen = np.where(experience.player_height >= c.LARGE_SCREEN_HEIGHT, 0.0, c.SMALLER_SCREEN)
    harm = c.BASE + screen + np.nan_to_num(experience.picture_loss) + other_harm(experience)
    score = np.where(experience.shown, np.round(1 + 4 * np.exp(-harm), 3), 1.0)
    return np.where(known, score, np.nan)


def other_harm(experience: Experience) -> Floats:
    """What stalls, start-up and frame rate do; 0 where they are unknown.

    Shares are of play and stalls, never of wall clock alone, so that a longer stall
    cannot thin out the others.
    """
    played = np.nan_to_num(experience.played_ms)
    stalled = np.nan_to_num(experience.stall_ms)
    per_window = np.nan_to_num(experience.stall_load) * WINDOW_MS / np.maximum(played, WINDOW_MS)
    ratio = stalled / np.maximum(played + stalled, 1.0)
    stalls = c.STALL * per_window**c.STALL_POWER + c.STALLED_RATIO * ratio
    start = c.START_PER_S * np.clip(np.nan_to_num(experience.startup_ms), 0, c.START_CEILING_MS) / 1_000
    smooth = np.nan_to_num(_doublings_below(experience.frame_rate, np.float64(c.SMOOTH_FRAME_RATE)))
    return stalls + start + c.FRAME_RATE * np.minimum(smooth, c.MOST_DOUBLINGS)


def _doublings_below(value: Floats, best: Floats | np.float64) -> Floats:
    """How often a value must double to be the best one; 0 where it is better."""
    return np.maximum(np.log2(np.maximum(best, 1.0) / np.maximum(value, 1.0)), 0.0)
