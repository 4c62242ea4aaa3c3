"""The whole flow on one screen.

    sources ─► ReadTelemetry ─► batches ─► AssessSessions ─► sessions ─► FindFailures ─► findings
                    │                            │                                          │
                    ├► rejects                   └► counts                            BindToOrders ─► declined
                    └► counts                                                               │            │
                                                                              DecidePerCustomer          │
                                                                                            │            │
                                                                     remedies, declined ─► RecordInLedger┘

Beam moves batches and decides nothing: each step calls one pure function of
`detectors` or `remediation`. Nothing is sent from here; bundles may run twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam

from detectors.playback.rules import PlaybackRules
from pipelines.batches import Spill
from pipelines.findings import FindFailures
from pipelines.parts import WriteCounts, WriteParts
from pipelines.remedies import BindToOrders, DecidePerCustomer, RecordInLedger, Resolving
from pipelines.sessions import AssessSessions, ReadTelemetry
from pipelines.sources import Source


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


def sessions_table(
    pipeline: beam.Pipeline, sources: Sequence[Source], rules: PlaybackRules, plan: Plan
) -> beam.PCollection:
    """Telemetry to (name, packed sessions); the table, the rejects and the counts are written to the parts folder."""
    reading = ReadTelemetry(plan.partitions, plan.threads, plan.spill)
    read = pipeline | "Sources" >> beam.Create(sources) | "ReadTelemetry" >> reading
    assessed = read.batches | "AssessSessions" >> AssessSessions(rules, plan.threads)
    read.rejects | "WriteRejects" >> WriteParts(plan.parts_folder, "rejects")
    assessed.sessions | "WriteSessions" >> WriteParts(plan.parts_folder, "sessions")
    counts = (read.counts, assessed.counts) | "AllCounts" >> beam.Flatten()
    counts | "WriteCounts" >> WriteCounts(plan.parts_folder)
    return assessed.sessions


def night(pipeline: beam.Pipeline, sources: Sequence[Source], resolving: Resolving, plan: Plan) -> None:
    """One night from telemetry to the ledger."""
    sessions = sessions_table(pipeline, sources, resolving.policy.playback, plan)
    findings = sessions | "FindFailures" >> FindFailures(resolving.policy.playback)
    bound = findings | "BindToOrders" >> BindToOrders(resolving)
    decided = bound.findings | "DecidePerCustomer" >> DecidePerCustomer(resolving)
    resolutions = (bound.declined, decided) | "AllResolutions" >> beam.Flatten()
    recorded = resolutions | "RecordInLedger" >> RecordInLedger(resolving)
    bound.written | "WriteFindings" >> WriteParts(plan.parts_folder, "findings")
    recorded | "WriteRecorded" >> WriteCounts(plan.parts_folder)
