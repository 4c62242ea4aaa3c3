"""The coefficients of `quality_score`, each with how it was obtained.

*Fitted*: least squares over the 810 rated runs of Waterloo SQoE-IV (Duanmu et al., doi 10.21227/j15a-8r35, CC BY 4.0;
ratings of 0-100 mapped linearly to 1-5), with all the others held; `make calibrate` prints them anew, and how well the
score does on each content that a fit has not seen. *Prior*: from the source named, only checked against the ratings.

All are parts of one exponent, `score = 1 + 4 * exp(-harm)`, so that harms add and none can be made up for.
"""

from typing import Final

BASE: Final = 0.0795
"""Fitted: people do not give full marks to perfect playback."""

SMALLER_SCREEN: Final = 0.062
"""Fitted: what a screen of less than `LARGE_SCREEN_HEIGHT` rows, or one unknown, costs the same run."""

LARGE_SCREEN_HEIGHT: Final = 2_160

BITRATE: Final = 0.0039
"""Fitted: of the cubed doublings by which a bitrate stays below the best that the title offers.

The shape is chosen on contents left out (powers of 2, 3 and 4 within 0.03 of each other):
the first two doublings hardly show, and each further one costs more than the last. It
is relative since contents differ in how many bits they need, and titles are encoded
accordingly. That also cancels the codec, which at the same distance made no difference.
"""

MOST_DOUBLINGS: Final = 8.0
"""Below a 256th of the best there is nothing left to lose; no rating lies lower."""

USUAL_TOP_BITRATE_KBPS: Final = 12_000.0
"""Prior, where no record names the title's best: H.264 on a screen of `USUAL_SCREEN_HEIGHT` rows, at which the score
of the rated runs agrees best with people among those that still leave a usual 3,000 kbit/s in peace."""

TOP_BITRATE_POWER: Final = 1.6
"""Prior: how that rate grows with the rows of the screen, as from rung to rung of the ladders that were rated."""

CODEC_GAIN: Final = {"h264": 1.0, "hevc": 1.6, "vp9": 1.6, "av1": 2.0}
"""Prior: the bits that H.264 needs for one of a codec's, by published comparisons; only where no best is named."""

HEIGHT: Final = 0.08
"""Prior, of the doublings to the power of 2.5 by which a height stays below the player's.

By height alone the ratings give 0.1; up to 0.08 it leaves those in peace whose
title's best is known. Between the powers 2 and 3, since other laboratories' viewers,
for whom ITU-T P.1203 speaks, forgive 720 rows as much and 240 rows far less.
"""

USUAL_SCREEN_HEIGHT: Final = 1_080.0
"""Where the player's height is unknown; nobody rated a sharper picture higher."""

FRAME_RATE: Final = 0.1
"""Prior, a doubling below `SMOOTH_FRAME_RATE`: the ratings have 24 and 30 alone."""

SMOOTH_FRAME_RATE: Final = 24.0

STALL: Final = 0.05
STALL_POWER: Final = 1.2
"""Prior: at 9 % stalled in five minutes human-fitted models give 4.4 of 5 for one stall and 2.3 for ten, so that the
count weighs more than in proportion; chosen on contents left out among what keeps that order."""

STALLED_RATIO: Final = 1.0
"""Prior, of the share of play and stalls that was stalled: ITU-T P.1203 has such an exponent, too, of 1.1."""

ONE_STALL_MS: Final = 250
"""Prior: what is shorter is a fraction of a stall; Mux leaves freezes below this out altogether."""

START_PER_S: Final = 0.03
START_CEILING_MS: Final = 60_000
"""Prior: a mild cost that leaves no start free; abandonment falls on those who left, not on those who rate."""

RECENT_MS: Final = 120_000
OLD_STALL: Final = 0.7
"""Prior: a stall at the end weighs one, one long past 0.7; the runs are too short to tell."""

RECENT_PICTURE_MS: Final = 15_000
OLD_PICTURE: Final = 0.5
"""Chosen on contents left out: the last moments of a picture weigh up to twice as much as those long past. It is as
good with a floor of 0.3; P.1203 has a rise of 1.6 over the last part of a clip."""
