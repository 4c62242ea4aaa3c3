"""The score must order what people order, whatever its figures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.playback import coefficients
from detectors.playback.quality import Experience, picture_loss, picture_weight_ms, quality_score, recency
from tests.detectors.playback.calibrating import FITTED, SQOE4, agreements, fit, rated_runs
from tests.detectors.playback.evenings import a_course, heartbeats, sole_session
from tests.detectors.playback.reference import Record
from tests.support.examples import examples


def an_experience(  # noqa: PLR0913 - the figures a test may name
    *,
    played_ms: float = 270_000,
    stall_ms: float = 0,
    stalls: float = 0,
    startup_ms: float = 800,
    bitrate_kbps: float = float("nan"),
    top_bitrate_kbps: float = 8_000,
    height: float = float("nan"),
    player_height: float = 1_080,
    frame_rate: float = float("nan"),
) -> Experience:
    def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([value], np.float64)

    return Experience(
        played_ms=one(played_ms),
        stall_ms=one(stall_ms),
        stall_load=one(stalls),
        startup_ms=one(startup_ms),
        picture_loss=picture_loss(one(bitrate_kbps), one(top_bitrate_kbps), one(height), one(player_height)),
        player_height=one(player_height),
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
rates = st.floats(50, 30_000)


@given(amounts, st.floats(0, 200), amounts, amounts, st.floats(0, 20))
def test_worse_is_never_better(stall_ms: float, stalls: float, startup_ms: float, more_ms: float, more: float) -> None:
    base = an_experience(stall_ms=stall_ms, stalls=stalls, startup_ms=startup_ms)
    worse = (
        replace(base, stall_ms=base.stall_ms + more_ms),
        replace(base, stall_load=base.stall_load + more),
        replace(base, startup_ms=base.startup_ms + more_ms),
    )
    assert 1 <= score(base) <= 5
    assert all(score(each) <= score(base) for each in worse)


@given(rates, rates, st.floats(100, 2_160), st.floats(100, 2_160), st.floats(1, 60), st.floats(1, 20))
def test_more_picture_is_never_worse(  # noqa: PLR0913, PLR0917 - what there is of a picture
    bitrate: float, top: float, height: float, screen: float, frame_rate: float, more: float
) -> None:
    def seen(bitrate: float, height: float, frame_rate: float) -> float:
        return score(
            an_experience(
                bitrate_kbps=bitrate,
                top_bitrate_kbps=top,
                height=height,
                player_height=screen,
                frame_rate=frame_rate,
            )
        )

    base = seen(bitrate, height, frame_rate)
    assert base <= seen(bitrate * more, height, frame_rate)
    assert base <= seen(bitrate, height * more, frame_rate)
    assert base <= seen(bitrate, height, frame_rate * more)


def an_evening(rungs: list[tuple[int, int]], waits: list[int], startup_ms: int, top_kbps: int | None) -> float:
    """The score of ten-second stretches at a bitrate and a height, the wait before each but the first being a stall."""
    events, at = [Record("s", 0, state="starting", top_bitrate_kbps=top_kbps)], startup_ms
    for (bitrate, height), wait in zip(rungs, [0, *waits], strict=False):
        if wait:
            events.append(Record("s", at, state="stalled"))
        events.append(Record("s", at + wait, state="playing", bitrate_kbps=bitrate, height=height))
        at += wait + 10_000
    score: float = sole_session([*events, Record("s", at, state="ended")])["quality_score"]
    return score


rungs = st.tuples(st.integers(50, 20_000), st.integers(100, 2_160))


@examples(40)
@given(st.data())
def test_a_worse_moment_never_makes_a_better_evening(data: st.DataObject) -> None:
    seen = data.draw(st.lists(rungs, min_size=2, max_size=6))
    waits = data.draw(st.lists(st.integers(0, 30_000), min_size=len(seen) - 1, max_size=len(seen) - 1))
    start, top = data.draw(st.integers(0, 20_000)), data.draw(st.none() | st.integers(50, 20_000))
    base = an_evening(seen, waits, start, top)
    place = data.draw(st.integers(0, len(seen) - 1))
    bitrate, height = seen[place]
    fewer_bits, fewer_rows, longer = list(seen), list(seen), list(waits)
    fewer_bits[place] = data.draw(st.integers(50, bitrate)), height
    fewer_rows[place] = bitrate, data.draw(st.integers(100, height))
    longer[place - 1] += data.draw(st.integers(0, 30_000))
    worse = [
        an_evening(fewer_bits, waits, start, top),
        an_evening(fewer_rows, waits, start, top),
        an_evening(seen, longer, start, top),
        an_evening(seen, waits, start + data.draw(st.integers(0, 60_000)), top),
    ]
    assert 1 <= max(worse) <= base <= 5


def test_the_same_rate_is_worse_where_the_title_offers_more() -> None:
    assert score(an_experience(bitrate_kbps=600, top_bitrate_kbps=20_000)) < score(
        an_experience(bitrate_kbps=600, top_bitrate_kbps=5_000)
    )


def test_a_telephone_forgives_what_a_television_shows() -> None:
    assert score(an_experience(height=360, player_height=360)) > score(an_experience(height=360)) + 0.5


def test_an_evening_half_blurred_is_not_what_its_mean_bitrate_says() -> None:
    def evening(first: int, second: int) -> float:
        course = f"0 playing bitrate_kbps={first} top_bitrate_kbps=8000, 600 - bitrate_kbps={second}, 1200 ended"
        found: float = sole_session(a_course(course))["quality_score"]
        return found

    assert evening(7_900, 100) < evening(4_000, 4_000) - 0.5
    assert evening(7_900, 100) == pytest.approx(evening(100, 7_900), abs=0.05)


def test_the_last_moments_of_a_picture_weigh_most() -> None:
    def minute(first: int, second: int) -> float:
        course = f"0 playing bitrate_kbps={first} top_bitrate_kbps=8000, 30 - bitrate_kbps={second}, 60 ended"
        found: float = sole_session(a_course(course))["quality_score"]
        return found

    assert minute(7_900, 100) < minute(100, 7_900) - 0.3


def test_a_moment_long_past_weighs_half_of_the_last() -> None:
    weights = np.diff(picture_weight_ms(np.array([0.0, 1.0, 3_600_000.0, 3_600_001.0])))
    assert weights[[0, 2]].tolist() == pytest.approx([1, 0.5], abs=0.001)


def test_where_no_record_names_the_best_a_rate_is_low_by_what_is_usual() -> None:
    def evening(codec: str, height: int = 1_080, screen: int = 1_080) -> float:
        told = f"bitrate_kbps=400 height={height} player_height={screen} codec={codec}"
        found: float = sole_session(a_course(f"0 playing {told}, 600 ended"))["quality_score"]
        return found

    assert evening("h264") < evening("hvc1.1.6.L93.B0") < evening("av01.0.04M.08") < evening("h264", screen=360)
    assert evening("h264") == evening("avc1.64001f") == evening("dirac")
    assert evening("h264", height=240) < evening("h264", height=1_080)


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


@pytest.mark.skipif(not SQOE4.exists(), reason="the rated runs do not lie beside this checkout")
def test_the_coefficients_are_those_that_the_ratings_give() -> None:
    found = fit(rated_runs())
    assert found == {name: pytest.approx(getattr(coefficients, name), rel=0.01) for name in FITTED}


@pytest.mark.skipif(not SQOE4.exists(), reason="the rated runs do not lie beside this checkout")
def test_the_score_follows_peoples_ratings_of_contents_it_has_not_seen() -> None:
    found = agreements(rated_runs())
    assert found["all"].plcc > 0.72
    assert np.mean([found[content].plcc for content in ("document", "movie", "nature")]) > 0.82
