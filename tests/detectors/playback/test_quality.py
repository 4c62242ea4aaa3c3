"""The score must order what people order, whatever its figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.playback.quality import Experience, quality_score, recency
from tests.detectors.playback.evenings import a_course, heartbeats, sole_session

SQOE4 = Path(__file__).parents[3] / "../shared/data/sqoe4"


def an_experience(  # noqa: PLR0913 - the figures a test may name
    *,
    played_ms: float = 270_000,
    stall_ms: float = 0,
    stalls: float = 0,
    startup_ms: float = 800,
    bitrate_kbps: float = float("nan"),
    height: float = float("nan"),
    frame_rate: float = float("nan"),
) -> Experience:
    def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([value], np.float64)

    return Experience(
        played_ms=one(played_ms),
        stall_ms=one(stall_ms),
        stall_load=one(stalls),
        startup_ms=one(startup_ms),
        bitrate_kbps=one(bitrate_kbps),
        top_bitrate_kbps=one(8_000),
        height=one(height),
        player_height=one(1_080),
        frame_rate=one(frame_rate),
        shown=np.array([True]),
    )


def score(experience: Experience) -> float:
    return float(quality_score(experience)[0])


def test_ten_short_stalls_are_far_worse_than_a_long_one() -> None:
    one, ten = an_experience(stall_ms=30_000, stalls=1), an_experience(stall_ms=30_000, stalls=10)
    assert score(one) > 3.5
    assert score(ten) < 2.5


def test_nothing_known_is_no_score_and_nothing_shown_the_worst() -> None:
    assert np.isnan(score(an_experience(stall_ms=float("nan"))))
    assert score(replace(an_experience(), shown=np.array([False]))) == 1


amounts = st.floats(0, 600_000)


@given(amounts, st.floats(0, 200), amounts, st.floats(50, 20_000), amounts, st.floats(0, 20))
def test_worse_is_never_better(  # noqa: PLR0913, PLR0917 - what can be worse
    stall_ms: float, stalls: float, startup_ms: float, bitrate: float, more_ms: float, more: float
) -> None:
    base = an_experience(stall_ms=stall_ms, stalls=stalls, startup_ms=startup_ms, bitrate_kbps=bitrate)
    worse = (
        replace(base, stall_ms=base.stall_ms + more_ms),
        replace(base, stall_load=base.stall_load + more),
        replace(base, startup_ms=base.startup_ms + more_ms),
        replace(base, bitrate_kbps=base.bitrate_kbps / (1 + more)),
    )
    assert 1 <= score(base) <= 5
    assert all(score(each) <= score(base) for each in worse)


@given(st.floats(100, 2_160), st.floats(0, 2_000), st.floats(1, 60))
def test_more_picture_is_never_worse(height: float, more: float, frame_rate: float) -> None:
    assert score(an_experience(height=height)) <= score(an_experience(height=height + more))
    assert score(an_experience(bitrate_kbps=900, frame_rate=frame_rate)) <= score(an_experience(bitrate_kbps=900))


def test_a_stall_at_the_end_weighs_more_than_one_long_past() -> None:
    assert recency(np.array([0.0, 600_000.0])).tolist() == pytest.approx([1, 0.702], abs=0.001)


def test_a_ruined_five_minutes_shows_in_a_long_film() -> None:
    ruin = ", ".join(f"{t} stalled, {t + 3} playing" for t in range(1_800, 2_000, 20))
    found = sole_session(heartbeats(7_200, f"0 starting, 1 playing, {ruin}"))
    assert found["quality_score"] > 4
    assert found["worst_window_score"] < 2.5


@pytest.mark.parametrize("middle", [300, 1_450], ids=["across a cut", "at the end"])
def test_a_window_lies_where_the_stalls_are(middle: int) -> None:
    def ruin(around: int, apart: int) -> float:
        stalls = [around + apart * n for n in range(-5, 5)]
        course = ", ".join(f"{t} stalled, {t + 3} playing" for t in stalls)
        worst: float = sole_session(heartbeats(1_500, f"0 starting, 1 playing, {course}"))["worst_window_score"]
        return worst

    assert ruin(middle, 10) == pytest.approx(ruin(750, 10), abs=0.01)


def test_a_low_stretch_shows_in_the_worst_window() -> None:
    found = sole_session(
        a_course("0 playing bitrate_kbps=4000, 1000 - bitrate_kbps=150, 1600 - bitrate_kbps=4000, 2600 ended")
    )
    assert found["worst_window_score"] < found["quality_score"] - 0.8


@pytest.mark.skipif(not SQOE4.exists(), reason="the rated sessions do not lie beside this checkout")
def test_the_score_follows_peoples_ratings() -> None:
    rated = pl.read_csv(SQOE4 / "sessions.csv", schema_overrides={"session": pl.String})
    later = pl.col("stall_before_s").filter(pl.col("chunk") > 0)
    runs = pl.read_parquet(SQOE4 / "chunks.parquet").group_by("session").agg(
        played_ms=pl.col("chunk_duration").sum() * 1_000,
        stall_ms=later.sum() * 1_000,
        stalls=later.clip(0, 1).sum(),
        startup_ms=pl.col("stall_before_s").filter(pl.col("chunk") == 0).sum() * 1_000,
        bitrate_kbps=pl.col("video_bitrate").mean(),
    )  # fmt: skip
    names = ("played_ms", "stall_ms", "stalls", "startup_ms", "bitrate_kbps")
    table = runs.join(rated, on="session")
    found = [score(an_experience(**row)) for row in table.select(names).to_dicts()]
    assert np.corrcoef(found, table["mos"].to_numpy())[0, 1] > 0.6
