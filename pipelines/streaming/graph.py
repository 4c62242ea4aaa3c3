"""The stream on one screen: the nightly graph, its grouping by time instead of by the end of the input.

    source ─► ReadBlocks ─► SpreadBlocks ─┬► batches ─► AssessClosed ─► FindPlaybackFailures ─► SettleFindings ─┐
                                          ├► scans, contacts ─► RecordScans, RecordContacts ────────────────────┤
                                          ├► moments ─► Tick ───────────────────────────────────────────────────┤
                                          └► late, rejects, counts ─────────────────────────────────────────────┤
                                                                                                                ▼
                                                     tallies ─► FindCauses ◄──────────────────────────────── EndSlices

Sessions close at ticks, some seconds; slices end some minutes later, when all that
closed in them has been written. The engine holds what waits and its timers are in
event time, so that any engine can carry this.
"""

from collections.abc import Callable, Iterable, Iterator

import apache_beam as beam
import polars as pl
from apache_beam.transforms.window import GlobalWindows
from sqlalchemy import Engine

from pipelines.batches import unpack
from pipelines.findings import FindPlaybackFailures
from pipelines.parcels import CONTACTS, SCANS, Lane, distinct
from pipelines.resolving import LedgerFn
from pipelines.streaming.output import WriteTables
from pipelines.streaming.sessions import AssessClosed
from pipelines.streaming.settling import EndSlice, FindCauses, SettleFindings, visits
from pipelines.streaming.slices import Slices, Stream
from pipelines.streaming.spreading import SpreadBlocks
from pipelines.streaming.ticking import Tick
from pipelines.streaming.turns import InTurn
from remediation.ledger.parcels import record_contacts, record_scans


def stream(blocks: beam.PCollection, how: Stream) -> None:
    """Blocks of telemetry to the ledger, for as long as they come."""
    rules = how.resolving.policy.playback
    spread = blocks | "SpreadBlocks" >> SpreadBlocks(how.partitions, how.patience)
    assessed = spread.batches | "AssessClosed" >> AssessClosed(how)
    spoilt = assessed.sessions | "FindPlaybackFailures" >> FindPlaybackFailures(rules)
    found = spoilt.findings | "SettleFindings" >> InTurn(SettleFindings(how))
    scans = spread.scans | "RecordScans" >> _RecordParcels(how, SCANS, record_scans)
    contacts = spread.contacts | "RecordContacts" >> _RecordParcels(how, CONTACTS, record_contacts)
    items = {
        "findings": found,
        "visits": assessed.sessions | "Visits" >> beam.Map(visits),
        "tally": spoilt.tallies,
        "tick": spread.moments | "Tick" >> Tick(how.slices, how.until),
        "open": assessed.waiting,
        "count": (spread.counts, assessed.counts) | "StreamCounts" >> beam.Flatten(),
        "parcels": (scans, contacts) | "ParcelCounts" >> beam.Flatten(),
    }
    named = tuple(each | f"Name-{kind}" >> _named(kind) for kind, each in items.items())
    goods = named | "AllItems" >> beam.Flatten() | "EndSlices" >> InTurn(EndSlice(how))
    tallies = (spoilt.tallies, goods) | "AllTallies" >> beam.Flatten()
    tallies | "FindCauses" >> InTurn(FindCauses(how))
    if how.out:
        late = (spread.late, assessed.late) | "AllLate" >> beam.Flatten()
        late | "WriteLate" >> WriteTables(how.out, "late")
        spread.rejects | "WriteRejects" >> WriteTables(how.out, "rejects")
        assessed.sessions | "WriteSessions" >> WriteTables(how.out, "sessions")


def _windowed(slices: Slices) -> beam.PTransform:
    return beam.WindowInto(slices.windows())


def _named(kind: str) -> beam.PTransform:
    """Elements as items of a slice, in one window with all others."""
    return beam.WindowInto(GlobalWindows()) | beam.WithKeys(kind)


class _RecordParcels(beam.PTransform[beam.PCollection, beam.PCollection]):
    """Packed scans or contacts, each record once a tick, to the numbers that the ledger did not have. Idempotent."""

    def __init__(self, how: Stream, lane: Lane, record: Callable[[Engine, pl.DataFrame], int]) -> None:
        super().__init__()
        self._how = how
        self._lane = lane
        self._record = record

    def expand(self, packed: beam.PCollection) -> beam.PCollection:
        """A tick's records in one transaction."""
        return (
            packed
            | "ByTick" >> _windowed(self._how.ticks)
            | "Together" >> beam.WithKeys(0)
            | "Group" >> beam.GroupByKey()
            | "Record" >> beam.ParDo(_Record(self._how, self._lane, self._record))
        )


class _Record(LedgerFn):
    def __init__(self, how: Stream, lane: Lane, record: Callable[[Engine, pl.DataFrame], int]) -> None:
        super().__init__(how.resolving)
        self._lane = lane
        self._record = record

    def process(self, group: tuple[int, Iterable[bytes]]) -> Iterator[tuple[str, int]]:
        _, packed = group
        records = unpack(packed, self._lane.schema)
        once = distinct(records, self._lane)
        self._record(self.ledger, once)
        yield "used", once.height
        yield "duplicate", records.height - once.height
