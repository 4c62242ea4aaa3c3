"""What no player can report, and what honest ones do report however clumsy they are."""

import numpy as np
import polars as pl
import pytest

from detectors import schemas
from detectors.playback.possible import MOST, doubts
from detectors.playback.records import select
from detectors.playback.timeline import follow
from tests.detectors.playback.evenings import RULES, frame
from tests.detectors.playback.reference import Record
from tests.detectors.playback.visits import (
    FIXTURES,
    RECORDINGS,
    Deed,
    a_bad_visit,
    asleep,
    clock_set,
    reordered,
    sent_at_once,
    telemetry,
    twice,
    unnumbered,
)

HOUR = 3_600_000
STORIES = sorted(folder for folder in FIXTURES.iterdir() if folder.is_dir())


def accused(events: pl.DataFrame) -> dict[str, int]:
    """How many sessions of all, failing or not, are doubted for what."""
    if events.is_empty():
        return {}
    records = select(schemas.complete(events, schemas.EVENTS), RULES.timeline)
    found = doubts(records, np.arange(records.row.size), records.sessions, follow(records, RULES.timeline))
    return {name: int(marks.sum()) for name, marks in found.items() if marks.any()}


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_no_fixture_is_accused(folder: object) -> None:
    assert accused(telemetry(FIXTURES / str(folder))) == {}


@pytest.mark.skipif(not RECORDINGS, reason="the recordings do not lie beside this checkout")
@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_no_recorded_player_is_accused(folder: object) -> None:
    assert accused(telemetry(FIXTURES / str(folder))) == {}


@pytest.mark.parametrize(
    "deed",
    [
        pytest.param(list, id="nothing at all"),
        pytest.param(reordered, id="out of order"),
        pytest.param(twice, id="every batch twice"),
        pytest.param(unnumbered, id="without numbers"),
        pytest.param(sent_at_once, id="offline until the end"),
        pytest.param(asleep, id="asleep for twenty minutes"),
        pytest.param(clock_set((9, -300_000)), id="its clock is set back by five minutes"),
        pytest.param(clock_set((9, HOUR)), id="its clock is set forward by an hour"),
        pytest.param(clock_set((5, -HOUR), (20, 2 * HOUR)), id="set by hand, then by the network"),
        pytest.param(clock_set((5, -60_000), (25, -200_000)), id="set back twice"),
        pytest.param(clock_set(*((n, -900) for n in range(2, 30, 2))), id="drawn back a little at a time"),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_who_is_clumsy_is_not_accused(deed: Deed, seed: int) -> None:
    assert accused(frame(deed(a_bad_visit(seed)))) == {}


def test_time_that_is_gone_through_again_and_again_is_told() -> None:
    """Two minutes of wall clock, filled more than twice."""
    back = [(n, -40_000) for n in (10, 16, 22, 28)]
    assert accused(frame(clock_set(*back)(a_bad_visit()))) == {"beyond_wall_clock": 1}


@pytest.mark.parametrize(
    ("back_ms", "times", "told"),
    [(20_000, 3, {}), (20_001, 3, {"beyond_wall_clock": 1}), (90_000, 2, {}), (20_001, 4, {"beyond_wall_clock": 1})],
)
def test_the_limit_is_of_time_and_of_steps(back_ms: int, times: int, told: dict[str, int]) -> None:
    moments = [0, 100_000, *(100_000 - back_ms * (n % 2 == 0) for n in range(2 * times))]
    assert accused(frame(Record("s", at, sequence=n, state="playing") for n, at in enumerate(moments))) == told


@pytest.mark.parametrize(
    "name", ["bitrate_kbps", "top_bitrate_kbps", "height", "player_height", "frame_rate", "playback_rate"]
)
def test_figures_that_no_player_has_are_told_and_the_largest_honest_ones_are_not(name: str) -> None:
    def reporting(figure: float) -> pl.DataFrame:
        told = frame([*a_bad_visit(), *a_bad_visit(2, session_id="neighbour")])
        first = pl.int_range(pl.len()) == 5
        return told.with_columns(pl.when(first).then(figure).cast(schemas.EVENTS[name]).alias(name))

    assert accused(reporting(MOST[name])) == {}
    assert accused(reporting(MOST[name] + 1)) == {"absurd_figures": 1}


def test_rewinding_absurdly_fast_is_as_absurd() -> None:
    assert accused(frame([Record("s", 0, playback_rate=-300.0, state="playing")])) == {"absurd_figures": 1}
