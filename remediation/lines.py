"""Numbered lines of a byte stream, none of them longer than memory allows."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

MAX_LINE_BYTES: Final = 1 << 20
"""The longest line that is read; a title in a hundred languages fits many times over."""

_BLOCK_BYTES: Final = 1 << 20
_JSON_LINE: Final = re.compile(rb"^[^\S\n]*+\{", re.MULTILINE)  # no line is looked at twice, however blank


class Lines:
    """Iterates once over (number from 1, line without its line feed); None is a line too long to be read.

    `opening` is the first line that is not blank, as far as it is near the
    beginning; `look_like_json` tells whether any line near it opens a JSON object.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._first = stream.read(_BLOCK_BYTES).removeprefix(b"\xef\xbb\xbf")
        self.opening = self._first.lstrip().partition(b"\n")[0]
        self.look_like_json = _JSON_LINE.search(self._first) is not None

    def __iter__(self) -> Iterator[tuple[int, bytes | None]]:
        number, rest, skipping = 1, b"", False
        for block in self._blocks():
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                yield number, None if skipping or len(line) > MAX_LINE_BYTES else line
                number, skipping = number + 1, False
            if len(rest) > MAX_LINE_BYTES:
                rest, skipping = b"", True
        if rest or skipping:
            yield number, None if skipping else rest

    def _blocks(self) -> Iterator[bytes]:
        block = self._first
        while block:
            yield block
            block = self._stream.read(_BLOCK_BYTES)
