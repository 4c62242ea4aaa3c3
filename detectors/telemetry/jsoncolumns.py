"""Many JSON Lines at once, by Arrow's reader, in the cases in which that is safe.

The reader is strict about syntax, types and repeated members. What it lets pass
(several objects on a line, NaN, deep nesting, broken UTF-8) is ruled out before
or after, so that what it reads is what a line-by-line reading gives.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.lines import Lines

TEXT_FORM: Final = ":text"
"""Suffix of the column that holds the text form of a field that may be a number or text."""

EITHER: Final = (Kind.TIME, Kind.CODE)
"""Kinds of fields that may be a number or text."""

_SAMPLE_LINES: Final = 256
_OPEN: Final = ord("{")
_CHANGED: Final = re.compile(r"Column\(/([^)]*)\) changed from")
_ROW: Final = re.compile(r"in row (\d+)$")
_ARROW: Final[Mapping[Kind, pa.DataType]] = {
    Kind.TEXT: pa.string(),
    Kind.STATE: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.MARK: pa.bool_(),
}


class UnsureError(Exception):
    """The lines are for the line-by-line reader; `row` is the first bad one, where it is known."""

    def __init__(self, row: int | None = None) -> None:
        super().__init__("not to be read at once")
        self.row = row


@dataclass(frozen=True, slots=True)
class Unknown:
    """A field that is not in the format: how many lines have it, and the first."""

    name: str
    count: int
    row: int


@dataclass(frozen=True, slots=True)
class JsonColumns:
    """One row a line; `plain` says that no text in `frame` can hold a control character."""

    frame: pl.DataFrame
    plain: bool
    unknown: tuple[Unknown, ...]


class ColumnReader:
    """Reads the portions of one file; what it learns of the fields in use speeds up the next portion."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._kinds = {field.name: field.kind for field in fields}
        self._seen: list[str] = []
        self._as_text = dict.fromkeys((f.name for f in fields if f.kind in EITHER), False)

    def read(self, lines: Lines) -> JsonColumns:
        """All lines, of which there is at least one.

        Raises:
          UnsureError: Some line is, or may be, no flat object of the fields' types.
        """
        body = lines.body()
        raw = np.frombuffer(lines.data, np.uint8)
        # One brace a line, and the line begins with it: one flat object a line, whatever the reader would accept.
        if b"[" in body or body.count(b"{") != len(lines) or not bool((raw[lines.starts] == _OPEN).all()):
            raise UnsureError
        ascii_only = body.isascii()
        if not ascii_only:
            try:
                body.decode("utf-8")
            except UnicodeDecodeError:
                raise UnsureError from None
        if not self._seen and len(lines) > _SAMPLE_LINES:
            self._table(lines.part(0, _SAMPLE_LINES).body())  # shows the fields in use
        table = self._table(body)
        if table.num_rows != len(lines) or _has_non_finite(table):
            raise UnsureError
        known = [name for name in table.column_names if name in self._kinds]
        frame = pl.DataFrame(table.select(known)) if known else pl.DataFrame(height=len(lines))
        frame = frame.rename({name: name + TEXT_FORM for name, text in self._as_text.items() if text and name in known})
        plain = ascii_only and b"\\" not in body and b"\x7f" not in body
        return JsonColumns(frame, plain, tuple(self._unknown(table)))

    def _table(self, body: bytes) -> pa.Table:
        """Arrow's reading of `body`, repeated while it shows that more fields are in use or that a code is text."""
        turned: set[str] = set()
        while True:
            try:
                table = self._arrow(body)
            except pa.ArrowInvalid as error:
                changed, row = _CHANGED.search(str(error)), _ROW.search(str(error))
                name = changed[1] if changed else ""
                if name not in self._as_text or name in turned:
                    raise UnsureError(int(row[1]) if row else None) from None
                turned.add(name)
                self._as_text[name] = not self._as_text[name]
                continue
            fresh = [name for name in table.column_names if name in self._kinds and name not in self._seen]
            if not fresh:
                return table
            # An inferred type may be another than the field's: read again, knowing them.
            self._seen += fresh

    def _arrow(self, body: bytes) -> pa.Table:
        schema = pa.schema([(name, self._arrow_type(name)) for name in self._seen])
        return pyarrow.json.read_json(
            pa.BufferReader(body),  # type: ignore[arg-type]  # the stubs do not know Arrow's own files
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
        )

    def _arrow_type(self, name: str) -> pa.DataType:
        if name in self._as_text:
            return pa.string() if self._as_text[name] else pa.int64()
        return _ARROW[self._kinds[name]]

    def _unknown(self, table: pa.Table) -> list[Unknown]:
        unknown = []
        for name in table.column_names:
            column = table.column(name)
            count = len(column) - column.null_count
            if name not in self._kinds and count:
                unknown.append(Unknown(name, count, pc.index(column.is_valid(), value=True).as_py()))
        return unknown


def _has_non_finite(table: pa.Table) -> bool:
    """Arrow's reader takes NaN and Infinity, and numbers beyond a double become infinite."""
    floating = [column for column in table.columns if pa.types.is_floating(column.type)]
    return any(pc.all(pc.is_finite(column)).as_py() is False for column in floating)
