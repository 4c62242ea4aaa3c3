"""The pipeline gives what the plain functions give, however its input is cut, ordered or repeated."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from detectors.playback.sessions import sessionize
from detectors.schemas import SESSIONS, complete
from detectors.telemetry.decode import decode
from pipelines import graph
from pipelines.batches import Spill
from pipelines.engine import run
from pipelines.nightly import run_sessions
from pipelines.parts import Parts
from pipelines.sources import find
from remediation.policy.load import default_policy

FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
RULES: Final = default_policy().playback
SORTED: Final = ("session_id", "started_at")


def plain_table(*folders: Path) -> pl.DataFrame:
    """The session table without Beam, without batches, without partitions."""
    frames = []
    for file in sorted(file for folder in folders for file in folder.rglob("*.*")):
        with file.open("rb") as stream:
            frames += [block.events for block in decode(stream, str(file))]
    return complete(sessionize(pl.concat(frames, how="diagonal"), RULES).sessions, SESSIONS).sort(*SORTED)


def beam_table(
    paths: Sequence[Path], scratch: Path, partitions: int, *, threads: int = 2, spilled: bool = True
) -> pl.DataFrame:
    sources = find([str(path) for path in paths])
    (scratch / "spill").mkdir(parents=True)
    spill = Spill(str(scratch / "spill")) if spilled else None
    plan = graph.Plan(str(scratch / "parts"), partitions, threads, spill)
    run(lambda pipeline: graph.account(pipeline, sources, RULES, plan), ())
    frames = [complete(frame, SESSIONS) for frame in Parts(plan.parts_folder).frames("sessions")]
    return pl.concat(frames).sort(*SORTED)


@pytest.mark.parametrize(
    "stories",  # the last tells of the same sessions as the one before it
    [("casablanca_night", "healthy_day", "duplicate_beacons"), ("truncated_file",)],
    ids=["sound files", "a truncated file"],
)
def test_the_pipeline_gives_what_the_plain_functions_give(stories: tuple[str, ...]) -> None:
    telemetry = [FIXTURES / story / "telemetry" for story in stories]
    assert_frame_equal(run_sessions(list(map(str, telemetry))).sessions, plain_table(*telemetry))


@pytest.mark.parametrize(
    ("partitions", "threads", "spilled"),
    [
        pytest.param(1, 1, False, id="one partition, bytes"),
        pytest.param(2, 2, True, id="as many partitions as threads, claims"),
        pytest.param(17, 3, True, id="more partitions than threads, claims"),
        pytest.param(17, 3, False, id="more partitions than threads, bytes"),
    ],
)
def test_neither_partitions_nor_spilling_change_the_table(
    tmp_path: Path, partitions: int, threads: int, *, spilled: bool
) -> None:
    telemetry = FIXTURES / "casablanca_night" / "telemetry"
    table = beam_table([telemetry], tmp_path, partitions, threads=threads, spilled=spilled)
    assert_frame_equal(table, plain_table(telemetry))


def a_night_of_lines() -> list[str]:
    folder = FIXTURES / "casablanca_night" / "telemetry"
    return [line for file in sorted(folder.glob("*.reports.jsonl")) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_and_cut_differently_it_is_the_same_table(tmp_path: Path, seed: int) -> None:
    lines = a_night_of_lines()
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "all.jsonl").write_text("\n".join(lines) + "\n")
    random.Random(seed).shuffle(lines)  # noqa: S311 a reproducible disorder
    (tmp_path / "cut").mkdir()
    for number in range(5):
        (tmp_path / "cut" / f"{number}.jsonl").write_text("\n".join(lines[number::5]) + "\n")
    cut = beam_table([tmp_path / "cut"], tmp_path / "scratch", 3)
    assert_frame_equal(cut, plain_table(tmp_path / "whole"))


def test_everything_twice_is_the_same_table_with_every_record_a_duplicate(tmp_path: Path) -> None:
    lines = a_night_of_lines()
    (tmp_path / "twice").mkdir()
    for copy in ("one", "two"):
        (tmp_path / "twice" / f"{copy}.jsonl").write_text("\n".join(lines) + "\n")
    once = beam_table([tmp_path / "twice" / "one.jsonl"], tmp_path / "once", 2)
    twice = beam_table([tmp_path / "twice"], tmp_path / "scratch", 2)
    assert_frame_equal(twice.drop("duplicates"), once.drop("duplicates"))
    assert (twice["duplicates"] - once["duplicates"]).to_list() == once.select(
        pl.col("events") + pl.col("duplicates")
    ).to_series().to_list()
