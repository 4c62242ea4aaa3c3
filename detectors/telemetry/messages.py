"""Messages of a broker: each holds one record or many, in any of the known formats.

    offset 7   {"session_id": …}          ┐
    offset 8   {"session_id": …} {…} {…}  ├─ one text, decoded at once; rejects find back to their message
    offset 9   {"cmcd": …}                ┘
    offset 10  an Arrow batch, Parquet, gzip, zstd, a JSON document, a log: each by itself

A message that cannot be read is a reject with its offset, and the next one is read.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from detectors.telemetry import rejects as reject_frames
from detectors.telemetry.arrow import is_arrow
from detectors.telemetry.beacons import beacons
from detectors.telemetry.block import Block
from detectors.telemetry.containers import Container, sniff
from detectors.telemetry.continued import Continuation, Reading
from detectors.telemetry.decode import Decoded, decode
from detectors.telemetry.documents import is_document
from detectors.telemetry.keys import KeyRing
from detectors.telemetry.limits import Limits

_JOINED_BLOCKS: Final = 4
"""Small messages come in numbers: so many blocks of a file are one of messages."""

_JSON: Final = b"{"
_LOG: Final = b"#"  # a log in W3C's form names its fields in the message itself


class Message(NamedTuple):
    """One message: its place in its partition, and what it holds."""

    offset: int
    value: bytes


class Share(NamedTuple):
    """Records of some messages.

    All messages before `offset` are taken with it, and of that one `records` records.
    """

    decoded: Decoded
    offset: int
    records: int


@dataclass(frozen=True, slots=True)
class Messages:
    """Decodes messages of one partition, `source` by name; `keys` are those that beacons may be signed with."""

    source: str
    limits: Limits
    keys: KeyRing | None = None

    def decode(self, messages: Sequence[Message]) -> Iterator[Share]:
        """The records of messages in order: of each only those that were not taken before.

        Rejects name the offset of the message, and the line within it.
        """
        for form, group in groupby(messages, key=lambda message: _form(message.value)):
            for together in _pieces(group, _JOINED_BLOCKS * self.limits.block_bytes):
                decoded = self._text(together) if form else None
                if decoded is not None:
                    yield Share(decoded, together[-1].offset + 1, 0)
                    continue
                for message in together:
                    yield from self._alone(message)

    def _text(self, messages: Sequence[Message]) -> Decoded | None:
        """All of them as one text; null where no line shows what it is."""
        values = [message.value if message.value.endswith(b"\n") else message.value + b"\n" for message in messages]
        reading = Reading(self.source, beacons(self.keys), self.limits)
        text = b"".join(values)
        piece = reading.read_on(text, Continuation(), is_last=True)
        if piece is None or piece.after.offset < len(text):
            return None
        if not piece.decoded.rejects.height:
            return piece.decoded
        ends = np.cumsum([len(value) for value in values])
        lines = np.cumsum([0, *(value.count(b"\n") for value in values)])
        at = np.searchsorted(ends, piece.decoded.rejects["offset"].to_numpy(), side="right")
        rejects = piece.decoded.rejects.with_columns(
            pl.Series("offset", np.array([message.offset for message in messages], np.int64)[at]),
            pl.col("line") - pl.Series(lines[at]),
        )
        return Decoded(
            piece.decoded.events, rejects, piece.decoded.record_count, piece.decoded.scans, piece.decoded.contacts
        )

    def _alone(self, message: Message) -> Iterator[Share]:
        """One message, in as many blocks as it is large."""
        taken = 0
        for part in decode(io.BytesIO(message.value), self.source, self.limits, self.keys):
            taken += part.record_count
            yield Share(_at(message.offset, part), message.offset, taken)
        nothing = Decoded(Block().events, reject_frames.frame(self.source, ()), 0)
        yield Share(nothing, message.offset + 1, 0)


def _pieces(messages: Iterable[Message], most_bytes: int) -> Iterator[list[Message]]:
    """The same in order, of each piece all but the last message within so many bytes."""
    piece: list[Message] = []
    size = 0
    for message in messages:
        piece.append(message)
        size += len(message.value)
        if size >= most_bytes:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _form(value: bytes) -> bytes:
    """How the text of a message begins, where it may be joined with others that begin alike; else nothing."""
    start = value[:1]
    if start == _JSON:
        return b"" if is_document(value) else _JSON
    is_text = sniff(value) is Container.PLAIN and not is_arrow(value) and not is_document(value)
    return b"text" if is_text and start != _LOG else b""


def _at(offset: int, decoded: Decoded) -> Decoded:
    """The same, whose rejects name the message: it is the record, whatever file it looks like."""
    scope = pl.col("scope").cast(pl.String).replace("file", "record").cast(decoded.rejects.schema["scope"])
    rejects = decoded.rejects.with_columns(pl.lit(offset, pl.Int64).alias("offset"), scope)
    return Decoded(decoded.events, rejects, decoded.record_count, decoded.scans, decoded.contacts)
