"""The stream on a real engine: what it finds, in this process and in workers that share nothing with it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.settings import REPLAYED
from pipelines.streaming.prism import EngineError
from pipelines.streaming.run import run_stream
from pipelines.streaming.settings import StreamSettings
from remediation.ledger.tables import RUNS
from tests.streaming.playing import HOUR_MS, WHOLE_MS, Played
from tests.streaming.test_stream_is_a_night import STORIES, demand_sound
from tests.support.prism import PATIENCE_S, Cluster, cluster, demand_prism
from tests.support.running import FIXTURES, MAKEGOOD

pytestmark = pytest.mark.servers

NIGHT = FIXTURES / "casablanca_night"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


def unheard(line: str) -> None:
    """Takes what is told while a stream runs."""
    del line


def given(story: str, scratch: Path, slice_ms: int) -> tuple[Played, StreamSettings]:
    """A fixture's telemetry in a folder of its own, and how it is streamed."""
    played = Played.fixture(FIXTURES / story, scratch, slice_ms=slice_ms)
    source = scratch / "source"
    source.mkdir()
    for name in REPLAYED:
        told = FIXTURES / story / name
        if told.is_dir():
            shutil.copytree(told, source / name)
        elif told.exists():
            shutil.copy(told, source / name)
    return played, replace(played.settings, source=f"dir:{source}")


@pytest.mark.parametrize("story", [getattr(each, "values", (each,))[0] for each in STORIES])
def test_prism_finds_and_decides_what_a_night_does(story: str, tmp_path: Path) -> None:
    played, settings = given(story, tmp_path, WHOLE_MS)

    assert run_stream(settings, [f"--prism_location={demand_prism()}"], unheard, drain=True)

    night = played.nightly()
    assert played.found == night.found
    assert played.decided == night.decided
    demand_sound(played)


def test_so_do_workers_elsewhere(tmp_path: Path, elsewhere: Cluster) -> None:
    played, settings = given("casablanca_night", tmp_path, HOUR_MS)

    assert run_stream(settings, elsewhere.options, unheard, drain=True)

    night = played.nightly()
    assert played.found == night.found
    assert played.states == {"released"}
    demand_sound(played)


def following(settings: StreamSettings) -> list[str]:
    """The command that follows a source."""
    book = [part for name in ("orders", "customers", "grants") for part in (f"--{name}", str(NIGHT / f"{name}.jsonl"))]
    source = ["--source", settings.source, "--ledger", settings.ledger_url]
    return [str(MAKEGOOD), "stream", *source, *book, "--slice", str(HOUR_MS // 1_000), "--"]


def has_begun(played: Played) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not played.rows(RUNS, "run_id"):
        assert time.monotonic() < deadline, "the stream does not begin"
        time.sleep(0.05)


def test_a_stream_outlives_the_time_that_the_engine_has_for_an_answer(tmp_path: Path) -> None:
    played, settings = given("casablanca_night", tmp_path, HOUR_MS)
    answer_s = 3
    with subprocess.Popen([*following(settings), f"--job_server_timeout={answer_s}"]) as stream:
        has_begun(played)
        with pytest.raises(subprocess.TimeoutExpired):
            stream.wait(2 * answer_s)
        stream.terminate()
    assert stream.returncode == 0


def test_a_worker_that_dies_ends_the_stream_and_the_next_one_goes_on(tmp_path: Path, elsewhere: Cluster) -> None:
    played, settings = given("casablanca_night", tmp_path, HOUR_MS)
    with subprocess.Popen([*following(settings), *elsewhere.options], stderr=subprocess.PIPE, text=True) as stream:
        has_begun(played)
        for worker in elsewhere.workers():
            os.kill(worker, signal.SIGKILL)
        _, said = stream.communicate(timeout=PATIENCE_S)
    assert stream.returncode == 1
    assert "The stream broke off" in said

    assert run_stream(settings, elsewhere.options, unheard, drain=True)

    assert played.found == played.nightly().found
    demand_sound(played)


def test_prism_that_is_no_prism_is_said_in_words(tmp_path: Path) -> None:
    _, settings = given("casablanca_night", tmp_path, WHOLE_MS)
    with pytest.raises(EngineError, match="does not start"):
        run_stream(settings, ["--prism_location=/bin/false"], unheard, drain=True)
