"""A folder that is watched by a clock of the test's own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec
import polars as pl

from detectors import schemas
from detectors.telemetry.decode import Decoded
from detectors.telemetry.limits import Limits
from pipelines.batches import unpack
from pipelines.streaming.blocks import Block
from pipelines.streaming.clock import SourceClock
from pipelines.streaming.files import Taker
from pipelines.streaming.folder import Disk, FolderReader, Mark
from pipelines.streaming.listing import list_folder, open_file

NIGHT = 1_795_284_000_000  # 2026-11-21T18:00:00Z
LATER = NIGHT + 86_400_000  # the wall clock of a replay
DISORDER_MS = 10_000
IDLE_MS = 5_000

SMALL = Limits(block_bytes=4_096, record_bytes=1_024, block_rows=256, block_lines=64)
MIDDLE = Limits(block_bytes=32 * 1_024, record_bytes=8 * 1_024, block_rows=256, block_lines=512)


@dataclass
class Watched:
    """A folder and its reader; time passes only when `wait` says so."""

    path: Path
    until_end: bool = False
    limits: Limits = SMALL
    now: int = LATER
    since_ms: int | None = None
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = self._reader(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()

    def _reader(self, mark: Mark | None) -> FolderReader:
        disk = Disk(lambda: list_folder(str(self.path)), open_file, lambda: self.now)
        clock = SourceClock(DISORDER_MS, IDLE_MS, mark.watermark if mark else None, mark.newest if mark else None)
        return FolderReader(disk, Taker(self.limits), clock, mark, until_end=self.until_end, since_ms=self.since_ms)

    def wait(self, ms: int = 500) -> list[Block]:
        """Time passes, and the reader takes what it then finds."""
        self.now += ms
        return self.take()

    def take(self) -> list[Block]:
        """All that the reader gives now."""
        given = []
        while (block := self.reader.advance()) is not None:
            given.append(Block.read(block.written()))
        self.blocks += given
        return given

    def crash(self) -> None:
        """The reader is gone; another goes on from its mark."""
        mark = msgspec.msgpack.decode(msgspec.msgpack.encode(self.reader.mark()), type=Mark)
        self.reader.close()
        self.reader = self._reader(mark)

    @property
    def sessions(self) -> list[str]:
        """The session ids of the events, in the order in which they were read."""
        return events_of(self.blocks)["session_id"].to_list()

    @property
    def rejects(self) -> pl.DataFrame:
        return pl.concat([unpacked(block.rejects, schemas.REJECTS) for block in self.blocks])


def unpacked(payload: bytes, schema: pl.Schema) -> pl.DataFrame:
    return schemas.complete(unpack([payload] if payload else [], schema), schema)


def events_of(blocks: Iterable[Block]) -> pl.DataFrame:
    frames = [unpacked(block.events, schemas.EVENTS) for block in blocks]
    return pl.concat([pl.DataFrame(schema=schemas.EVENTS), *frames])


@dataclass(frozen=True)
class Account:
    """What was read of some sources, whatever the order and the size of the blocks."""

    records: int
    events: list[str]
    scans: list[str]
    contacts: list[str]
    rejects: list[str]

    @classmethod
    def of_blocks(cls, blocks: Iterable[Block]) -> "Account":
        given = list(blocks)
        return cls(
            sum(block.records for block in given),
            _lines(unpacked(block.events, schemas.EVENTS) for block in given),
            _lines(unpacked(block.scans, schemas.TRACKING) for block in given),
            _lines(unpacked(block.contacts, schemas.CONTACTS) for block in given),
            _reasons(unpacked(block.rejects, schemas.REJECTS) for block in given),
        )

    @classmethod
    def of_night(cls, decoded: Iterable[Decoded]) -> "Account":
        given = list(decoded)
        return cls(
            sum(each.record_count for each in given),
            _lines(schemas.complete(each.events, schemas.EVENTS) for each in given),
            _lines(each.scans for each in given),
            _lines(each.contacts for each in given),
            _reasons(each.rejects for each in given),
        )


def _lines(frames: Iterable[pl.DataFrame]) -> list[str]:
    return sorted(line for frame in frames for line in frame.write_ndjson().splitlines())


def _reasons(frames: Iterable[pl.DataFrame]) -> list[str]:
    """What was rejected, where and why; of fields left out only how many, for each piece of a text counts its own."""
    rejects = pl.concat([pl.DataFrame(schema=schemas.REJECTS), *frames])
    outside = rejects.filter(pl.col("scope") != "field")
    inside = (
        rejects.filter(pl.col("scope") == "field").group_by("source", "field", "code", "reason").agg(pl.sum("count"))
    )
    return _lines([outside]) + _lines([inside])
