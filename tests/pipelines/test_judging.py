"""Every run is judged at its end, once, by its own figures."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from pipelines.nightly import run_night
from pipelines.settings import replay_settings

FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
DAY_MS: Final = 86_400_000


def test_a_night_is_judged_once_whatever_would_be_said_of_it_later(tmp_path: Path) -> None:
    told = replay_settings(FIXTURES / "two_currencies", tmp_path, None, None, 0, ())
    first = run_night(replace(told, now=told.as_of - DAY_MS)).night
    assert (first.run_state, [objection.guard for objection in first.objections]) == ("held", ["clock"])
    again = run_night(replace(told, now=told.as_of)).night
    assert (again.run_state, again.objections) == (first.run_state, first.objections)
