"""A file that is one JSON document: its elements are read as if each were a line."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np

from detectors.telemetry.checks import Bools
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Ints, Lines
from detectors.telemetry.rejects import Code

Span = tuple[int, int]

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


def is_document(head: bytes) -> bool:
    """Whether a file that begins so is one JSON document, not JSON Lines."""
    head = head[:_HEAD_BYTES].removeprefix(_BOM)
    if _ARRAY.match(head):
        return not _ONE_LINE.match(head)
    return bool(_LISTS.match(head) or _OBJECT.match(head))


def read_document(first: bytes, rest: Iterator[bytes], limits: Limits) -> Iterator[Lines]:
    """The elements of the document's list, or the document itself, each as a line that may hold line feeds.

    An element's number is that of the line on which it starts.

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
        yield replace(_lines(data, [(begin, len(data))]), unterminated=_is_open(data))
        return
    spans, fault = _elements(data, list_.end())
    if spans:
        yield _lines(data, spans)
    if (wrong := damage or fault) is not None:
        raise wrong


def _elements(data: bytes, begin: int) -> tuple[list[Span], DamagedError | None]:
    """The elements of the list that begins there, and what is wrong with what follows them."""
    marks = _marks(data)
    marks = marks[marks >= begin]
    steps = _STEPS[np.frombuffer(data, np.uint8)[marks]]
    depth = np.cumsum(steps, dtype=np.int64)
    past = np.flatnonzero(depth < 0)
    close = int(past[0]) if len(past) else len(marks)
    commas = marks[:close][(depth[:close] == 0) & (steps[:close] == 0)]
    starts = [begin, *(commas + 1).tolist()]
    spans = list(zip(starts, commas.tolist(), strict=False))
    if not len(past):
        reason = "The JSON document ends within its list; what came after the last whole element is missing."
        return spans, DamagedError(Code.TRUNCATED_FILE, reason)
    end = int(marks[close])
    if data[starts[-1] : end].strip(_BLANK):
        spans.append((starts[-1], end))
    return spans, _ending(data, end + 1)


def _marks(data: bytes) -> Ints:
    """Where brackets and commas stand that are not within texts."""
    raw = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(raw == ord('"'))
    behind = quotes[(quotes > 0) & (raw[quotes - 1] == ord("\\"))].tolist()
    quotes = np.setdiff1d(quotes, [place for place in behind if _is_escaped(data, place)], assume_unique=True)
    marks: Ints = np.flatnonzero(_STEPS[raw] != _NO_MARK).astype(np.int64)
    outside: Bools = np.searchsorted(quotes, marks) % 2 == 0
    return marks[outside]


def _is_escaped(data: bytes, place: int) -> bool:
    """Whether an odd number of backslashes stands before the place."""
    before = place
    while before and data[before - 1] == ord("\\"):
        before -= 1
    return (place - before) % 2 == 1


def _ending(data: bytes, begin: int) -> DamagedError | None:
    """Nothing follows an array, and only the end of the object around it a list within one."""
    rest = data[begin:].strip(_BLANK)
    if not rest if _ARRAY.match(data.removeprefix(_BOM)) else rest.endswith(b"}"):
        return None
    return DamagedError(Code.NOT_JSON, "The JSON document does not end after its list; no more of it was read.")


def _lines(data: bytes, spans: list[Span]) -> Lines:
    """The spans without the blanks around them, each as a line."""
    trimmed = []
    for begin, end in spans:
        element = data[begin:end]
        start = begin + len(element) - len(element.lstrip(_BLANK))
        trimmed.append((start, start + len(element.strip(_BLANK))))
    starts, ends = (np.array(side, np.int64) for side in zip(*trimmed, strict=True))
    feeds = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    numbers = 1 + np.searchsorted(feeds, starts).astype(np.int64)
    return Lines(data, starts, ends, numbers, base=0)


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
