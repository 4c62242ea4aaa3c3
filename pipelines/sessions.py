"""Telemetry files become the session table: decode, partition by session, assess."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import apache_beam as beam
import polars as pl
from apache_beam.pvalue import TaggedOutput

from detectors.playback.rules import PlaybackRules
from detectors.playback.sessions import sessionize
from detectors.telemetry.decode import decode
from pipelines.batches import Spill, pack, split, unpack
from pipelines.sources import Source, open_source

COUNTS: Final = "counts"
REJECTS: Final = "rejects"
BATCHES: Final = "batches"
SESSIONS: Final = "sessions"

ROWS: Final = "rows"
"""Prefix of the counts of records by source number."""


class Telemetry(NamedTuple):
    """What reading gives: (partition, packed events), (name, packed rejects), (name, number)."""

    batches: beam.PCollection
    rejects: beam.PCollection
    counts: beam.PCollection


class Assessed(NamedTuple):
    """What assessing gives: (name, packed sessions), (name, number)."""

    sessions: beam.PCollection
    counts: beam.PCollection


@dataclass
class ReadTelemetry(beam.PTransform[beam.PCollection, Telemetry]):
    """Sources to batches of events by partition, rejects and counts."""

    partitions: int
    spill: Spill | None

    def expand(self, sources: beam.PCollection) -> Telemetry:
        """A file is the unit of work; the reshuffle spreads files over the workers."""
        read = (
            sources
            | "SpreadFiles" >> beam.Reshuffle()
            | "Decode" >> beam.ParDo(_Decode(self.partitions, self.spill)).with_outputs(BATCHES, REJECTS, COUNTS)
        )
        return Telemetry(read[BATCHES], read[REJECTS], read[COUNTS])


@dataclass
class AssessSessions(beam.PTransform[beam.PCollection, Assessed]):
    """Batches, grouped by partition, to one table of sessions a partition."""

    rules: PlaybackRules

    def expand(self, batches: beam.PCollection) -> Assessed:
        """All events of a session meet in its partition; the kernel sees the whole partition at once."""
        assessed = (
            batches
            | "GroupByPartition" >> beam.GroupByKey()
            | "Assess" >> beam.ParDo(_Assess(self.rules)).with_outputs(SESSIONS, COUNTS)
        )
        return Assessed(assessed[SESSIONS], assessed[COUNTS])


class _Decode(beam.DoFn):
    def __init__(self, partitions: int, spill: Spill | None) -> None:
        self._partitions = partitions
        self._spill = spill

    def process(self, source: Source) -> Iterator[TaggedOutput]:
        rows = 0
        with open_source(source.path) as stream:
            for block, decoded in enumerate(decode(stream, source.path)):
                name = f"{source.number:06d}-{block:06d}"
                rows += decoded.record_count
                slices = {number: pack(events) for number, events in split(decoded.events, self._partitions)}
                batches = self._spill.write(name, slices) if self._spill else slices.items()
                yield from (TaggedOutput(BATCHES, batch) for batch in batches)
                if decoded.rejects.height:
                    yield TaggedOutput(REJECTS, (name, pack(decoded.rejects)))
                yield TaggedOutput(COUNTS, ("rejected", _rejected(decoded.rejects)))
        yield TaggedOutput(COUNTS, ("records", rows))
        yield TaggedOutput(COUNTS, (f"{ROWS}-{source.number}", rows))


def _rejected(rejects: pl.DataFrame) -> int:
    """The records among the rejects: counted by themselves, so that the sum of records can fail."""
    return int(rejects.filter(pl.col("scope") != "field")["count"].sum())


class _Assess(beam.DoFn):
    def __init__(self, rules: PlaybackRules) -> None:
        self._rules = rules

    def process(self, group: tuple[int, Iterable[bytes]]) -> Iterator[TaggedOutput]:
        partition, payloads = group
        assessed = sessionize(unpack(payloads), self._rules)
        counts = {
            "used": int(assessed.sessions["events"].sum()),
            "duplicate": assessed.duplicate,
            "late": assessed.late,
            "sessions": assessed.sessions.height,
        }
        yield from (TaggedOutput(COUNTS, pair) for pair in counts.items())
        yield TaggedOutput(SESSIONS, (f"{partition:06d}", pack(assessed.sessions)))
