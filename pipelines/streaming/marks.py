"""Readers of ours as sources of Beam's: blocks, watermarks and marks in its words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from apache_beam.coders import Coder
from apache_beam.io.unbounded_source import CheckpointMark, UnboundedReader
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp

from pipelines.streaming.blocks import Block, together

MOST_HELD: Final = 1_000
"""So many blocks without a time are kept for the first one that has one."""


class BlockReader(Protocol):
    """What a source of the stream does."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing will ever come again."""
        ...

    def advance(self) -> Block | None:
        """The next block; null where there is none now."""
        ...

    def watermark(self) -> int | None:
        """No record older than this is expected, milliseconds since the epoch; null while nobody can tell."""
        ...

    def written_mark(self) -> bytes:
        """Where another reader goes on."""
        ...

    def committing(self) -> Callable[[], None] | None:
        """What tells the source that all up to here was taken over, where it wants to know."""
        ...

    def close(self) -> None:
        """Lets go of everything."""
        ...


@dataclass
class Mark(CheckpointMark):
    """A position as bytes; with `commit`, the source learns that it was taken over."""

    payload: bytes
    commit: Callable[[], None] | None = field(default=None, compare=False, repr=False)

    def finalize_checkpoint(self) -> None:
        """Tells the source; nothing is lost where this does not happen."""
        if self.commit is not None:
            self.commit()


class MarkCoder(Coder):
    """A mark is its bytes."""

    def encode(self, value: Mark) -> bytes:
        """The position alone: nobody else can commit it."""
        return value.payload

    def decode(self, encoded: bytes) -> Mark:
        """The position."""
        return Mark(encoded)

    def is_deterministic(self) -> bool:
        """The same position has always the same bytes."""
        return True


class BeamReader(UnboundedReader):
    """One of our readers as Beam drives it.

    An element's timestamp is that of its oldest record, but never before what was
    promised: no engine then calls it late, and what is late is told by the records.
    """

    def __init__(self, reader: BlockReader, now_ms: Callable[[], int]) -> None:
        self._reader = reader
        self._now_ms = now_ms
        self._current = b""
        self._time = 0

    def start(self) -> bool:
        """Takes the first block, if there is one."""
        return self.advance()

    def advance(self) -> bool:
        """Takes the next block, if there is one."""
        reached = self._reader.watermark()
        block = self._with_a_time() if reached is None else self._reader.advance()
        if block is None:
            return False
        if reached is None:
            self._time = self._now_ms() if block.oldest is None else block.oldest
        else:
            self._time = reached if block.oldest is None else max(block.oldest, reached)
        self._current = block.written()
        return True

    def _with_a_time(self) -> Block | None:
        """The next block, with those before it that have no time: nobody knows yet when they belong to."""
        held: list[Block] = []
        while (block := self._reader.advance()) is not None:
            held.append(block)
            if block.oldest is not None or len(held) >= MOST_HELD:
                break
        return together(held) if held else None

    def get_current(self) -> bytes:
        """The block as it travels."""
        return self._current

    def get_current_timestamp(self) -> Timestamp:
        """When it belongs to."""
        return _timestamp(self._time)

    def get_watermark(self) -> Timestamp:
        """How far the source is."""
        if self._reader.is_finished:
            return MAX_TIMESTAMP
        reached = self._reader.watermark()
        return MIN_TIMESTAMP if reached is None else _timestamp(reached)

    def get_checkpoint_mark(self) -> Mark:
        """Where to go on."""
        return Mark(self._reader.written_mark(), self._reader.committing())

    def close(self) -> None:
        """Lets go of everything."""
        self._reader.close()


def _timestamp(time_ms: int) -> Timestamp:
    return Timestamp(micros=time_ms * 1_000)
