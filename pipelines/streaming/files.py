"""One file of a folder that is read while it grows: how far, and its next records."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import msgspec

from detectors.telemetry.beacons import beacons
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.continued import Continuation, Reading
from detectors.telemetry.decode import Decoded, decode
from detectors.telemetry.keys import KeyRing
from detectors.telemetry.limits import Limits
from pipelines.streaming.texts import HEAD_BYTES, Head, Opener, Text, head_of, text_of

UNREAD: Final = -1


class Position(msgspec.Struct, array_like=True):
    """How far a file has been read: what a checkpoint keeps of it.

    `at` counts bytes of text, or records where the file is read as a whole;
    `ended_bytes` is the size that the file had when it was read to its end;
    `refused` says that it holds nothing of use.
    """

    path: str
    inode: int
    head: Head = Head()
    at: Continuation = Continuation()
    newest: int | None = None
    ended_bytes: int = UNREAD
    refused: bool = False


@dataclass(slots=True)
class Opened:
    """The handle of a file, and what it is read by: its text, or else all of its blocks one after another."""

    stream: BinaryIO
    text: Text | None
    blocks: Iterator[Decoded] | None = None

    @property
    def is_growing(self) -> bool:
        """Whether its lines are taken as they come."""
        return self.text is not None and not self.text.is_whole


@dataclass(eq=False, slots=True)
class File:
    """One file as its reader knows it.

    `bytes` is its size now, `steady_since` when it was first seen to have it,
    `gone_since` when it was first not seen any more, `incomplete_bytes` the size
    at which it had no end yet, `turn` when it was last read.
    """

    position: Position
    bytes: int = 0
    steady_since: int = 0
    gone_since: int | None = None
    incomplete_bytes: int = UNREAD
    turn: int = 0
    opened: Opened | None = None

    @property
    def has_more(self) -> bool:
        """Whether the file has changed since it was read to its end."""
        if self.position.refused:
            return self.bytes < self.position.at.offset
        return self.bytes != self.position.ended_bytes

    @property
    def is_drained(self) -> bool:
        """Whether not even a line without a line end is left."""
        return not self.has_more and (
            self.opened is None or not self.opened.is_growing or self.position.at.offset >= self.bytes
        )

    def begin_anew(self) -> None:
        """Another content stands where this one stood."""
        self.position = Position(self.position.path, self.position.inode)

    def end(self) -> None:
        """All that there is now was read."""
        self.position.ended_bytes = self.bytes

    def close(self) -> None:
        """Lets go of the handle; the position stays."""
        if self.opened is not None:
            self.opened.stream.close()
            self.opened = None


@dataclass(frozen=True, slots=True)
class Taker:
    """Takes the next records of a file, where it was left; `keys` are those that beacons may be signed with."""

    limits: Limits
    keys: KeyRing | None = None

    def open(self, file: File, opener: Opener) -> Opened:
        """Opens the file where it was left, or at its beginning if its content is another.

        Raises:
          OSError: It cannot be read.
          DamagedError: It is compressed, and its beginning is damaged.
        """
        stream = opener(file.position.path)
        try:
            if _is_another(file, stream):
                file.begin_anew()
            file.opened = Opened(stream, text_of(stream, self.limits))
        except BaseException:
            stream.close()
            raise
        if file.opened.text is None and file.position.ended_bytes != UNREAD:
            file.begin_anew()
        return file.opened

    def take(self, file: File, opened: Opened, *, is_over: bool) -> Decoded | None:
        """The next records, and the position moves past them; null where there are none now.

        Args:
          file: What to read.
          opened: Its handle.
          is_over: Whether the file grows no more, so that what has no line end is a line too.

        Raises:
          OSError: It cannot be read.
        """
        decoded = self._block(file, opened) if opened.text is None else self._piece(file, opened, is_over=is_over)
        if file.position.head.bytes < HEAD_BYTES and not opened.stream.closed:
            file.position.head = head_of(opened.stream)
        return decoded

    def _block(self, file: File, opened: Opened) -> Decoded | None:
        if opened.blocks is None:
            opened.stream.seek(0)
            opened.blocks = decode(opened.stream, file.position.path, self.limits, self.keys)
            _skip(opened.blocks, file.position.at.offset)
        decoded = next(opened.blocks, None)
        if decoded is None:
            file.end()
            return None
        at = file.position.at
        file.position.at = Continuation(at.offset + decoded.record_count)
        return decoded

    def _piece(self, file: File, opened: Opened, *, is_over: bool) -> Decoded | None:
        assert opened.text is not None  # noqa: S101  # or there were blocks
        if opened.is_growing:
            file.bytes = opened.stream.seek(0, 2)  # which may be more than was listed
            if file.bytes < file.position.at.offset or _is_another(file, opened.stream):
                file.begin_anew()
        position = file.position
        reading = Reading(position.path, beacons(self.keys), self.limits)
        try:
            text, reaches_end = opened.text.read(position.at.offset, self.limits.block_bytes)
        except DamagedError as damage:
            file.end()
            return reading.damaged(damage)
        is_last = reaches_end and (is_over or opened.text.is_whole)
        piece = reading.read_on(text, position.at, is_last=is_last)
        if piece is None:
            return self._unknown(file, reading, text, is_last=is_last)
        rest = text[piece.after.offset - position.at.offset :]
        if reaches_end and b"\n" not in rest and not (is_last and rest):
            if opened.is_growing:
                file.bytes = position.at.offset + len(text)
            file.end()
        position.at = piece.after
        return piece.decoded

    def _unknown(self, file: File, reading: Reading, text: bytes, *, is_last: bool) -> Decoded | None:
        """More of a text that shows nothing yet may come, but a whole block of it has had its chance."""
        file.bytes = file.position.at.offset + len(text)
        file.end()
        if not is_last and len(text) < self.limits.block_bytes:
            file.close()  # What it is will be asked again.
            return None
        file.position.at = Continuation(file.bytes)
        file.position.refused = True
        return reading.refused()


def _is_another(file: File, stream: BinaryIO) -> bool:
    """Whether the content is another: the file was cut, or its inode was given to a new one."""
    known = file.position.head
    return head_of(stream, known.bytes) != known


def _skip(blocks: Iterator[Decoded], records: int) -> None:
    """What was taken before; the blocks of an unchanged file are always the same."""
    while records > 0 and (decoded := next(blocks, None)) is not None:
        records -= decoded.record_count
