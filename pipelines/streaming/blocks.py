"""What a source of the stream gives: blocks of some thousand records, decoded, as bytes."""

from collections.abc import Sequence
from typing import Self

import msgspec
import polars as pl

from detectors.telemetry.decode import Decoded
from pipelines.batches import pack, unpack
from pipelines.streaming.clock import stream_times


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Some records that follow each other in one source.

    `source` is the path of a file or the name of a partition, `position` where the
    block begins there: a byte of text, a record of any other file, an offset of
    Kafka's. `records` counts as `decode` does. Each of the frames is packed, and
    empty where it has no row. `oldest` and `newest` are the stream times of the
    records, milliseconds since the epoch; null where no record has one.
    """

    source: str
    position: int
    records: int
    events: bytes
    scans: bytes
    contacts: bytes
    rejects: bytes
    oldest: int | None
    newest: int | None

    @classmethod
    def of(cls, source: str, position: int, decoded: Decoded) -> Self:
        """The block of what was decoded."""
        frames = (decoded.events, decoded.scans, decoded.contacts)
        times = [stream_times(frame) for frame in frames if frame.height]
        return cls(
            source,
            position,
            decoded.record_count,
            _packed(decoded.events),
            _packed(decoded.scans),
            _packed(decoded.contacts),
            _packed(decoded.rejects),
            min((_int(each.min()) for each in times), default=None),
            max((_int(each.max()) for each in times), default=None),
        )

    @classmethod
    def read(cls, element: bytes) -> Self:
        """The block that travelled as these bytes.

        Raises:
          msgspec.DecodeError: They are no block.
        """
        return msgspec.msgpack.decode(element, type=cls)

    def written(self) -> bytes:
        """The block as it travels: an element of bytes needs no coder of ours."""
        return msgspec.msgpack.encode(self)


def together(blocks: Sequence[Block]) -> Block:
    """Blocks as one, which has the name and the place of the last."""
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        blocks[-1].source,
        blocks[-1].position,
        sum(block.records for block in blocks),
        _joined([block.events for block in blocks]),
        _joined([block.scans for block in blocks]),
        _joined([block.contacts for block in blocks]),
        _joined([block.rejects for block in blocks]),
        min((block.oldest for block in blocks if block.oldest is not None), default=None),
        max((block.newest for block in blocks if block.newest is not None), default=None),
    )


def _joined(payloads: Sequence[bytes]) -> bytes:
    filled = [payload for payload in payloads if payload]
    return pack(unpack(filled)) if len(filled) > 1 else b"".join(filled)


def _packed(frame: pl.DataFrame) -> bytes:
    return pack(frame) if frame.height else b""


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101  # times are whole numbers and never null
    return value
