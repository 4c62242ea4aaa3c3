"""JSON Lines to typed columns: whole blocks at once, line by line only where a block failed.

Arrow's reader is strict about syntax, types and repeated members. What it lets
pass (several objects on a line, NaN, deep nesting, broken UTF-8) is ruled out
beforehand, so that both ways give the same rows.
"""

import io
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
from detectors.telemetry.jsontext import Scalar, parse_object, typed
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Ints, Lines
from detectors.telemetry.rejects import Code, FaultError, Place, Reject, Tally

TEXT_FORM: Final = ":text"
"""Suffix of the column that holds the text form of a field that may be a number or text."""

_PIECE_LINES: Final = 256
_OPEN: Final = ord("{")
_CHANGED: Final = re.compile(r"Column\(/([^)]*)\) changed from")
_ARROW: Final[Mapping[Kind, pa.DataType]] = {
    Kind.TEXT: pa.string(),
    Kind.STATE: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
}
_POLARS: Final[Mapping[Kind, pl.DataType]] = {
    Kind.TEXT: pl.String(),
    Kind.STATE: pl.String(),
    Kind.WHOLE: pl.Int64(),
    Kind.TIME: pl.Int64(),
    Kind.CODE: pl.Int64(),
    Kind.NUMBER: pl.Float64(),
    Kind.FLAG: pl.Boolean(),
}
_EITHER: Final = (Kind.TIME, Kind.CODE)


@dataclass(frozen=True, slots=True)
class Objects:
    """The records of some lines as columns.

    `frame` has a column for each known field that was met (times and codes
    written as text stand under their name with `TEXT_FORM`). `rows` are the
    indices of its records in the lines. `plain` says that no text in it can hold
    a control character.
    """

    frame: pl.DataFrame
    rows: Ints
    rejects: tuple[Reject, ...]
    plain: bool


