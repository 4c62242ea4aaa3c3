"""Where a stream comes from: a folder or the topics of a Kafka cluster, named by a URL."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

import apache_beam as beam
import msgspec
from apache_beam.coders import BytesCoder, Coder
from apache_beam.io.unbounded_source import ReadFromUnboundedSource, UnboundedSource

from detectors.telemetry.keys import KeyRing
from detectors.telemetry.limits import DEFAULT_LIMITS, Limits
from detectors.telemetry.messages import Messages
from pipelines.sources import SourceError, read_key_ring
from pipelines.streaming import folder, kafka
from pipelines.streaming.clock import SourceClock
from pipelines.streaming.cluster import SCHEME, KafkaCluster, Topics
from pipelines.streaming.files import Taker
from pipelines.streaming.folder import Disk, FolderReader
from pipelines.streaming.listing import list_folder, open_file
from pipelines.streaming.marks import BeamReader, BlockReader, MarkCoder
from pipelines.streaming.marks import Mark as BeamMark

FOLDER: Final = "dir:"

POLL_S: Final = 0.2
BUNDLE_BLOCKS: Final = 200
BUNDLE_S: Final = 0.5
"""An engine passes on what a bundle gave when the bundle ends: a busy source ends it early."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a source is read, whatever it is; times in milliseconds.

    `disorder_ms` is how far a record may lie behind the newest of its file or
    partition; one without data for `idle_ms` holds nothing back; with `until_end`
    the source is finished once everything that is there has been read; what is
    older than `since_ms`, since the epoch, need not be read again; `beacon_keys`
    is the path of the key ring, which every worker reads for itself.
    """

    disorder_ms: int = 60_000
    idle_ms: int = 5_000
    until_end: bool = False
    since_ms: int | None = None
    block_bytes: int = 1024 * 1024
    beacon_keys: str | None = None

    @property
    def limits(self) -> Limits:
        """Bounds for blocks of a stream: small, so that the first record need not wait for the last."""
        return replace(
            DEFAULT_LIMITS,
            block_bytes=max(self.block_bytes, 2 * DEFAULT_LIMITS.record_bytes),
            block_lines=16 * 1024,
            block_rows=16 * 1024,
            listed_rejects=1_000,
        )

    def clock(self, mark: folder.Mark | kafka.Mark | None) -> SourceClock:
        """How far the source is, from where a former reader had come to."""
        if mark is None:
            return SourceClock(self.disorder_ms, self.idle_ms)
        return SourceClock(self.disorder_ms, self.idle_ms, mark.watermark, mark.newest)


class _WholeSource(UnboundedSource):
    """A source with one reader.

    One takes in many times what one machine works off, and parts would get in each other's
    way: files that are renamed would change sides, and a part without a partition
    could not say how far it is.
    """

    options: StreamOptions
    mark_type: ClassVar[type[folder.Mark] | type[kafka.Mark]]

    def reader(self, mark: Any, clock: SourceClock, keys: KeyRing | None) -> BlockReader:
        """A reader that goes on at the mark, if there is one; `clock` already does."""
        raise NotImplementedError

    def create_reader(self, options: object, checkpoint_mark: BeamMark | None) -> BeamReader:
        """A reader that goes on at the mark."""
        del options
        mark = None if checkpoint_mark is None else msgspec.msgpack.decode(checkpoint_mark.payload, type=self.mark_type)
        reader = self.reader(mark, self.options.clock(mark), read_key_ring(self.options.beacon_keys))
        return BeamReader(reader, now_ms)

    def split(self, desired_num_splits: int, options: object = None) -> Iterable[UnboundedSource]:
        """Not split."""
        del desired_num_splits, options
        return [self]

    def get_checkpoint_mark_coder(self) -> Coder:
        """Marks are bytes."""
        return MarkCoder()

    def default_output_coder(self) -> Coder:
        """So are blocks."""
        return BytesCoder()


@dataclass(frozen=True)
class FolderSource(_WholeSource):
    """The files of a folder."""

    path: str
    options: StreamOptions

    mark_type: ClassVar = folder.Mark

    def reader(self, mark: folder.Mark | None, clock: SourceClock, keys: KeyRing | None) -> BlockReader:
        """Of what is in the folder."""
        how = self.options
        disk = Disk(lambda: list_folder(self.path), open_file, now_ms)
        return FolderReader(disk, Taker(how.limits, keys), clock, mark, until_end=how.until_end, since_ms=how.since_ms)


@dataclass(frozen=True)
class KafkaSource(_WholeSource):
    """The partitions of topics."""

    topics: Topics
    options: StreamOptions

    mark_type: ClassVar = kafka.Mark

    def reader(self, mark: kafka.Mark | None, clock: SourceClock, keys: KeyRing | None) -> BlockReader:
        """Of what is in the topics."""
        how = self.options
        limits = how.limits
        return kafka.KafkaReader(
            KafkaCluster(self.topics, how.since_ms),
            lambda name: Messages(name, limits, keys),
            clock,
            now_ms,
            mark,
            until_end=how.until_end,
            since_ms=how.since_ms,
        )


def stream_source(url: str, options: StreamOptions | None = None) -> UnboundedSource:
    """The source that a URL names: `dir:PATH`, or `kafka://HOST:PORT/TOPIC` as `Topics.of` says.

    Raises:
      SourceError: It names none.
    """
    how = options or StreamOptions()
    if url.startswith(FOLDER) and url != FOLDER:
        return FolderSource(url.removeprefix(FOLDER), how)
    if url.startswith(SCHEME):
        return KafkaSource(Topics.of(url), how)
    raise SourceError(f"{url}: names no source of a stream; write dir:PATH or kafka://HOST:PORT/TOPIC")


@dataclass
class ReadBlocks(beam.PTransform[beam.pvalue.PBegin, beam.PCollection]):
    """The blocks of a source, as bytes: `Block.read` opens one."""

    url: str
    options: StreamOptions = field(default_factory=StreamOptions)

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        """Bundles are short: what is read is passed on at once."""
        source = stream_source(self.url, self.options)
        return begin | "ReadSource" >> ReadFromUnboundedSource(source, POLL_S, BUNDLE_BLOCKS, BUNDLE_S)


def now_ms() -> int:
    """The wall clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
