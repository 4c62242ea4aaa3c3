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

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from pipelines.findings import FindPlaybackFailures
from pipelines.parcels import CONTACTS, SCANS, RecordParcels, Settle
from pipelines.streaming.output import WriteTables
from pipelines.streaming.sessions import AssessClosed
from pipelines.streaming.settling import EndSlice, FindCauses, SettleFindings, visits
from pipelines.streaming.slices import Stream
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
    scans = spread.scans | "ScansOfTick" >> _of_tick(how) | "SettleScans" >> Settle(SCANS)
    contacts = spread.contacts | "ContactsOfTick" >> _of_tick(how) | "SettleContacts" >> Settle(CONTACTS)
    recorded = (
        scans.records | "RecordScans" >> RecordParcels(how.resolving, record_scans),
        contacts.records | "RecordContacts" >> RecordParcels(how.resolving, record_contacts),
    )
    items = {
        "findings": found,
        "visits": assessed.sessions | "Visits" >> beam.Map(visits),
        "tally": spoilt.tallies,
        "tick": spread.moments | "Tick" >> Tick(how.slices, how.until),
        "open": assessed.waiting,
        "counts": (spread.counts, assessed.counts) | "StreamCounts" >> beam.Flatten(),
        "parcels": (scans.counts, contacts.counts) | "ParcelCounts" >> beam.Flatten(),
        "recorded": recorded | "RecordedParcels" >> beam.Flatten(),
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


def _of_tick(how: Stream) -> beam.PTransform:
    """What comes between two ticks, together."""
    return beam.WindowInto(how.ticks.windows()) | beam.WithKeys(0)


def _named(kind: str) -> beam.PTransform:
    """Elements as items of a slice, in one window with all others."""
    return beam.WindowInto(GlobalWindows()) | beam.WithKeys(kind)
