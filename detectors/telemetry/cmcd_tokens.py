"""A block of CMCD records cut into members, without a loop over records.

Records are one buffer of bytes; members begin at record starts and after commas.
That is wrong where a comma stands in a string or a list: such a record shows
members that are not well formed, and is left to the reference parser.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from detectors.telemetry.cmcd_keys import KEYS

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

NAMES: Final = tuple(sorted(KEYS, key=lambda name: int.from_bytes(name.encode(), "little")))
"""Known keys in the order of their bytes read as a little-endian number; a key's id is its index."""

_CODES: Final = np.array([int.from_bytes(name.encode(), "little") for name in NAMES], np.uint64)
_PAD: Final = 16  # lets eight bytes be read at once anywhere, and sixteen before any end
_COMMA, _QUOTE, _ESCAPE = 0x2C, 0x22, 0x5C
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E
_DIGITS_AT_ONCE: Final = 8
_INLINE: Final = 12  # a text of so many bytes stands in its view itself
_LOWEST_BYTES: Final = np.array([2 ** (8 * count) - 1 for count in range(9)], np.uint64)
"""Masks of the first bytes of eight, by how many."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The members of a block of records, one element a member.

    `start`, `value` and `end` are places in `text`; `value` equals `end` of a key
    that stands alone. `row` is the record, `key` the index in `NAMES` or -1,
    `quotes` how many quotation marks the member holds. `unsure` marks records that
    only the reference parser should read.
    """

    text: Bytes
    start: Ints
    value: Ints
    end: Ints
    row: Ints
    key: npt.NDArray[np.int64]
    quotes: npt.NDArray[np.uint16]
    unsure: Bools

    def texts(self, which: Ints, first: Ints, last: Ints) -> "pa.Array[Any]":
        """The ASCII bytes from `first` to `last` of the members `which`."""
        begin, stop = first[which], last[which]
        offsets = np.zeros(len(which) + 1, np.int64)
        np.cumsum(stop - begin, out=offsets[1:])
        # 32 bits are half the memory traffic, and no block is that long.
        places = np.repeat((begin - offsets[:-1]).astype(np.int32), stop - begin)
        places += np.arange(offsets[-1], dtype=np.int32)
        buffers = [None, pa.py_buffer(offsets.data), pa.py_buffer(self.text[places].data)]
        return pa.Array.from_buffers(pa.large_string(), len(which), buffers)


def tokenise(records: pl.Series) -> Tokens:
    """The members of `records` (text without nulls)."""
    text, bounds = buffered(records)
    inner = text[_PAD:-_PAD]
    mark = np.zeros(len(text) + 1, bool)
    mark[np.flatnonzero(text == _COMMA) + 1] = True
    mark[bounds] = True
    starts = np.flatnonzero(mark[: bounds[-1] + 1])
    start, following = starts[:-1], starts[1:]
    end = following - (text[following - 1] == _COMMA)
    end = np.maximum(end, start)
    counts = np.diff(np.searchsorted(starts, bounds))
    row = np.repeat(np.arange(len(records)), counts)

    odd = np.flatnonzero((inner < _FIRST_PRINTABLE) | (inner > _LAST_PRINTABLE) | (inner == _ESCAPE)) + _PAD
    unsure = counts == 0
    unsure[np.searchsorted(bounds, odd, side="right") - 1] = True
    key, value = _keys(text, start, end)
    quotes = (
        np.add.reduceat((text == _QUOTE).view(np.uint8), start, dtype=np.uint16)
        if len(start)
        else np.empty(0, np.uint16)
    )
    _mark_repeats(key, counts, unsure)
    return Tokens(text, start, value, end, row, key, quotes, unsure)


def whole_numbers(text: Bytes, first: Ints, last: Ints) -> tuple[Ints, Bools]:
    """What stands between `first` and `last` read as 1 to 15 digits, and where it is just that."""
    length = last - first
    words = _words(text)
    low, fine = _eight_digits(words[last - _DIGITS_AT_ONCE], length)
    if length.size and int(length.max()) > _DIGITS_AT_ONCE:
        high, high_fine = _eight_digits(words[last - 2 * _DIGITS_AT_ONCE], length - _DIGITS_AT_ONCE)
        low = high * np.uint64(10**_DIGITS_AT_ONCE) + low
        fine &= high_fine & (length < 2 * _DIGITS_AT_ONCE)
    return low.astype(np.int64), fine & (length > 0)


