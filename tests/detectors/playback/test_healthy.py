"""A healthy night must not look like a bad one: a rule that flags more than a few in a hundred is counting seeks."""

import numpy as np
import polars as pl
import pytest

from detectors.playback.sessions import sessionize
from remediation.policy.load import default_policy
from tests.detectors.playback.healthy import STALLED_RATIO, STALLING, a_healthy_night
from tests.support.examples import first_of

NIGHTS = (1, 2, 3)
SESSIONS = 4_000


@pytest.fixture(scope="module", params=first_of(1, NIGHTS), ids="seed {}".format)
def night(request: pytest.FixtureRequest) -> pl.DataFrame:
    return sessionize(a_healthy_night(SESSIONS, request.param), default_policy().playback).sessions


def test_the_night_is_as_healthy_as_real_ones(night: pl.DataFrame) -> None:
    stalled, watched, start = (night[name].to_numpy() for name in ("stall_ms", "watched_ms", "startup_ms"))
    assert np.mean(stalled > 0) == pytest.approx(STALLING, abs=0.01)
    assert stalled.sum() / watched.sum() == pytest.approx(STALLED_RATIO, rel=0.2)
    assert np.quantile(start, [0.5, 0.99]) == pytest.approx([300, 3_400], rel=0.2)


def test_no_more_than_four_in_a_hundred_are_flagged(night: pl.DataFrame) -> None:
    assert np.mean(night["failures"].list.len().to_numpy() > 0) <= 0.04


def test_whoever_only_paused_or_looked_for_a_scene_is_not_flagged(night: pl.DataFrame) -> None:
    untroubled = night.filter(pl.col("stall_ms") == 0, pl.col("startup_ms") < 5_000, pl.col("played_ms") >= 60_000)
    assert np.mean(untroubled["seek_count"].to_numpy() > 0) > 0.2
    assert untroubled["failures"].list.len().sum() == 0
