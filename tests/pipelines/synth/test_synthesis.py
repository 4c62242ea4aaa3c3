"""A night that was made up: the same bytes each time, in every form, with all that nights hold."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.synth.recipe import HOUR_MS, Recipe, TelemetryFormat
from pipelines.synth.synthesis import synthesize
from pipelines.synth.truth import FILE, TRUTH

SMALL = Recipe(sessions=1_500, seed=7)


def made(recipe: Recipe, out: Path) -> Path:
    synthesize(recipe, out, lambda _: None)
    return out


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(SMALL, tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    recipe = Recipe(sessions=6_000, seed=3, telemetry="parquet")
    return pl.read_parquet(made(recipe, tmp_path_factory.mktemp("table")) / "telemetry/beacons.parquet")


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others(night: Path, tmp_path: Path) -> None:
    again = digests(made(SMALL, tmp_path / "again"))
    assert again == digests(night)
    other = digests(made(replace(SMALL, seed=8), tmp_path / "other"))
    assert other.keys() == again.keys()
    assert {name for name in again if other[name] == again[name]} <= {"stock.jsonl"}


def test_a_night_has_what_the_nightly_run_reads_and_its_truth(night: Path) -> None:
    playback, parcels = ("beacons.jsonl", "beacons.parquet", "cmcd.jsonl"), ("easypost.jsonl", "aftership.jsonl")
    telemetry = {f"telemetry/{name}" for name in (*playback, *parcels, "scans.jsonl", "contacts.jsonl")}
    book = {"orders.jsonl", "customers.jsonl", "grants.jsonl", "stock.jsonl", "as_of"}
    assert digests(night).keys() == telemetry | book | {FILE}
    truth = pl.read_parquet(night / FILE)
    assert truth.columns == TRUTH.names()
    assert truth.filter(pl.col("subject_type") == "session").height == SMALL.sessions
    assert truth.filter(pl.col("forged").is_not_null())["kinds"].list.len().sum() == 0


@pytest.mark.parametrize(
    ("form", "names"), [("parquet", {"beacons.parquet"}), ("jsonl", {"beacons.jsonl"}), ("cmcd", {"cmcd.jsonl"})]
)
def test_a_night_comes_in_one_form_if_so_asked(tmp_path: Path, form: TelemetryFormat, names: set[str]) -> None:
    folder = made(replace(SMALL, telemetry=form, parcels=0), tmp_path)
    assert {path.name for path in (folder / "telemetry").iterdir()} == names


def test_records_come_late_twice_and_in_disorder_by_clocks_that_are_wrong(table: pl.DataFrame) -> None:
    numbered = table.group_by("session_id").agg(
        pl.col("sequence").is_duplicated().any().alias("twice"),
        (pl.col("sequence").diff() < 0).any().alias("disorder"),
        (pl.col("received_at") - pl.col("event_time")).min().alias("lag"),
    )
    assert table["received_at"].is_sorted()
    assert 0 < numbered["twice"].mean() < 0.3  # type: ignore[operator]  # a share
    assert numbered["disorder"].any()
    assert (numbered["lag"] < -HOUR_MS).any()
    assert numbered["lag"].max() > 30 * HOUR_MS  # type: ignore[operator]  # there are some
    assert numbered["lag"].abs().max() <= 72 * HOUR_MS  # type: ignore[operator]  # likewise


def test_most_players_never_say_goodbye(table: pl.DataFrame) -> None:
    ends = table.group_by("session_id").agg(pl.col("state").is_in(["ended", "quit", "failed"]).any().alias("said"))
    assert 0.4 < ends["said"].mean() < 0.75  # type: ignore[operator]  # a share


def test_so_many_records_come_as_were_asked_for(tmp_path: Path) -> None:
    few, many = (
        synthesize(Recipe(4_000, 1, "parquet", events_per_session=wanted, parcels=0), tmp_path, lambda _: None).events
        for wanted in (20, 80)
    )
    assert few / 4_000 == pytest.approx(20, rel=0.2)
    assert many / 4_000 == pytest.approx(80, rel=0.2)


def test_a_healthy_night_has_neither_outage_nor_forgery_and_few_failures(tmp_path: Path) -> None:
    folder = made(Recipe(6_000, 4, "jsonl", healthy=True), tmp_path)
    truth = pl.read_parquet(folder / FILE).filter(pl.col("subject_type") == "session")
    assert truth["incident"].null_count() == truth["forged"].null_count() == truth.height
    assert (truth["kinds"].list.len() > 0).mean() < 0.04  # type: ignore[operator]  # a share


def test_grants_bind_viewers_and_no_forger(night: Path) -> None:
    truth = pl.read_parquet(night / FILE)
    granted = {json.loads(line)["session_id"] for line in (night / "grants.jsonl").read_text().splitlines()}
    ungranted = truth.filter((pl.col("subject_type") == "session") & ~pl.col("subject_id").is_in(granted))
    assert set(ungranted["forged"].drop_nulls()) == {"no grant"}
    assert ungranted.filter(pl.col("forged").is_null())["reason"].str.starts_with("bot").all()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--sessions", "0"], "--sessions 0 is no number from 1 to"),
        (["--sessions", "5", "--seed", "-1"], "--seed -1 is below zero"),
        (["--sessions", "5", "--events-per-session", "1"], "--events-per-session 1 is no number from 2"),
        (["--sessions", "5", "--parcels", "-1"], "--parcels -1 is no number from 0"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, options: list[str], problem: str) -> None:
    told = CliRunner().invoke(app, ["synth", *options, "--out", str(tmp_path)])
    assert problem in str(told.exception)
    assert not any(tmp_path.iterdir())


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["synth", "--sessions", "20", "--out", str(tmp_path)])
    assert told.exit_code == 0
    assert "20 sessions" in told.stdout
    assert "2026-11-23T06:00:00Z" in told.stdout
