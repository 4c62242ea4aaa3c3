"""The bytes of a file as text that can be read from any place on, whatever they are wrapped in."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from detectors.telemetry.arrow import is_arrow, is_arrow_end
from detectors.telemetry.containers import Container, DamagedError, blocks, sniff
from detectors.telemetry.documents import is_document
from detectors.telemetry.limits import Limits
from detectors.telemetry.rejects import Code

Opener = Callable[[str], BinaryIO]

HEAD_BYTES: Final = 1_024
"""So much of a file tells it from another: an inode is given to the next file once it is free."""

_SHAPE_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a file: how many, and their checksum."""

    bytes: int = 0
    checksum: int = 0


def head_of(stream: BinaryIO, size: int = HEAD_BYTES) -> Head:
    """What the file begins with; the stream stays where it is, for others read on from there."""
    place = stream.tell()
    stream.seek(0)
    first = stream.read(min(size, HEAD_BYTES))
    stream.seek(place)
    return Head(len(first), zlib.crc32(first))


class Text(Protocol):
    """Text that is read in ascending places."""

    @property
    def is_whole(self) -> bool:
        """Whether the file is taken as it is, so that its last line is one without a line end too."""
        ...

    def read(self, offset: int, size: int) -> tuple[bytes, bool]:
        """At most `size` bytes from a place on, and whether they reach the end that there is now.

        Raises:
          DamagedError: The rest cannot be read.
        """
        ...


class PlainText:
    """A text file, which may be growing."""

    is_whole = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, offset: int, size: int) -> tuple[bytes, bool]:
        """At most `size` bytes from a place on, and whether they reach the end that there is now."""
        self._stream.seek(offset)
        text = self._stream.read(size)
        return text, len(text) < size


class InflatedText:
    """A compressed text file. Going back means beginning anew."""

    is_whole = True

    def __init__(self, stream: BinaryIO, container: Container, limits: Limits) -> None:
        self._stream = stream
        self._container = container
        self._limits = limits
        self._begin()

    def _begin(self) -> None:
        self._stream.seek(0)
        self._blocks = blocks(self._stream, self._container, self._limits)
        self._held = b""
        self._at = 0
        self._damage: DamagedError | None = None

    def read(self, offset: int, size: int) -> tuple[bytes, bool]:
        """At most `size` bytes from a place on, and whether they reach the end.

        Raises:
          DamagedError: No whole line stands between that place and the damage.
        """
        if offset < self._at:
            self._begin()
        while len(self._held) < offset - self._at + size and self._damage is None:
            try:
                block = next(self._blocks, b"")
            except DamagedError as damage:
                self._damage = damage
                break
            if not block:
                break
            skipped = max(min(offset - self._at, len(self._held)), 0)
            self._held, self._at = self._held[skipped:] + block, self._at + skipped
        text = self._held[max(offset - self._at, 0) :][:size]
        if self._damage is not None and b"\n" not in text:
            raise self._damage
        return text, len(text) < size and self._damage is None


def text_of(stream: BinaryIO, limits: Limits) -> Text | None:
    """The file as text; null where it can be read only as a whole: Parquet, Arrow, or a JSON document.

    Raises:
      DamagedError: It is compressed and cannot be read.
    """
    stream.seek(0)
    head = stream.read(_SHAPE_BYTES)
    container = sniff(head)
    if container is Container.PLAIN:
        return None if is_document(head) or is_arrow(head) else PlainText(stream)
    if container is Container.PARQUET:
        return None
    stream.seek(0)
    first = next(blocks(stream, container, limits), b"")
    wrapped = sniff(first) is Container.PARQUET or is_document(first)
    return None if wrapped else InflatedText(stream, container, limits)


def is_complete(stream: BinaryIO, limits: Limits) -> bool:
    """Whether a file that is read as a whole has the end that its beginning asks for."""
    stream.seek(0)
    head = stream.read(_SHAPE_BYTES)
    container = sniff(head)
    stream.seek(max(stream.seek(0, 2) - _SHAPE_BYTES, 0))
    tail = stream.read(_SHAPE_BYTES)
    if container is Container.PARQUET:
        return tail.endswith(Container.PARQUET.value) and len(tail) > len(Container.PARQUET.value)
    if is_arrow(head):
        return is_arrow_end(tail)
    if container is Container.PLAIN:
        return tail.rstrip()[-1:] in (b"]", b"}")
    stream.seek(0)
    try:
        for _ in blocks(stream, container, limits):
            pass
    except DamagedError as damage:
        return damage.code is not Code.TRUNCATED_FILE
    return True