def texts_between(text: Bytes, first: Ints, last: Ints) -> pl.Series:
    """The ASCII bytes between `first` and `last` as texts, which keep all of `text` in memory."""
    length = last - first
    words, low_half = _words(text), np.uint64(0xFFFFFFFF)
    # An Arrow view: the length and four bytes of the text, and eight more or, of a long text, where it stands.
    views = np.empty((len(first), 2), np.uint64)
    views[:, 0] = length.astype(np.uint64) | ((words[first] & low_half) << np.uint64(32))
    views[:, 1] = first.astype(np.uint64) << np.uint64(32)
    short = np.flatnonzero(length <= _INLINE)
    if short.size:
        size, at = length[short], first[short]
        head = words[at] & _LOWEST_BYTES[np.minimum(size, 4)]
        views[short, 0] = size.astype(np.uint64) | (head << np.uint64(32))
        views[short, 1] = words[at + 4] & _LOWEST_BYTES[np.clip(size - 4, 0, 8)]
    buffers = [None, pa.py_buffer(views.data), pa.py_buffer(text.data)]
    return pl.Series(pa.Array.from_buffers(pa.string_view(), len(first), buffers))


def buffered(records: pl.Series) -> tuple[Bytes, Ints]:
    """The bytes of all records, padded at both ends, and where each begins and the last one ends."""
    array = records.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.large_string())
    _, offsets, data = array.buffers()
    if offsets is None or data is None or not len(array):
        return np.zeros(2 * _PAD, np.uint8), np.full(len(records) + 1, _PAD, np.int64)
    bounds = np.frombuffer(memoryview(offsets), np.int64)[array.offset : array.offset + len(array) + 1]
    raw = np.frombuffer(memoryview(data), np.uint8)[bounds[0] : bounds[-1]]
    text = np.zeros(len(raw) + 2 * _PAD, np.uint8)
    text[_PAD:-_PAD] = raw
    return text, bounds - bounds[0] + _PAD


def _words(text: Bytes) -> Words:
    """Eight bytes from every place on, as one number."""
    return np.ndarray((len(text) - 7,), "<u8", text, 0, (1,))


def _keys(text: Bytes, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Ids of known keys, and where the values begin."""
    word = _words(text)[start]
    # The lowest byte that equals "=" shows as the lowest set bit, so the bytes below it are the key.
    other = word ^ np.uint64(0x3D3D3D3D3D3D3D3D)
    equals = (other - np.uint64(0x0101010101010101)) & ~other & np.uint64(0x8080808080808080)
    lowest = equals & (~equals + np.uint64(1))
    size = np.bitwise_count((lowest >> np.uint64(7)) - np.uint64(1)).astype(np.int64) >> 3
    alone = size >= end - start
    size = np.minimum(size, end - start)
    code = word & _LOWEST_BYTES[size]
    index = np.minimum(np.searchsorted(_CODES, code), len(_CODES) - 1)
    key = np.where(_CODES[index] == code, index, -1)
    return key, np.where(alone, end, start + size + 1)


def _mark_repeats(key: Ints, counts: Ints, unsure: Bools) -> None:
    """A key that stands twice makes its record unsure."""
    filled = np.flatnonzero(counts)
    if not len(filled):
        return
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts[filled])[:-1]))
    known = key >= 0
    bits = np.where(known, np.uint64(1) << np.maximum(key, 0).astype(np.uint64), np.uint64(0))
    distinct = np.bitwise_count(np.bitwise_or.reduceat(bits, first))
    unsure[filled] |= distinct != np.add.reduceat(known.astype(np.int64), first)


def _eight_digits(word: Words, length: Ints) -> tuple[Words, Bools]:
    """The last `length` (at most 8) of eight characters as a number: pairs, fours and eights are joined at once."""
    missing = np.clip(_DIGITS_AT_ONCE - length, 0, _DIGITS_AT_ONCE)
    zeros = np.uint64(0x3030303030303030)
    kept = ~_LOWEST_BYTES[missing]
    word = (word & kept) | (zeros & ~kept)
    high = np.uint64(0xF0F0F0F0F0F0F0F0)
    marks = (word & high) | (((word + np.uint64(0x0606060606060606)) & high) >> np.uint64(4))
    fine = marks == np.uint64(0x3333333333333333)
    word = word & np.uint64(0x0F0F0F0F0F0F0F0F)
    word = (word * np.uint64(10) + (word >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    word = (word * np.uint64(100) + (word >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    word = (word * np.uint64(10_000) + (word >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    return word, fine
