"""From blocks of text to whole lines with their numbers and places."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.telemetry.limits import Limits
from detectors.telemetry.rejects import Code, Reject

Ints = npt.NDArray[np.int64]

_LF: Final = 10
_CR: Final = 13
_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Lines:
    """Consecutive lines of one file.

    `starts` and `ends` are positions in `data` of the lines that hold something,
    without their line ends; `numbers` are their numbers in the file (first is 1);
    `base` is the place in the file of the first byte of `data`. `rejects` are
    lines too long to be held. `unterminated` says that the last line had no line
    end: it may have been cut.
    """

    data: bytes
    starts: Ints
    ends: Ints
    numbers: Ints
    base: int
    rejects: tuple[Reject, ...] = ()
    unterminated: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, row: int) -> bytes:
        """The bytes of one line, by its index here."""
        return self.data[self.starts[row] : self.ends[row]]

    def place(self, row: int) -> tuple[int, int]:
        """Its number in the file and the byte at which it starts."""
        return int(self.numbers[row]), self.base + int(self.starts[row])

    def cut_at(self, row: int) -> bool:
        """Whether the file may have been cut within this line."""
        return self.unterminated and row == len(self) - 1

    def part(self, first: int, last: int) -> "Lines":
        """The lines `first` to `last` (exclusive)."""
        cut = slice(first, last)
        unterminated = self.unterminated and last >= len(self)
        return Lines(
            self.data, self.starts[cut], self.ends[cut], self.numbers[cut], self.base, unterminated=unterminated
        )

    def take(self, rows: Ints) -> "Lines":
        """The lines with these indices, which ascend."""
        unterminated = self.unterminated and len(rows) > 0 and int(rows[-1]) == len(self) - 1
        return Lines(
            self.data, self.starts[rows], self.ends[rows], self.numbers[rows], self.base, unterminated=unterminated
        )

    def body(self) -> bytes:
        """The lines alone, each with one line feed: no blank lines, no carriage returns."""
        if len(self) == 0:
            return b""
        first, last = int(self.starts[0]), int(self.ends[-1])
        raw = np.frombuffer(self.data, np.uint8)
        if bool((self.starts[1:] == self.ends[:-1] + 1).all()) and bool((raw[self.ends[:-1]] == _LF).all()):
            whole = first == 0 and last == len(self.data) - 1
            return self.data if whole else self.data[first:last] + b"\n"
        return b"".join(self.data[s:e] + b"\n" for s, e in zip(self.starts.tolist(), self.ends.tolist(), strict=True))


def read_lines(blocks: Iterator[bytes], limits: Limits, base: int = 0, number: int = 1) -> Iterator[Lines]:
    """Lines in portions of about `limits.block_bytes`, and of no more than `limits.block_lines`, in order.

    The first block begins at byte `base` of its file, with line `number`.

    A line longer than a record may be is dropped as it streams by, so that memory
    stays flat, and leaves a reject. Damage in `blocks` passes through after every
    whole line before it was yielded; a line that the damage cut is not yielded.
    """
    cutter = _Cutter(limits, base, number)
    try:
        for block in blocks:
            yield from cutter.feed(block)
    except Exception:
        yield from cutter.flush(with_tail=False)
        raise
    yield from cutter.flush(with_tail=True)


class _Cutter:
    """Gathers blocks until they are worth decoding, and cuts them at the last line feed."""

    def __init__(self, limits: Limits, base: int, number: int) -> None:
        self._limits = limits
        self._held: list[bytes] = []
        self._size = 0
        self._base = base
        self._number = number
        self._skipping: Reject | None = None

    def feed(self, block: bytes) -> Iterator[Lines]:
        if self._base == 0 and self._size == 0 and block.startswith(_BOM):
            self._base, block = len(_BOM), block[len(_BOM) :]
        if self._skipping:
            cut = block.find(b"\n") + 1
            self._base += cut or len(block)
            if not cut:
                return
            self._number += 1
            rejects, self._skipping, block = (self._skipping,), None, block[cut:]
            self._held, self._size = [block], len(block)
            yield Lines(b"", *_empty(), self._base, rejects)
            return
        self._held.append(block)
        self._size += len(block)
        if self._size >= self._limits.block_bytes:
            yield from self._cut()

    def _cut(self) -> Iterator[Lines]:
        tail: list[bytes] = []
        while self._held and b"\n" not in self._held[-1]:
            tail.insert(0, self._held.pop())
        if self._held:
            last = self._held.pop()
            cut = last.rfind(b"\n") + 1
            # What is large is copied once: the bytes up to the line feed, as they are joined.
            yield from self._portions(b"".join((*self._held, memoryview(last)[:cut])))
            tail.insert(0, last[cut:])
        self._held, self._size = tail, sum(map(len, tail))
        if self._size > self._limits.record_bytes:
            self._skipping = too_long(self._number, self._base, self._limits)
            self._base += self._size
            self._held, self._size = [], 0

    def flush(self, *, with_tail: bool) -> Iterator[Lines]:
        if self._skipping:
            yield Lines(b"", *_empty(), self._base, (self._skipping,))
            return
        data = b"".join(self._held)
        yield from self._portions(data if with_tail else data[: data.rfind(b"\n") + 1])

    def _portions(self, data: bytes) -> Iterator[Lines]:
        """All of `data` in portions of at most `limits.block_lines` lines: what they become is larger than they are."""
        feeds = np.flatnonzero(np.frombuffer(data, np.uint8) == _LF).astype(np.int64)
        at_most = self._limits.block_lines
        begin = 0
        for end in (*(feeds[at_most - 1 :: at_most] + 1).tolist(), len(data)):
            if begin < end:
                first, last = np.searchsorted(feeds, (begin, end))
                yield self._lines(data[begin:end], feeds[first:last] - begin)
                self._base += end - begin
            begin = end

    def _lines(self, data: bytes, feeds: Ints) -> Lines:
        raw = np.frombuffer(data, dtype=np.uint8)
        unterminated = bool(raw[-1] != _LF)
        ends = np.append(feeds, len(data)) if unterminated else feeds
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
        numbers = np.arange(self._number, self._number + len(ends), dtype=np.int64)
        self._number += len(feeds)
        ends = ends - ((ends > starts) & (raw[ends - 1] == _CR))
        full = ends > starts
        # Only a line that starts with a blank can be blank throughout.
        for row in np.flatnonzero(full & np.isin(raw[np.minimum(starts, len(raw) - 1)], list(_BLANK))).tolist():
            full[row] = bool(data[starts[row] : ends[row]].strip(_BLANK))
        long = ends - starts > self._limits.record_bytes
        rejects = tuple(
            too_long(int(numbers[row]), self._base + int(starts[row]), self._limits)
            for row in np.flatnonzero(long).tolist()
        )
        keep = full & ~long
        tail_kept = unterminated and bool(keep[-1])
        return Lines(data, starts[keep], ends[keep], numbers[keep], self._base, rejects, tail_kept)


def _empty() -> tuple[Ints, Ints, Ints]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)


def too_long(line: int, offset: int, limits: Limits) -> Reject:
    """The reject of a line longer than a record may be."""
    reason = f"The record is longer than {limits.record_bytes} bytes."
    return Reject("record", Code.RECORD_TOO_LONG, reason, line=line, offset=offset)
