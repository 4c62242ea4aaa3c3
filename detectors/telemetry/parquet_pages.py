"""What the pages of a Parquet file hold once decompressed, by their own headers: a footer may say anything.

A page header is a Thrift struct in the compact protocol. Source: parquet.thrift,
`PageHeader`; "Thrift compact protocol encoding".
"""

from typing import BinaryIO, Final

from detectors.telemetry.containers import DamagedError
from detectors.telemetry.rejects import Code

_READS: Final = (512, 64 * 1024, 16 * 1024 * 1024)  # a header with long statistics is read at the second attempt
_DECOMPRESSED, _STORED, _DATA, _DATA_V2 = 2, 3, 5, 8  # fields of a page header
_VALUES: Final = 1  # field of both kinds of header of a data page
_DEEPEST: Final = 4  # structs within structs; the format has two
_MOST_FIELDS: Final = 32  # of one struct; the format has eight

_VARINTS: Final = (4, 5, 6)
_BINARY, _STRUCT = 8, 12
_FIXED: Final = {1: 0, 2: 0, 3: 1, 7: 8}  # true, false, a byte, a double; the header of a page has no lists
_ALL_BITS: Final = 2**64 - 1  # what is beyond is lost in other readers, too
_MOST_SHIFTS: Final = 70  # bits of a number of ten bytes, the longest there is
_DAMAGED: Final = "The Parquet file is damaged: the header of a page cannot be read, so the rest was not read."


def decompressed_bytes(stream: BinaryIO, start: int, length: int, values: int, page_bytes: int) -> int:
    """What the pages of one column chunk come to, decompressed.

    Args:
      stream: The file, seekable.
      start: Where the first page begins.
      length: The bytes of all its pages and their headers, as stored.
      values: How many values the reader asks for; it leaves the pages behind them alone.
      page_bytes: What one page may hold.

    Raises:
      DamagedError: A page holds more, or a header is none.
    """
    place, end, total, seen = start, start + length, 0, 0
    while place < end and seen < values:
        size, page = _header(stream, place, end)
        held, stored = page.get(_DECOMPRESSED, -1), page.get(_STORED, -1)
        if held < 0 or stored < 0:
            raise DamagedError(Code.CORRUPT_FILE, _DAMAGED)
        if held > page_bytes:
            raise DamagedError(
                Code.DECOMPRESSION_BOMB,
                f"A page of the Parquet file holds more than {page_bytes} bytes, which telemetry never does; "
                "the rest was not read.",
            )
        place += size + stored
        total += held
        seen += max(page.get(_DATA, 0), page.get(_DATA_V2, 0))
    return total


def _header(stream: BinaryIO, place: int, end: int) -> tuple[int, dict[int, int]]:
    """The size of the header there, and its fields as `_struct` gives them."""
    for attempt in _READS:
        stream.seek(place)
        data = stream.read(min(attempt, end - place))
        try:
            return _struct(data, 0, 0)
        except IndexError:  # it goes on behind what was read
            if len(data) < attempt:
                break
    raise DamagedError(Code.CORRUPT_FILE, _DAMAGED)


def _struct(data: bytes, place: int, depth: int) -> tuple[int, dict[int, int]]:
    """Where the struct ends, and its whole numbers by field; a struct within it stands for its number of values.

    Raises:
      IndexError: It ends behind the data.
      DamagedError: It is no struct that the format has.
    """
    numbers: dict[int, int] = {}
    field = 0
    for _ in range(_MOST_FIELDS):
        head = data[place]
        place += 1
        if not head:
            return place, numbers
        kind = head & 0xF
        if head >> 4:
            field += head >> 4
        else:
            field, place = number(data, place)
        if kind in _VARINTS:
            numbers[field], place = number(data, place)
        elif kind == _BINARY:
            size, place = varint(data, place)
            place += size
        elif kind == _STRUCT and depth < _DEEPEST:
            place, inner = _struct(data, place, depth + 1)
            numbers[field] = inner.get(_VALUES, 0)
        elif kind in _FIXED:
            place += _FIXED[kind]
        else:
            break
    raise DamagedError(Code.CORRUPT_FILE, _DAMAGED)


def number(data: bytes, place: int) -> tuple[int, int]:
    """A whole number, zigzag, and where it ends."""
    raw, place = varint(data, place)
    return (raw >> 1) ^ -(raw & 1), place


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A whole number that is not negative, and where it ends."""
    value = 0
    for shift in range(0, _MOST_SHIFTS, 7):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that the number goes on
            return value & _ALL_BITS, place
    raise DamagedError(Code.CORRUPT_FILE, _DAMAGED)
