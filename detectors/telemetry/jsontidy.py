"""Many JSON Lines at once, by Polars' reader, where counting shows that nothing was left out or turned into text.

The reader is strict about syntax, and about numbers and truth values where those are
asked for. It passes over fields of other names and all but the first of two of one
name, and it writes whatever stands where text is asked for as text. Each of these
would show in one of two sums: of members against values, and of texts against texts.
"""

import io
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import polars as pl

_QUOTE, _COLON, _ESCAPE, _NUMBER, _BLANK = map(ord, '":\\u ')
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_AT_ONCE: Final = 128 * 1024
"""Bytes that stay in the processor's cache while they are looked at several times."""


class _Census(NamedTuple):
    """Quotation marks around texts, those of them that a colon or a blank follows, and two kinds of escapes."""

    quotes: int
    before_colon: int
    before_blank: int
    escaped_escapes: int
    by_number: int


def read_tidy(body: bytes, schema: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
    """The lines as `schema` has them, or null where they may hold anything else than such values.

    Args:
      body: Lines of UTF-8 that each begin with a brace, in which no other brace is opened, and no bracket.
      schema: The columns: of text, whole numbers, decimals or truth values.
    """
    try:
        frame = pl.read_ndjson(io.BytesIO(body), schema=schema)
    except pl.exceptions.PolarsError:
        return None
    census = _census(body)
    values = {name: frame.height - frame[name].null_count() for name in frame.columns}
    texts = sum(count for name, count in values.items() if schema[name] == pl.String)
    # A name is followed by its colon at once. A text that begins with a colon is counted as a name, too, which
    # can only make the names more than the values.
    tidy = not census.before_blank and not census.escaped_escapes and census.before_colon == sum(values.values())
    tidy = tidy and census.quotes == 2 * (census.before_colon + texts)
    # Half a character would be read as another one.
    return frame if tidy and not (census.by_number and _SURROGATE.search(body)) else None


def _census(body: bytes) -> _Census:
    raw = np.frombuffer(body, np.uint8)
    has_escapes = b"\\" in body
    quotes = before_colon = before_blank = escaped_escapes = by_number = 0
    # Lines begin with a brace and end with a line feed, so that neither end of the body is a quotation mark.
    for start in range(1, len(raw) - 1, _AT_ONCE):
        end = min(start + _AT_ONCE, len(raw) - 1)
        quote, following = raw[start:end] == _QUOTE, raw[start + 1 : end + 1]
        if has_escapes:
            # Whether an escape is escaped itself would have to be counted from the left: there may be none.
            escape = raw[start - 1 : end] == _ESCAPE
            escaped_escapes += int(np.count_nonzero(escape[:-1] & escape[1:]))
            by_number += int(np.count_nonzero(escape[1:] & (following == _NUMBER)))
            quote &= ~escape[:-1]
        quotes += int(np.count_nonzero(quote))
        before_colon += int(np.count_nonzero(quote & (following == _COLON)))
        before_blank += int(np.count_nonzero(quote & (following <= _BLANK)))
    return _Census(quotes, before_colon, before_blank, escaped_escapes, by_number)
