"""The delivery lane: scans and contacts go into the ledger; then every promise is judged, scanned or not.

scans ────► Settle ─► RecordParcels ─┐
                                     ├─► FindDeliveryFailures ─► findings
contacts ─► Settle ─► RecordParcels ─┘
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import apache_beam as beam
import polars as pl
from apache_beam.pvalue import TaggedOutput
from sqlalchemy import Engine

from detectors import schemas
from detectors.delivery.failures import find
from detectors.finding import Finding, content_id
from detectors.incidents import Tally, delivery_tally
from pipelines.batches import pack, unpack
from pipelines.findings import FINDINGS
from pipelines.resolving import LedgerFn, Resolving
from pipelines.tallies import TALLIES, tally_outputs
from remediation.ledger.parcels import Bounds, goods_chunks, read_mixups, read_parcels

COUNTS: Final = "counts"
RECORDS: Final = "records"

ORDER_LINES: Final = "order_lines"
"""The count of order lines of goods that were judged."""


class Lane(NamedTuple):
    """One kind of record of the delivery lane: its columns, and what makes two records the same."""

    schema: pl.Schema
    identity: tuple[str, ...]


SCANS: Final = Lane(schemas.TRACKING, ("tracking_number", "event_time", "status", "reason"))
CONTACTS: Final = Lane(schemas.CONTACTS, ("contact_id",))


def distinct(records: pl.DataFrame, lane: Lane) -> pl.DataFrame:
    """The records, each once; of two versions of one record always the same one stays, whatever their order."""
    columns = lane.schema.names()
    text = [pl.col(name).cast(pl.String) for name in columns]
    return (
        schemas.complete(records, lane.schema)
        .sort(text, nulls_last=True)
        .unique(list(lane.identity), keep="first", maintain_order=True)
    )


class Judged(NamedTuple):
    """What judging some order lines of goods gives: how many there were, what failed, and both by dimension."""

    order_lines: int
    found: tuple[Finding, ...]
    tally: Tally


def judge_goods(ledger: Engine, orders: Engine, bounds: Bounds, mixups: pl.DataFrame, resolving: Resolving) -> Judged:
    """Judges the order lines within `bounds` by all that the ledger knows of their parcels; see `read_mixups`."""
    as_of = resolving.run.as_of
    parcels = read_parcels(ledger, orders, bounds, as_of, mixups)
    failures = find(parcels.promises, parcels.scans, parcels.contacts, parcels.mixups, as_of, resolving.policy.delivery)
    found = tuple(failures)
    return Judged(parcels.promises.height, found, delivery_tally(parcels.promises, parcels.scans, found))


class Settled(NamedTuple):
    """What settling gives: (name, packed records), each record once; (name, number)."""

    records: beam.PCollection
    counts: beam.PCollection


@dataclass
class Settle(beam.PTransform[beam.PCollection, Settled]):
    """(partition, packed records) to each record once, and the counts of those and of their repeats."""

    lane: Lane

    def expand(self, batches: beam.PCollection) -> Settled:
        """Repeats of a record meet in its partition."""
        settled = (
            batches
            | "GroupByPartition" >> beam.GroupByKey()
            | "Distinct" >> beam.ParDo(_Distinct(self.lane)).with_outputs(RECORDS, COUNTS)
        )
        return Settled(settled[RECORDS], settled[COUNTS])


@dataclass
class RecordParcels(beam.PTransform[beam.PCollection, beam.PCollection]):
    """Packed records to the number that the ledger did not have yet. Idempotent."""

    resolving: Resolving
    record: Callable[[Engine, pl.DataFrame], int]

    def expand(self, records: beam.PCollection) -> beam.PCollection:
        """One transaction a partition."""
        return records | "Record" >> beam.ParDo(_Record(self.resolving, self.record))


class FoundParcels(NamedTuple):
    """As `Found`, and (name, number)."""

    findings: beam.PCollection
    tallies: beam.PCollection
    counts: beam.PCollection


@dataclass
class FindDeliveryFailures(beam.PTransform[beam.PCollection, FoundParcels]):
    """What was recorded to the findings of every order line of goods."""

    resolving: Resolving

    def expand(self, recorded: beam.PCollection) -> FoundParcels:
        """The recorded numbers come as a side input: nothing is judged before everything is written."""
        judged = (
            recorded.pipeline
            | "Once" >> beam.Create([None])
            | "ListPromises" >> beam.ParDo(_ListPromises(self.resolving), beam.pvalue.AsIter(recorded))
            | "SpreadPromises" >> beam.Reshuffle()
            | "Judge" >> beam.ParDo(_Judge(self.resolving)).with_outputs(FINDINGS, TALLIES, COUNTS)
        )
        return FoundParcels(judged[FINDINGS], judged[TALLIES], judged[COUNTS])


class _Distinct(beam.DoFn):
    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def process(self, group: tuple[int, Iterable[bytes]]) -> Iterator[TaggedOutput]:
        _, payloads = group
        records = unpack(payloads, self._lane.schema)
        once = distinct(records, self._lane)
        yield TaggedOutput(COUNTS, ("used", once.height))
        yield TaggedOutput(COUNTS, ("duplicate", records.height - once.height))
        yield TaggedOutput(RECORDS, pack(once))


class _Record(LedgerFn):
    def __init__(self, resolving: Resolving, record: Callable[[Engine, pl.DataFrame], int]) -> None:
        super().__init__(resolving)
        self._record = record

    def process(self, payload: bytes) -> Iterator[int]:
        yield self._record(self.ledger, unpack([payload]))


class _ListPromises(LedgerFn):
    def process(self, _: None, recorded: Iterable[int]) -> Iterator[Bounds]:
        sum(recorded)  # Reading the side input to its end is what waits for the ledger.
        yield from goods_chunks(self.orders, self.resolving.run.as_of)


class _Judge(LedgerFn):
    def start_bundle(self) -> None:
        """Mix-ups are everybody's: read once for many chunks, and after everything was written."""
        self._mixups = read_mixups(self.ledger, self.orders, self.resolving.run.as_of)

    def process(self, bounds: Bounds) -> Iterator[TaggedOutput]:
        judged = judge_goods(self.ledger, self.orders, bounds, self._mixups, self.resolving)
        name = f"goods-{content_id(first=bounds.first)}"
        if judged.found:
            yield TaggedOutput(FINDINGS, (name, judged.found))
        yield TaggedOutput(COUNTS, (ORDER_LINES, judged.order_lines))
        yield from tally_outputs(name, judged.tally)
