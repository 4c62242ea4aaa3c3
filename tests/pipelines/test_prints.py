"""Copies of one night, in whatever partition they lie, are in the ledger before anything is decided."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pytest

from detectors.finding import Finding, Provenance
from pipelines.engine import run
from pipelines.prints import After, RecordPrints
from pipelines.resolving import LedgerFn, Resolving
from remediation.book import Seen
from remediation.database import open_ledger
from remediation.ledger.book import SqlBook
from remediation.ledger.run import Run
from remediation.policy.load import default_policy
from tests.remediation.ledger.evenings import EVENING, MORNING, a_finding
from tests.support.stores import empty_file

PARTITIONS = 12


def a_visit(number: int) -> Finding:
    """One of many visits that all took the same course, each received a second after the one before."""
    provenance = Provenance(received_at=EVENING + number * 1_000, fingerprints=("m",))
    return replace(a_finding(f"S-{number:02d}"), provenance=provenance)


@pytest.fixture
def resolving(tmp_path: Path) -> Resolving:
    url = empty_file(tmp_path / "ledger.db")
    return Resolving(url, None, default_policy(), Run(MORNING, "0" * 64, "1", ()))


class _CountSeen(LedgerFn):
    """Stands for deciding: says how many sessions of that course the ledger knows by then."""

    def process(self, _element: Finding) -> Iterator[int]:
        yield len(self.book.seen(["m"])["m"])


def night(resolving: Resolving, counted: Path) -> list[int]:
    def build(pipeline: beam.Pipeline) -> None:
        named = pipeline | beam.Create([(f"{number:06d}", (a_visit(number),)) for number in range(PARTITIONS)])
        findings = named | "Findings" >> beam.FlatMap(lambda pair: pair[1])
        prints = named | "RecordPrints" >> RecordPrints(resolving)
        counts = findings | "AfterPrints" >> After(prints) | "Decide" >> beam.ParDo(_CountSeen(resolving))
        counts | beam.Map(str) | beam.io.WriteToText(str(counted), shard_name_template="")

    run(build, ())
    return [int(line) for line in counted.read_text().splitlines()]


def test_nothing_is_decided_before_all_of_the_night_is_known(resolving: Resolving, tmp_path: Path) -> None:
    assert night(resolving, tmp_path / "counted") == [PARTITIONS] * PARTITIONS


def test_the_same_night_again_changes_nothing(resolving: Resolving, tmp_path: Path) -> None:
    night(resolving, tmp_path / "once")
    assert night(resolving, tmp_path / "again") == [PARTITIONS] * PARTITIONS
    engine = open_ledger(resolving.ledger_url)
    assert SqlBook(engine).seen(["m"])["m"][0] == Seen("m", "S-00", EVENING)
    engine.dispose()
