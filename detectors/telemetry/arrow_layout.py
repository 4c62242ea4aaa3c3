"""The messages of an Arrow stream, found without Arrow: it believes every length that it is told.

A buffer may be compressed ten thousand times, and Arrow sets aside what its first
eight bytes say. So they are added up before. Layout after the Arrow columnar format,
"Encapsulated message format", and FlatBuffers' internals.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from detectors.telemetry.containers import DamagedError
from detectors.telemetry.rejects import Code

CONTINUES: Final = b"\xff\xff\xff\xff"

_PREFIX_BYTES: Final = 8  # the mark and the length of the metadata
_ALIGNED: Final = 8
_DICTIONARY, _RECORDS = 2, 3
_BUFFER_BYTES: Final = 16
_NOT_COMPRESSED: Final = -1


class Stretch(NamedTuple):
    """What of a stream may be read: its first bytes, and whether they are all of it."""

    bytes: int
    is_whole: bool


class _Table(NamedTuple):
    """A table of a FlatBuffer: where it begins in its bytes."""

    data: bytes
    at: int

    def field(self, number: int) -> int:
        """Where a field stands; 0 where the table does not hold it."""
        fields = self.at - _read(self.data, "<i", self.at)
        place = 4 + 2 * number
        offset = _read(self.data, "<H", fields + place) if place < _read(self.data, "<H", fields) else 0
        return self.at + offset if offset else 0

    def refers(self, number: int) -> int:
        """Where what a field refers to begins; 0 where the table does not hold the field."""
        place = self.field(number)
        return place + _read(self.data, "<I", place) if place else 0


def readable(data: bytes, most_bytes: int, most_at_once: int) -> Stretch:
    """How much of a stream consists of whole messages.

    Raises:
      DamagedError: Its buffers hold more than `most_bytes`, or those of one batch
        more than `most_at_once`, or so they say.
    """
    at = 0
    try:
        for end, size in _messages(data):
            most_bytes -= size
            if most_bytes < 0 or size > most_at_once:
                reason = "The Arrow batches expand more than telemetry does; the rest was not read."
                raise DamagedError(Code.DECOMPRESSION_BOMB, reason)
            at = end
    except (struct.error, OverflowError):
        return Stretch(at, is_whole=False)
    return Stretch(at, is_whole=at == len(data) or data[at : at + _PREFIX_BYTES] == CONTINUES + b"\0\0\0\0")


def _messages(data: bytes) -> Iterator[tuple[int, int]]:
    """The end of each message, and the bytes that its body has once it is unpacked."""
    at = 0
    while data[at : at + 4] == CONTINUES and (length := _read(data, "<i", at + 4)) > 0:
        metadata = data[at + _PREFIX_BYTES : at + _PREFIX_BYTES + length]
        begin = at + _PREFIX_BYTES + length
        message = _Table(metadata, _read(metadata, "<I", 0))
        place = message.field(3)
        body = data[begin : begin + (_read(metadata, "<q", place) if place else 0)]
        at = begin + (_read(metadata, "<q", place) if place else 0)
        if at > len(data) or begin % _ALIGNED or at < begin:
            raise struct.error
        yield at, _unpacked_bytes(message, body)


def _unpacked_bytes(message: _Table, body: bytes) -> int:
    place = message.field(1)
    kind = _read(message.data, "<B", place) if place else 0
    if kind not in (_DICTIONARY, _RECORDS):
        return 0
    batch = _Table(message.data, message.refers(2))
    if kind == _DICTIONARY:
        batch = _Table(message.data, batch.refers(1))
    buffers = batch.refers(2)
    if not batch.field(3) or not buffers:
        return len(body)
    count = _read(message.data, "<I", buffers)
    return sum(_buffer_bytes(message.data, buffers + 4 + number * _BUFFER_BYTES, body) for number in range(count))


def _buffer_bytes(metadata: bytes, at: int, body: bytes) -> int:
    offset, length = _read(metadata, "<q", at), _read(metadata, "<q", at + 8)
    if length == 0:
        return 0
    unpacked = _read(body, "<q", offset)
    if unpacked < _NOT_COMPRESSED:
        raise struct.error
    return length if unpacked == _NOT_COMPRESSED else unpacked


def _read(data: bytes, form: str, at: int) -> int:
    if at < 0:
        raise struct.error
    value: int = struct.unpack_from(form, data, at)[0]
    return value
