"""A codec is told by its own name or by an RFC 6381 string, which may name the audio as well."""

import numpy as np
import polars as pl
import pytest

from detectors.playback.codecs import codec_gains


@pytest.mark.parametrize(
    ("text", "gain"),
    [
        ("h264", 1.0),
        ("avc1.64001f,mp4a.40.2", 1.0),
        ("mp4a.40.2, avc3.4d401f", 1.0),
        ("HEVC", 1.6),
        ("hvc1.1.6.L93.B0", 1.6),
        ("dvh1.08.07", 1.6),
        ("vp09.00.10.08", 1.6),
        ("vp9", 1.6),
        ("av1", 2.0),
        ("av01.0.04M.08", 2.0),
        ("dirac", None),
        ("mp4a.40.2", None),
        (None, None),
    ],
)
def test_a_codec_saves_what_is_known_of_it(text: str | None, gain: float | None) -> None:
    found = codec_gains(pl.Series("codec", [None, text, text], dtype=pl.String))
    assert found.tolist() == pytest.approx([np.nan, *[np.nan if gain is None else gain] * 2], nan_ok=True)
