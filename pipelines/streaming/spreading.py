"""Blocks of the source become batches by partition; what comes too late for the stream is told apart here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import apache_beam as beam
import polars as pl
from apache_beam.pvalue import TaggedOutput

from pipelines.batches import pack, split, unpack
from pipelines.sessions import rejected
from pipelines.streaming.blocks import Block
from pipelines.streaming.clock import stream_times
from pipelines.streaming.closing import Patience, earliest_due
from pipelines.streaming.slices import to_ms

BATCHES: Final = "batches"
SCANS: Final = "scans"
CONTACTS: Final = "contacts"
LATE: Final = "late"
REJECTS: Final = "rejects"
COUNTS: Final = "counts"
MOMENTS: Final = "moments"


class Spread(NamedTuple):
    """What blocks hold.

    (partition, (first tick at which it could close, packed events)); packed scans
    and contacts; (name, packed late events); (name, packed rejects); {name: number};
    the stream time of each block.
    """

    batches: beam.PCollection
    scans: beam.PCollection
    contacts: beam.PCollection
    late: beam.PCollection
    rejects: beam.PCollection
    counts: beam.PCollection
    moments: beam.PCollection


@dataclass
class SpreadBlocks(beam.PTransform[beam.PCollection, Spread]):
    """Blocks, as bytes, to everything that is in them."""

    partitions: int
    patience: Patience

    def expand(self, blocks: beam.PCollection) -> Spread:
        """A block is read once, where it is decoded; its rows travel as slices of it."""
        tags = (BATCHES, SCANS, CONTACTS, LATE, REJECTS, COUNTS, MOMENTS)
        spread = blocks | "Spread" >> beam.ParDo(_Spread(self.partitions, self.patience)).with_outputs(*tags)
        return Spread(*(spread[tag] for tag in tags))


class _Spread(beam.DoFn):
    def __init__(self, partitions: int, patience: Patience) -> None:
        self._partitions = partitions
        self._patience = patience

    def process(self, element: bytes, timestamp: Any = beam.DoFn.TimestampParam) -> Iterator[TaggedOutput]:
        block = Block.read(element)
        reached = to_ms(timestamp)
        counts = {"records": block.records}
        if block.events:
            events, late = in_time(unpack([block.events]), reached, self._patience)
            counts |= {"open": events.height, "late": late.height}
            for partition, part in split(events, self._partitions):
                due = earliest_due(part, self._patience)
                yield TaggedOutput(BATCHES, (partition, (due, pack(part))))
            if late.height:
                yield TaggedOutput(LATE, (f"{reached}-{_name(block)}", pack(late)))
        if block.scans:
            yield TaggedOutput(SCANS, block.scans)
        if block.contacts:
            yield TaggedOutput(CONTACTS, block.contacts)
        if block.rejects:
            rejects = unpack([block.rejects])
            yield TaggedOutput(REJECTS, (f"{reached}-{_name(block)}", block.rejects))
            counts["rejected"] = rejected(rejects)
        yield TaggedOutput(COUNTS, counts)
        yield TaggedOutput(MOMENTS, reached)


def in_time(events: pl.DataFrame, reached: int, patience: Patience) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events that the stream still waits for, and those that come too late for it.

    `reached` is how far the source had come before it gave them, in ms since the
    epoch: a session that was closed by then cannot have missed one that is in time.
    """
    late = stream_times(events) + patience.lateness_ms <= reached
    return events.filter(~late), events.filter(late)


def _name(block: Block) -> str:
    """A file name that is the same whenever this block is read again."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in block.source[-80:])
    return f"{plain}-{block.position}"
