"""Where the columns of a Parquet file lie, read from its footer by ourselves.

Arrow's own account of a column chunk checks statistics that nobody asked for, and on
damage ends the whole process instead of raising an error (from version 19 on, which
has `SizeStatistics`; Apache Arrow, issue 45283 and "_parquet.pyx"). What Arrow makes of
the same chunk while it reads rows is an error like any other.

The footer is a Thrift struct in the compact protocol. Source: parquet.thrift,
`FileMetaData`, `RowGroup`, `ColumnChunk`, `ColumnMetaData`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from os import SEEK_END
from typing import BinaryIO, Final, TypeVar

from detectors.telemetry.containers import DamagedError
from detectors.telemetry.parquet_pages import number, varint
from detectors.telemetry.rejects import Code

T = TypeVar("T")

_TAIL_BYTES: Final = 8  # the length of the footer, and the mark of the format
_ROW_GROUPS, _COLUMNS, _META_DATA = 4, 1, 3
_VALUES, _STORED, _DATA_PAGE, _DICTIONARY_PAGE = 5, 7, 9, 11  # fields of the metadata of a chunk

_TRUE, _FALSE, _BYTE, _SHORT, _INT, _LONG, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = (*range(1, 11), 12)
_LONG_LIST: Final = 0xF  # instead of a count: it follows
_FLAGS: Final = (_TRUE, _FALSE)
_NUMBERS: Final = (_SHORT, _INT, _LONG)
_DEEPEST: Final = 16  # the format has seven
_MOST_FIELDS: Final = 64  # of one struct; the format has seventeen

Reader = Callable[[bytes, int], int]
"""Reads the value that begins at a place, and returns where it ends."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column of one row group: where its pages lie, in bytes, and how many values they hold."""

    start: int
    stored_bytes: int
    values: int


def chunks(stream: BinaryIO) -> list[list[Chunk]]:
    """The chunks of all columns, by row group.

    Raises:
      DamagedError: The footer is none, or says something twice, of which readers
        may believe the one or the other.
    """
    size = stream.seek(0, SEEK_END)
    stream.seek(max(size - _TAIL_BYTES, 0))
    length = int.from_bytes(stream.read(4), "little")
    stream.seek(max(size - _TAIL_BYTES - length, 0))
    found: list[list[Chunk]] = []
    try:
        _struct(stream.read(length), 0, {(_ROW_GROUPS, _LIST): _listed(_group, found)})
    except IndexError:
        raise _damaged() from None
    return found


def _group(data: bytes, place: int) -> tuple[int, list[Chunk]]:
    found: list[Chunk] = []
    return _struct(data, place, {(_COLUMNS, _LIST): _listed(_chunk, found)}), found


def _chunk(data: bytes, place: int) -> tuple[int, Chunk]:
    said: dict[int, int] = {}

    def metadata(data: bytes, place: int) -> int:
        wanted = (_VALUES, _STORED, _DATA_PAGE, _DICTIONARY_PAGE)
        return _struct(data, place, {(field, _LONG): _kept(field, said) for field in wanted})

    place = _struct(data, place, {(_META_DATA, _STRUCT): metadata})
    try:
        # A dictionary stands before the data; a place of nought or less is none, as in Arrow.
        places = (said[_DATA_PAGE], said.get(_DICTIONARY_PAGE, 0))
        start = min((each for each in places if each > 0), default=0)
        return place, Chunk(start, said[_STORED], said[_VALUES])
    except KeyError:
        raise _damaged() from None


def _kept(field: int, said: dict[int, int]) -> Reader:
    """Reads a whole number and keeps it under its field."""

    def read(data: bytes, place: int) -> int:
        said[field], place = number(data, place)
        return place

    return read


def _listed(element: Callable[[bytes, int], tuple[int, T]], found: list[T]) -> Reader:
    """Reads a list of structs and keeps what `element` makes of each."""

    def read(data: bytes, place: int) -> int:
        kind, count, place = _list_head(data, place)
        if kind != _STRUCT and count:
            raise _damaged()
        for _ in range(count):
            place, each = element(data, place)
            found.append(each)
        return place

    return read


def _struct(data: bytes, place: int, readers: dict[tuple[int, int], Reader], depth: int = 0) -> int:
    """Where the struct ends, each of its fields read by its reader, or passed over.

    Raises:
      IndexError: It ends behind the data.
      DamagedError: It is no struct that the format has.
    """
    seen: set[int] = set()
    field = 0
    while head := data[place]:
        kind = head & 0xF
        if head >> 4:
            field, place = field + (head >> 4), place + 1
        else:
            field, place = number(data, place + 1)
        if field in seen or len(seen) == _MOST_FIELDS:
            raise _damaged()
        seen.add(field)
        if read := readers.get((field, kind)):
            place = read(data, place)
        elif kind not in _FLAGS:  # a flag is its own value
            place = _passed(data, place, kind, depth)
    return place + 1


def _passed(data: bytes, place: int, kind: int, depth: int) -> int:
    """Where the value ends."""
    if kind in _NUMBERS:
        return varint(data, place)[1]
    if kind in (_BYTE, *_FLAGS):
        return place + 1
    if kind == _DOUBLE:
        return place + 8
    if kind == _BINARY:
        size, place = varint(data, place)
        return place + size
    if kind == _STRUCT and depth < _DEEPEST:
        return _struct(data, place, {}, depth + 1)
    if kind in (_LIST, _SET) and depth < _DEEPEST:
        inner, count, place = _list_head(data, place)
        for _ in range(count):
            place = _passed(data, place, inner, depth + 1)
        return place
    raise _damaged()


def _list_head(data: bytes, place: int) -> tuple[int, int, int]:
    """The kind of the elements, how many there are, and where they begin."""
    head = data[place]
    count, place = (head >> 4, place + 1) if head >> 4 != _LONG_LIST else varint(data, place + 1)
    if count > len(data):  # each takes a byte at least
        raise _damaged()
    return head & 0xF, count, place


def _damaged() -> DamagedError:
    return DamagedError(
        Code.TRUNCATED_FILE, "The Parquet file is cut or damaged: its footer cannot be read, so no row can."
    )
