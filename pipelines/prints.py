"""Fingerprints of failed visits: all of a night are in the ledger before anything of that night is decided."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import apache_beam as beam

from detectors.finding import Finding
from pipelines.resolving import LedgerFn, Resolving
from remediation.ledger.prints import record_prints

T = TypeVar("T")


@dataclass
class RecordPrints(beam.PTransform[beam.PCollection, beam.PCollection]):
    """(name, findings that belong together) to the number of fingerprints that the ledger did not have. Idempotent."""

    resolving: Resolving

    def expand(self, findings: beam.PCollection) -> beam.PCollection:
        """One transaction a partition."""
        return findings | "Record" >> beam.ParDo(_Record(self.resolving))


class After(beam.PTransform[beam.PCollection, beam.PCollection]):
    """The same elements, once every element of another collection has been made."""

    def __init__(self, made: beam.PCollection) -> None:
        super().__init__()
        self._made = made

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        """A side input is whole before it is read, on every engine."""
        return elements | "Wait" >> beam.Map(_same, beam.pvalue.AsIter(self._made))


class _Record(LedgerFn):
    def process(self, named: tuple[str, tuple[Finding, ...]]) -> Iterator[int]:
        _, findings = named
        yield record_prints(self.ledger, self.resolving.run.as_of, findings)


def _same(element: T, _made: Iterable[int]) -> T:
    return element
