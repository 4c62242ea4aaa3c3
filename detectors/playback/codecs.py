"""Which video codec a session's text names, and what it saves."""

import re
from typing import Final

import polars as pl

from detectors.playback.coefficients import CODEC_GAIN
from detectors.playback.groups import Floats

_NAMES: Final = {
    "h264": r"h\.?264|avc",
    "hevc": r"hevc|h\.?265|hvc1|hev1|dvh1|dvhe",
    "vp9": r"vp0?9",
    "av1": r"av0?1",
}
"""How each is named, by its own name or in an RFC 6381 string, which may name the audio as well."""


def codec_gains(codecs: pl.Series) -> Floats:
    """The bits that H.264 needs for one of each codec's, NaN where the text names none that is known."""
    named = codecs.drop_nulls().unique()
    gains = {text: _gain(text.lower()) for text in named}
    return codecs.replace_strict(gains, default=None, return_dtype=pl.Float64).to_numpy()


def _gain(text: str) -> float | None:
    found = (CODEC_GAIN[name] for name, pattern in _NAMES.items() if re.search(pattern, text))
    return next(found, None)
