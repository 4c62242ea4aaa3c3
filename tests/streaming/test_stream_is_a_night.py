"""The same telemetry as a stream and as a night: the same findings, the same decisions."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.judging import judge_slice
from pipelines.streaming import settling
from remediation.database import open_ledger
from remediation.ledger.run import RECORDING, Standing
from remediation.ledger.tables import REMEDIES, RUNS
from remediation.verifying import verify
from tests.streaming.playing import HOUR_MS, Played
from tests.support.running import FIXTURES

FEW = ("casablanca_night", "decaf_twice")
OTHERS = (
    "depot_on_fire",
    "duplicate_beacons",
    "healthy_day",
    "late_parcels",
    "never_scanned",
    "refused_by_customer",
    "retracted_scan",
    "thor_and_odin",
    "truncated_file",
    "two_currencies",
)
STORIES = [*FEW, *(pytest.param(name, marks=pytest.mark.servers) for name in OTHERS)]


def demand_sound(played: Played) -> None:
    ledger = open_ledger(played.night.ledger_url)
    verdict = verify(ledger, played.night.as_of)
    assert verdict.is_sound, [outcome.breaches for outcome in verdict.outcomes if outcome.count]
    ledger.dispose()


@pytest.mark.parametrize("story", STORIES)
def test_a_stream_finds_and_decides_what_a_night_does(story: str, tmp_path: Path) -> None:
    played = Played.fixture(FIXTURES / story, tmp_path)
    played.stream()

    night = played.nightly()
    assert played.found == night.found
    assert played.decided == night.decided
    demand_sound(played)


@pytest.mark.servers  # Not for a server, but for its time.
def test_small_slices_find_the_same_and_account_for_every_record(tmp_path: Path) -> None:
    played = Played.fixture(FIXTURES / "casablanca_night", tmp_path, slice_ms=HOUR_MS)
    played.stream()

    assert played.found == played.nightly().found
    assert played.states == {"released"}
    assert sum(counts["records"] for (counts,) in counts_of(played)) == 1_927
    assert sum(counts["open"] for (counts,) in counts_of(played)) == 0
    demand_sound(played)


def counts_of(played: Played) -> list[Any]:
    ledger = open_ledger(played.night.ledger_url)
    with ledger.connect() as connection:
        counts = list(connection.execute(RUNS.select().with_only_columns(RUNS.c.counts)))
    ledger.dispose()
    return counts


@pytest.mark.servers  # Not for a server, but for its time.
def test_a_stream_that_breaks_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Played.fixture(FIXTURES / "casablanca_night", tmp_path / "whole", slice_ms=HOUR_MS)
    whole.stream()
    broken = Played.fixture(FIXTURES / "casablanca_night", tmp_path / "broken", slice_ms=HOUR_MS)
    judged: list[Standing] = []

    def breaks_off(*arguments: Any) -> object:
        if len(judged) == 1:
            raise KeyError("the machine loses its power")
        judged.append(judge_slice(*arguments))
        return judged[-1]

    monkeypatch.setattr(settling, "judge_slice", breaks_off)
    with pytest.raises(Exception, match="loses its power"):
        broken.stream()
    judged_before = {as_of for as_of, state in broken.rows(RUNS, "as_of", "state") if state != RECORDING}
    assert len(judged_before) == 1
    monkeypatch.undo()

    broken.stream()

    assert broken.found == whole.found
    assert broken.decided == whole.decided
    assert broken.rows(RUNS, "as_of", "state", "kind") == whole.rows(RUNS, "as_of", "state", "kind")
    demand_sound(broken)


@pytest.mark.servers  # Not for a server, but for its time.
def test_a_stream_that_starts_again_after_its_end_changes_nothing(tmp_path: Path) -> None:
    played = Played.fixture(FIXTURES / "casablanca_night", tmp_path, slice_ms=HOUR_MS)
    played.stream()
    before = played.rows(REMEDIES, "remedy_id", "run_id"), played.rows(RUNS, "run_id")

    played.stream()

    assert (played.rows(REMEDIES, "remedy_id", "run_id"), played.rows(RUNS, "run_id")) == before
