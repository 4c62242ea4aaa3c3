"""The kernel's verdict on the rated runs: its score is the one that was fitted, and the policy misses few bad ones."""

import numpy as np
import polars as pl
import pytest

from detectors.playback.quality import quality_score
from tests.detectors.playback.calibrating import SQOE4, Agreement, precision_and_recall, rated_runs
from tests.detectors.playback.triggering import BAD, best_below, judged

pytestmark = pytest.mark.skipif(not SQOE4.exists(), reason="the rated runs do not lie beside this checkout")


@pytest.fixture(scope="module")
def runs() -> pl.DataFrame:
    return judged()


def test_the_kernel_scores_runs_as_the_fit_does(runs: pl.DataFrame) -> None:
    fitted = quality_score(rated_runs().experience)
    told = runs.sort("session_id")["quality_score"].to_numpy()
    assert told == pytest.approx(fitted, abs=0.002)


def test_the_score_follows_ratings_through_the_kernel(runs: pl.DataFrame) -> None:
    found = Agreement.of(runs["quality_score"].to_numpy(), 1 + runs["mos"].to_numpy() / 25)
    assert found.plcc > 0.8
    assert found.rmse < 0.38


def test_few_bad_runs_escape_the_policy_and_few_good_ones_score_badly(runs: pl.DataFrame) -> None:
    bad = runs["mos"].to_numpy() < BAD
    _, _, recall = precision_and_recall(runs["failures"].list.len().to_numpy() > 0, bad)
    _, precision, _ = precision_and_recall(runs["quality_score"].to_numpy() < 1 + BAD / 25, bad)
    assert recall > 0.9
    assert precision > 0.8


def test_the_best_limit_is_where_precision_and_recall_meet_best() -> None:
    assert best_below(np.array([3.0, 1.0, 2.0, 4.0]), np.array([False, True, True, False])) == 2