class JsonLines:
    """Reads the portions of one file; what it learns of the fields in use speeds up the next portion."""

    def __init__(self, fields: Sequence[Field], limits: Limits, unknown: Tally | None) -> None:
        """`unknown` counts fields that are not in `fields`; null says not to."""
        self._kinds = {field.name: field.kind for field in fields}
        self._limits = limits
        self._unknown = unknown
        self._seen: list[str] = []
        self._as_text = dict.fromkeys((f.name for f in fields if f.kind in _EITHER), False)

    def read(self, lines: Lines) -> Objects:
        """Every line of `lines` as a row or a reject."""
        if not len(lines):
            return Objects(pl.DataFrame(), np.empty(0, np.int64), (), plain=True)
        whole = self._columnar(lines)
        if whole is not None:
            return whole
        parts = []
        for first in range(0, len(lines), _PIECE_LINES):
            piece = lines.part(first, first + _PIECE_LINES)
            objects = (self._columnar(piece) if len(lines) > _PIECE_LINES else None) or self.read_singly(piece)
            parts.append(Objects(objects.frame, objects.rows + first, objects.rejects, objects.plain))
        return Objects(
            pl.concat([p.frame for p in parts], how="diagonal"),
            np.concatenate([p.rows for p in parts]),
            tuple(r for p in parts for r in p.rejects),
            plain=False,
        )

    def read_singly(self, lines: Lines) -> Objects:
        """The same as `read`, one line after the other: slow, and the reference."""
        columns: dict[str, list[Scalar | None]] = {}
        rows: list[int] = []
        rejects: list[Reject] = []
        for row in range(len(lines)):
            line, offset = lines.place(row)
            try:
                values = self._values(lines.text(row), line, offset)
            except FaultError as fault:
                code, reason = fault.code, fault.reason
                if code is Code.NOT_JSON and lines.cut_at(row):
                    code, reason = Code.TRUNCATED_FILE, "The file ends within this record."
                rejects.append(Reject("record", code, reason, fault.name, line, offset))
                continue
            for name, value in values.items():
                column = columns.setdefault(name, [])
                column.extend([None] * (len(rows) - len(column)))
                column.append(value)
            rows.append(row)
        series = [
            pl.Series(name, column + [None] * (len(rows) - len(column)), dtype=self._dtype(name), strict=True)
            for name, column in columns.items()
        ]
        frame = pl.DataFrame(series) if series else pl.DataFrame(height=len(rows))
        return Objects(frame, np.array(rows, np.int64), tuple(rejects), plain=False)

    def _dtype(self, name: str) -> pl.DataType:
        return pl.String() if name.endswith(TEXT_FORM) else _POLARS[self._kinds[name]]

    def _values(self, text: bytes, line: int, offset: int) -> dict[str, Scalar]:
        members = parse_object(text, self._limits)
        values: dict[str, Scalar] = {}
        strange = []
        for name, value in members.items():
            if value is None:
                continue  # null equals absent
            if name not in self._kinds:
                strange.append(name)
                continue
            kind = self._kinds[name]
            scalar = typed(value, kind, name)
            values[name + TEXT_FORM if kind in _EITHER and isinstance(scalar, str) else name] = (
                float(scalar) if kind is Kind.NUMBER else scalar
            )
        for name in strange:
            self._count(name, (line, offset), 1)
        return values

    def _count(self, name: str, place: Place, count: int) -> None:
        if self._unknown is not None:
            reason = "The format has no such field; it was left out and the record kept."
            self._unknown.add(name, Code.UNKNOWN_FIELD, reason, place, count)

    def _columnar(self, lines: Lines) -> Objects | None:
        """All lines at once, or null where that would be unsafe or has failed."""
        body = lines.body()
        raw = np.frombuffer(lines.data, np.uint8)
        # One brace a line, and the line begins with it: one flat object a line, whatever the reader would accept.
        if b"[" in body or body.count(b"{") != len(lines) or not bool((raw[lines.starts] == _OPEN).all()):
            return None
        ascii_only = body.isascii()
        if not ascii_only:
            try:
                body.decode("utf-8")
            except UnicodeDecodeError:
                return None
        if not self._seen and len(lines) > _PIECE_LINES:
            self._table(lines.part(0, _PIECE_LINES).body())  # a sample shows the fields in use
        table = self._table(body)
        if table is None or table.num_rows != len(lines) or _has_non_finite(table):
            return None
        self._count_unknown(table, lines)
        known = [name for name in table.column_names if name in self._kinds]
        frame = pl.DataFrame(table.select(known)) if known else pl.DataFrame(height=len(lines))
        frame = frame.rename({name: name + TEXT_FORM for name, text in self._as_text.items() if text and name in known})
        plain = ascii_only and b"\\" not in body and b"\x7f" not in body
        return Objects(frame, np.arange(len(lines), dtype=np.int64), (), plain)

    def _table(self, body: bytes) -> pa.Table | None:
        """Arrow's reading of `body`, repeated while it shows that more fields are in use or that a code is text."""
        turned: set[str] = set()
        while True:
            try:
                table = self._arrow(body)
            except pa.ArrowInvalid as error:
                changed = _CHANGED.search(str(error))
                name = changed[1] if changed else ""
                if name not in self._as_text or name in turned:
                    return None
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
            io.BytesIO(body),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
        )

    def _arrow_type(self, name: str) -> pa.DataType:
        if name in self._as_text:
            return pa.string() if self._as_text[name] else pa.int64()
        return _ARROW[self._kinds[name]]

    def _count_unknown(self, table: pa.Table, lines: Lines) -> None:
        for name in table.column_names:
            if name in self._kinds:
                continue
            column = table.column(name)
            count = len(column) - column.null_count
            if count:
                first = pc.index(column.is_valid(), value=True).as_py()
                self._count(name, lines.place(first), count)


def _has_non_finite(table: pa.Table) -> bool:
    """Arrow's reader takes NaN and Infinity, and numbers beyond a double become infinite."""
    floating = [column for column in table.columns if pa.types.is_floating(column.type)]
    return any(pc.all(pc.is_finite(column)).as_py() is False for column in floating)
