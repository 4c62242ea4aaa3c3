"""A file that is one JSON document: its elements are read as if each were a line."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.telemetry.checks import Bools
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Ints, Lines
from detectors.telemetry.rejects import Code, Reject

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]
"""A document is far smaller than what 32 bits can count, and there are as many places as it has marks."""

_HEAD_BYTES: Final = 4_096
_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"
_ARRAY: Final = re.compile(rb"\s*\[")
_LISTS: Final = re.compile(
    rb'\s*\{\s*"(?:trackers|events|trackings)"\s*:\s*\['  # EasyPost's lists
    rb'|\s*\{\s*"meta"\s*:\s*\{[^{}]*\}\s*,\s*"data"\s*:\s*\{[^{}\[\]]*"trackings"\s*:\s*\['  # AfterShip's
)
_OBJECT: Final = re.compile(rb'\s*\{[^\S\n]*\n\s*"')  # pretty-printed: no line of JSON Lines is a lone brace
_ONE_LINE: Final = re.compile(rb"\s*\[[^\n]*\][^\S\n]*\r?\n\s*[{\[]")  # an array and then more: JSON Lines, if odd ones


_NO_MARK: Final = 2
_STEPS: Final = np.full(256, _NO_MARK, np.int8)
"""By how much a byte changes the depth, for brackets and commas."""
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1
_STEPS[list(b",")] = 0


class Spans(NamedTuple):
    """Where each of some elements begins and ends."""

    starts: Ints
    ends: Ints


def is_document(head: bytes) -> bool:
    """Whether a file that begins so is one JSON document, not JSON Lines."""
    head = head[:_HEAD_BYTES].removeprefix(_BOM)
    if _ARRAY.match(head):
        return not _ONE_LINE.match(head)
    return bool(_LISTS.match(head) or _OBJECT.match(head))


def read_document(first: bytes, rest: Iterator[bytes], limits: Limits) -> Iterator[Lines]:
    """The elements of the document's list, or the document itself, each as a line that may hold line feeds.

    An element's number is that of the line on which it starts. One that is too
    large leaves a reject.

    Raises:
      DamagedError: The document is too long, or is cut or malformed between its
        elements; every element before the damage has been yielded.
    """
    data, damage = _read(first, rest, limits)
    begin = len(_BOM) if data.startswith(_BOM) else 0
    list_ = _ARRAY.match(data, begin) or _LISTS.match(data, begin)
    if list_ is None:
        if damage:
            raise damage
        whole = Spans(np.array([begin], np.int64), np.array([len(data)], np.int64))
        yield from (replace(lines, unterminated=_is_open(data)) for lines in _portions(data, whole, limits))
        return
    spans, fault = _elements(data, list_.end())
    yield from _portions(data, spans, limits)
    if (wrong := damage or fault) is not None:
        raise wrong


def _elements(data: bytes, begin: int) -> tuple[Spans, DamagedError | None]:
    """The elements of the list that begins there, and what is wrong with what follows them."""
    marks = _marks(data)
    marks = marks[np.searchsorted(marks, begin) :]
    steps = _STEPS[np.frombuffer(data, np.uint8)[marks]]
    depth = np.cumsum(steps, dtype=np.int32)
    past = np.flatnonzero(depth < 0)
    close = int(past[0]) if len(past) else len(marks)
    commas = marks[:close][(depth[:close] == 0) & (steps[:close] == 0)].astype(np.int64)
    starts = np.concatenate((np.array([begin], np.int64), commas + 1))
    if not len(past):
        reason = "The JSON document ends within its list; what came after the last whole element is missing."
        return Spans(starts[:-1], commas), DamagedError(Code.TRUNCATED_FILE, reason)
    end = int(marks[close])
    last = np.array([end] if data[int(starts[-1]) : end].strip(_BLANK) else [], np.int64)
    return Spans(starts[: len(commas) + len(last)], np.concatenate((commas, last))), _ending(data, end + 1)


def _marks(data: bytes) -> Places:
    """Where brackets and commas stand that are not within texts."""
    raw = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(raw == ord('"')).astype(np.int32)
    quotes = quotes[~_are_escaped(raw, quotes)]
    marks = np.flatnonzero(_STEPS[raw] != _NO_MARK).astype(np.int32)
    outside: Bools = np.searchsorted(quotes, marks) % 2 == 0
    return marks[outside]


def _are_escaped(raw: Bytes, places: Places) -> Bools:
    """Whether an odd number of backslashes stands before each of the places."""
    slashes = np.flatnonzero(raw == ord("\\")).astype(np.int32)
    if not len(slashes):
        return np.zeros(len(places), bool)
    ordinals = np.arange(len(slashes), dtype=np.int32)
    begins = np.ones(len(slashes), bool)
    begins[1:] = slashes[1:] != slashes[:-1] + 1
    first_of_run = np.maximum.accumulate(np.where(begins, ordinals, 0))
    before = np.searchsorted(slashes, places) - 1
    adjoins = (before >= 0) & (slashes[before] == places - 1)
    escaped: Bools = adjoins & ((before - first_of_run[before]) % 2 == 0)
    return escaped


def _ending(data: bytes, begin: int) -> DamagedError | None:
    """Nothing follows an array, and only the end of the object around it a list within one."""
    rest = data[begin:].strip(_BLANK)
    if not rest if _ARRAY.match(data.removeprefix(_BOM)) else rest.endswith(b"}"):
        return None
    return DamagedError(Code.NOT_JSON, "The JSON document does not end after its list; no more of it was read.")


def _portions(data: bytes, spans: Spans, limits: Limits) -> Iterator[Lines]:
    """The spans without the blanks around them, each as a line; so many at once as lines of other files."""
    feeds = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    for first in range(0, len(spans.starts), limits.block_lines):
        part = slice(first, first + limits.block_lines)
        starts, ends = _trimmed(data, Spans(spans.starts[part], spans.ends[part]))
        numbers = 1 + np.searchsorted(feeds, starts).astype(np.int64)
        large = ends - starts > limits.element_bytes
        reason = f"The element is larger than {limits.element_bytes} bytes: send it as several."
        rejects = tuple(
            Reject("record", Code.RECORD_TOO_LONG, reason, line=int(numbers[row]), offset=int(starts[row]))
            for row in np.flatnonzero(large).tolist()
        )
        begin, kept = int(starts[0]), ~large
        yield Lines(
            data[begin : int(ends[-1])], starts[kept] - begin, ends[kept] - begin, numbers[kept], begin, rejects
        )


def _trimmed(data: bytes, spans: Spans) -> Spans:
    starts, ends = spans.starts.copy(), spans.ends.copy()
    for row, (begin, end) in enumerate(zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)):
        element = data[begin:end]
        starts[row] = begin + len(element) - len(element.lstrip(_BLANK))
        ends[row] = starts[row] + len(element.strip(_BLANK))
    return Spans(starts, ends)


def _is_open(data: bytes) -> bool:
    """Whether more brackets open than close."""
    return int(_STEPS[np.frombuffer(data, np.uint8)[_marks(data)]].sum(dtype=np.int64)) > 0


def _read(first: bytes, rest: Iterator[bytes], limits: Limits) -> tuple[bytes, DamagedError | None]:
    """The bytes of the document, as far as they can be read, and why not further."""
    parts: list[bytes] = []
    size = 0
    try:
        for part in chain((first,), rest):
            size += len(part)
            if size > limits.document_bytes:
                reason = f"The JSON document is longer than {limits.document_bytes} bytes: send it as JSON Lines."
                return b"".join(parts), DamagedError(Code.DOCUMENT_TOO_LONG, reason)
            parts.append(part)
    except DamagedError as damage:
        return b"".join(parts), damage
    return b"".join(parts), None
