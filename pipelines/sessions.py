"""Telemetry files become the session table: decode, partition by session, assess."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple

import apache_beam as beam
import polars as pl
from apache_beam.pvalue import TaggedOutput

from detectors.playback.rules import PlaybackRules
from detectors.playback.sessions import Sessionized, sessionize
from detectors.telemetry.decode import Decoded, decode
from detectors.telemetry.keys import KeyRing
from pipelines.ahead import Ahead
from pipelines.batches import Spill, pack, split, unpack
from pipelines.sources import Source, open_source

COUNTS: Final = "counts"
REJECTS: Final = "rejects"
BATCHES: Final = "batches"
SCANS: Final = "scans"
CONTACTS: Final = "contacts"
SESSIONS: Final = "sessions"

ROWS: Final = "rows"
"""Prefix of the counts of records by source number."""


class Telemetry(NamedTuple):
    """What reading gives.

    (group, (partition, packed events)); (partition, packed scans) and contacts;
    (name, packed rejects); (name, number).
    """

    batches: beam.PCollection
    scans: beam.PCollection
    contacts: beam.PCollection
    rejects: beam.PCollection
    counts: beam.PCollection


class Assessed(NamedTuple):
    """What assessing gives: (name, packed sessions), (name, number)."""

    sessions: beam.PCollection
    counts: beam.PCollection


@dataclass
class ReadTelemetry(beam.PTransform[beam.PCollection, Telemetry]):
    """Sources to batches of events by partition, rejects and counts.

    `threads` neighbouring partitions form a group and are later assessed at once;
    with `keys`, signed beacons are verified.
    """

    partitions: int
    threads: int
    spill: Spill | None
    keys: KeyRing | None = None

    def expand(self, sources: beam.PCollection) -> Telemetry:
        """A file is the unit of work; the reshuffle spreads files over the workers."""
        read = (
            sources
            | "SpreadFiles" >> beam.Reshuffle()
            | "Decode"
            >> beam.ParDo(_Decode(self.partitions, self.threads, self.spill, self.keys)).with_outputs(
                BATCHES, SCANS, CONTACTS, REJECTS, COUNTS
            )
        )
        return Telemetry(read[BATCHES], read[SCANS], read[CONTACTS], read[REJECTS], read[COUNTS])


@dataclass
class AssessSessions(beam.PTransform[beam.PCollection, Assessed]):
    """Batches, grouped, to one table of sessions a partition; `threads` partitions at a time."""

    rules: PlaybackRules
    threads: int

    def expand(self, batches: beam.PCollection) -> Assessed:
        """All events of a session meet in its partition; the kernel sees the whole partition at once."""
        assessed = (
            batches
            | "GroupPartitions" >> beam.GroupByKey()
            | "Assess" >> beam.ParDo(_Assess(self.rules, self.threads)).with_outputs(SESSIONS, COUNTS)
        )
        return Assessed(assessed[SESSIONS], assessed[COUNTS])


class _Decode(beam.DoFn):
    def __init__(self, partitions: int, threads: int, spill: Spill | None, keys: KeyRing | None) -> None:
        self._partitions = partitions
        self._threads = threads
        self._spill = spill
        self._keys = keys

    def process(self, source: Source) -> Iterator[TaggedOutput]:
        rows = 0
        with open_source(source.path) as stream:
            for block, decoded in enumerate(self._decoded(stream, source.path)):
                name = f"{source.number:06d}-{block:06d}"
                rows += decoded.record_count
                slices = {number: pack(events) for number, events in split(decoded.events, self._partitions)}
                batches = self._spill.write(name, slices) if self._spill else slices.items()
                yield from (TaggedOutput(BATCHES, (batch[0] // self._threads, batch)) for batch in batches)
                yield from self._parcels(decoded)
                if decoded.rejects.height:
                    yield TaggedOutput(REJECTS, (name, pack(decoded.rejects)))
                yield TaggedOutput(COUNTS, ("rejected", rejected(decoded.rejects)))
        yield TaggedOutput(COUNTS, ("records", rows))
        yield TaggedOutput(COUNTS, (f"{ROWS}-{source.number}", rows))

    def _decoded(self, stream: BinaryIO, path: str) -> Iterator[Decoded]:
        """The blocks of a file, the next ones on their way."""
        return decode(stream, path, keys=self._keys, in_order=Ahead(self._threads))

    def _parcels(self, decoded: Decoded) -> Iterator[TaggedOutput]:
        """Scans and contacts: few beside events, so that they travel as they are."""
        for number, part in split(decoded.scans, self._partitions, "tracking_number"):
            yield TaggedOutput(SCANS, (number, pack(part)))
        for number, part in split(decoded.contacts, self._partitions, "contact_id"):
            yield TaggedOutput(CONTACTS, (number, pack(part)))


def rejected(rejects: pl.DataFrame) -> int:
    """The records among the rejects: counted by themselves, so that the sum of records can fail."""
    return int(rejects.filter(pl.col("scope") != "field")["count"].sum())


class _Assess(beam.DoFn):
    def __init__(self, rules: PlaybackRules, threads: int) -> None:
        self._rules = rules
        self._threads = threads

    def process(self, group: tuple[int, Iterable[tuple[int, bytes]]]) -> Iterator[TaggedOutput]:
        _, batches = group
        payloads: defaultdict[int, list[bytes]] = defaultdict(list)
        for partition, payload in batches:
            payloads[partition].append(payload)
        # numpy and polars let go of the interpreter for most of their work, so that threads suffice.
        with ThreadPoolExecutor(self._threads) as pool:
            for partition, assessed in zip(payloads, pool.map(self._assess, payloads.values()), strict=True):
                yield from _outputs(partition, assessed)

    def _assess(self, payloads: Iterable[bytes]) -> Sessionized:
        return sessionize(unpack(payloads), self._rules)


def _outputs(partition: int, assessed: Sessionized) -> Iterator[TaggedOutput]:
    counts = {
        "used": int(assessed.sessions["events"].sum()),
        "duplicate": assessed.duplicate,
        "late": assessed.late,
    }
    yield from (TaggedOutput(COUNTS, pair) for pair in counts.items())
    yield TaggedOutput(SESSIONS, (f"{partition:06d}", pack(assessed.sessions)))
