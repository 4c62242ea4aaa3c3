"""A whole night through Beam decides what the plain functions decide, wherever its orders come from."""

from pathlib import Path
from typing import Final

import polars as pl
import pytest

from detectors.playback.failures import findings
from detectors.playback.sessions import sessionize
from detectors.telemetry.decode import decode
from pipelines.nightly import Result, run_night
from pipelines.settings import NightSettings, OrderBook, replay_settings
from remediation.binding import bind
from remediation.database import open_database
from remediation.imports import import_customers, import_grants, import_orders
from remediation.ledger.book import SqlBook
from remediation.policy.load import default_policy
from remediation.remedy import Declined, Remedy
from remediation.resolve import resolve
from tests.support.stores import empty_file

FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
IMPORTERS: Final = {"orders": import_orders, "customers": import_customers, "grants": import_grants}


def imported_book(file: Path, story: Path) -> str:
    url = empty_file(file)
    engine = open_database(url)
    for name, importer in IMPORTERS.items():
        with (story / f"{name}.jsonl").open("rb") as stream:
            importer(engine, stream, name)
    engine.dispose()
    return url


def plain_night(story: Path, scratch: Path, as_of: int) -> tuple[set[Remedy], set[Declined]]:
    """The night without Beam: one frame, one list of findings, one book."""
    policy = default_policy()
    frames = []
    for file in sorted((story / "telemetry").iterdir()):
        with file.open("rb") as stream:
            frames += [block.events for block in decode(stream, str(file))]
    found = tuple(findings(sessionize(pl.concat(frames, how="diagonal"), policy.playback).sessions, policy.playback))
    engine = open_database(imported_book(scratch / "plain.db", story))
    book = SqlBook(engine)
    bound = bind(found, book, as_of)
    decided = resolve(bound.findings, book, policy, as_of)
    engine.dispose()
    remedies = {resolution.remedy for resolution in decided if resolution.remedy}
    declined = {resolution.declined for resolution in decided if resolution.declined}
    return remedies, declined | set(bound.declined)


def settings(story: Path, scratch: Path) -> NightSettings:
    return replay_settings(story, scratch, None, None, 0, ())


def decisions(result: Result) -> tuple[set[Remedy], set[Declined]]:
    return {row.remedy for row in result.night.remedies}, set(result.night.declined)


@pytest.mark.parametrize("name", ["casablanca_night", "two_currencies"])
def test_beam_decides_what_the_plain_functions_decide(name: str, tmp_path: Path) -> None:
    told = settings(FIXTURES / name, tmp_path)
    assert decisions(run_night(told)) == plain_night(FIXTURES / name, tmp_path, told.as_of)


def test_orders_may_stay_in_the_services_own_database(tmp_path: Path) -> None:
    story = FIXTURES / "two_currencies"
    shop = imported_book(tmp_path / "shop.db", story)
    told = settings(story, tmp_path)
    own = NightSettings(
        told.telemetry, OrderBook((shop,), (), ()), empty_file(tmp_path / "own.db"), told.as_of, None, None
    )
    remedies, declined = decisions(run_night(own))
    assert (remedies, declined) == plain_night(story, tmp_path, told.as_of)
    assert len(remedies) == 4
