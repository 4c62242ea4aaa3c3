"""The whole flow on one screen.

    sources ─► ReadTelemetry ─┬► batches ─► AssessSessions ─► FindPlaybackFailures ─┐
                              ├► scans, contacts ─► Settle ─► RecordParcels         ├► findings
                              │         every promise ─► FindDeliveryFailures ──────┘     │
                              └► rejects, counts                       BindToOrders, RecordPrints
                                                                                    │          │
                                                             DecidePerCustomer ◄────┘      declined
                                                                    └────► RecordInLedger ◄────┘

Beam moves batches and decides nothing: each step calls one pure function of
`detectors` or `remediation`. Nothing is sent from here; bundles may run twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import apache_beam as beam

from detectors.playback.rules import PlaybackRules
from detectors.telemetry.keys import KeyRing
from pipelines.batches import Spill
from pipelines.findings import FindPlaybackFailures
from pipelines.parcels import CONTACTS, SCANS, FindDeliveryFailures, RecordParcels, Settle
from pipelines.parts import WriteCounts, WriteParts
from pipelines.prints import After, RecordPrints
from pipelines.remedies import BindToOrders, DecidePerCustomer, RecordInLedger
from pipelines.resolving import Resolving
from pipelines.sessions import AssessSessions, ReadTelemetry
from pipelines.sources import Source
from pipelines.tallies import TALLIES
from remediation.ledger.parcels import record_contacts, record_scans


@dataclass(frozen=True)
class Plan:
    """How to run.

    `parts_folder` is where results are gathered, `threads` how many partitions a
    worker assesses at once, `spill` where local batches stay (None: they travel).
    """

    parts_folder: str
    partitions: int
    threads: int
    spill: Spill | None


class Accounted(NamedTuple):
    """Every record once: (name, packed sessions), and the packed scans and contacts."""

    sessions: beam.PCollection
    scans: beam.PCollection
    contacts: beam.PCollection


def account(
    pipeline: beam.Pipeline, sources: Sequence[Source], rules: PlaybackRules, plan: Plan, keys: KeyRing | None = None
) -> Accounted:
    """Telemetry to sessions, scans and contacts; sessions, rejects and counts are written to the parts folder."""
    reading = ReadTelemetry(plan.partitions, plan.threads, plan.spill, keys)
    read = pipeline | "Sources" >> beam.Create(sources) | "ReadTelemetry" >> reading
    assessed = read.batches | "AssessSessions" >> AssessSessions(rules, plan.threads)
    scans = read.scans | "SettleScans" >> Settle(SCANS)
    contacts = read.contacts | "SettleContacts" >> Settle(CONTACTS)
    read.rejects | "WriteRejects" >> WriteParts(plan.parts_folder, "rejects")
    assessed.sessions | "WriteSessions" >> WriteParts(plan.parts_folder, "sessions")
    counts = (read.counts, assessed.counts, scans.counts, contacts.counts) | "AllCounts" >> beam.Flatten()
    counts | "WriteCounts" >> WriteCounts(plan.parts_folder)
    return Accounted(assessed.sessions, scans.records, contacts.records)


def night(pipeline: beam.Pipeline, sources: Sequence[Source], resolving: Resolving, plan: Plan) -> None:
    """One night from telemetry to the ledger."""
    known = account(pipeline, sources, resolving.policy.playback, plan, resolving.keys)
    spoilt = known.sessions | "FindPlaybackFailures" >> FindPlaybackFailures(resolving.policy.playback)
    scans = known.scans | "RecordScans" >> RecordParcels(resolving, record_scans)
    contacts = known.contacts | "RecordContacts" >> RecordParcels(resolving, record_contacts)
    parcels = (scans, contacts) | "AllParcels" >> beam.Flatten()
    missing = parcels | "FindDeliveryFailures" >> FindDeliveryFailures(resolving)
    findings = (spoilt.findings, missing.findings) | "AllFindings" >> beam.Flatten()
    tallies = (spoilt.tallies, missing.tallies) | "AllTallies" >> beam.Flatten()
    bound = findings | "BindToOrders" >> BindToOrders(resolving)
    prints = spoilt.findings | "RecordPrints" >> RecordPrints(resolving)
    undecided = bound.findings | "AfterPrints" >> After(prints)
    decided = undecided | "DecidePerCustomer" >> DecidePerCustomer(resolving)
    resolutions = (bound.declined, decided) | "AllResolutions" >> beam.Flatten()
    recorded = resolutions | "RecordInLedger" >> RecordInLedger(resolving)
    bound.written | "WriteFindings" >> WriteParts(plan.parts_folder, "findings")
    tallies | "WriteTallies" >> WriteParts(plan.parts_folder, TALLIES)
    results = (recorded, missing.counts) | "AllResults" >> beam.Flatten()
    results | "WriteResults" >> WriteCounts(plan.parts_folder)
