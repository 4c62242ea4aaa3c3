"""Many JSON Lines at once, by Polars' or Arrow's reader, in the cases in which that is safe.

Polars' is the quicker one, and `jsontidy` says what it may read. Arrow's is strict
about syntax, types and repeated members. What it lets pass (several objects on a
line, NaN, deep nesting, broken UTF-8) is ruled out before or after, so that what it
reads is what a line-by-line reading gives.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.jsontidy import read_tidy
from detectors.telemetry.lines import Lines

TEXT_FORM: Final = ":text"
"""Suffix of the column that holds the text form of a field that may be a number or text."""

EITHER: Final = (Kind.TIME, Kind.CODE)
"""Kinds of fields that may be a number or text."""

_SAMPLE_LINES: Final = 256
_OPEN: Final = ord("{")
_CHANGED: Final = re.compile(r"Column\(/([^)]*)\) changed from")
_ROW: Final = re.compile(r"in row (\d+)$")
_UNEXPECTED: Final = "unexpected field"
_MEMBER: Final = re.compile(rb'[{,][ \t]*"([^"\\]*)"[ \t]*:[ \t]*(.)')
_BEGINS: Final[Mapping[bytes, pa.DataType]] = {b'"': pa.string(), b"n": pa.string(), b"t": pa.bool_(), b"f": pa.bool_()}
"""The types of values by their first byte; null is of any type, and whatever else begins is a number."""

_MOST_OTHERS: Final = 100
"""Fields of other names that are read in columns: no sender has more, and each takes room for every line."""

_ARROW: Final[Mapping[Kind, pa.DataType]] = {
    Kind.TEXT: pa.string(),
    Kind.STATE: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.MARK: pa.bool_(),
}


POLARS: Final[Mapping[Kind, pl.DataType]] = {
    Kind.TEXT: pl.String(),
    Kind.STATE: pl.String(),
    Kind.WHOLE: pl.Int64(),
    Kind.TIME: pl.Int64(),
    Kind.CODE: pl.Int64(),
    Kind.NUMBER: pl.Float64(),
    Kind.FLAG: pl.Boolean(),
    Kind.MARK: pl.Boolean(),
}
"""The type of each kind's column; what may be a number or text is text under its name with `TEXT_FORM`."""

_UNTRIED: Final = 7
"""After a portion that the quicker reader refused in vain, so many are read without asking it."""


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
    """Reads the portions of one file; what it learns of the fields in use speeds up those that are begun later."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._kinds = {field.name: field.kind for field in fields}
        as_text = dict.fromkeys((f.name for f in fields if f.kind in EITHER), False)
        self._learned = _Learned(self._kinds, [], {}, as_text)
        self._refused = 0  # so many lines were last refused by the quicker reader

    def tidy(self, lines: Lines) -> JsonColumns | None:
        """As `read`, of lines that hold nothing but known fields of one form; null where there may be more in them.

        After portions that were read all the same, some others are not tried.
        """
        learned = self._learned.copy()
        self._refused = 0
        if learned.others or not learned.seen or learned.untried:
            learned.untried = max(learned.untried - 1, 0)
            self._learned = learned
            return None
        frame = None
        with suppress(UnsureError):
            body, plain = _flat(lines)
            frame = read_tidy(body, learned.polars_types())
        if frame is None or frame.height != len(lines):
            self._refused = len(lines)
            return None
        return JsonColumns(learned.in_forms(frame), plain, ())

    def read(self, lines: Lines) -> JsonColumns:
        """All lines, of which there is at least one.

        Raises:
          UnsureError: Some line is, or may be, no flat object of the fields' types.
        """
        body, plain = _flat(lines)
        # Several portions may be read at once: each goes on from what is known when it begins.
        learned = self._learned.copy()
        try:
            table = learned.table(lines, body)
            if len(lines) == self._refused and learned.same(self._learned):
                learned.untried = _UNTRIED  # it was not what had to be learned, but how all of this file is written
        finally:
            self._learned = learned
        if table.num_rows != len(lines) or _has_non_finite(table):
            raise UnsureError
        known = [name for name in table.column_names if name in self._kinds]
        frame = pl.DataFrame(table.select(known)) if known else pl.DataFrame(height=len(lines))
        return JsonColumns(learned.in_forms(frame), plain, tuple(self._unknown(table)))

    def _unknown(self, table: pa.Table) -> list[Unknown]:
        unknown = []
        for name in table.column_names:
            column = table.column(name)
            count = len(column) - column.null_count
            if name not in self._kinds and count:
                unknown.append(Unknown(name, count, pc.index(column.is_valid(), value=True).as_py()))
        return unknown


@dataclass(slots=True)
class _Learned:
    """The fields that were met, those of other names with their types, and which may be a number but came as text."""

    kinds: Mapping[str, Kind]
    seen: list[str]
    others: dict[str, pa.DataType]
    as_text: dict[str, bool]
    untried: int = 0  # so many portions are not tried by the quicker reader

    def copy(self) -> Self:
        """The same, to be learned on from here."""
        return replace(self, seen=[*self.seen], others={**self.others}, as_text={**self.as_text})

    def same(self, other: Self) -> bool:
        """Whether the other knows no less of fields and their forms."""
        return self.seen == other.seen and self.others == other.others and self.as_text == other.as_text

    def table(self, lines: Lines, body: bytes) -> pa.Table:
        """Arrow's reading of all lines; what had to be learned for that is known for the next ones."""
        if not self.seen and len(lines) > _SAMPLE_LINES:
            self._table(lines.part(0, _SAMPLE_LINES).body())  # shows the fields in use
        return self._table(body)

    def in_forms(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns with those of text forms under their own names."""
        names = {name: name + TEXT_FORM for name, text in self.as_text.items() if text and name in frame.columns}
        return frame.rename(names) if names else frame

    def _table(self, body: bytes) -> pa.Table:
        """Arrow's reading of `body`, repeated while it shows fields that are new or of another type than was known."""
        turned: set[str] = set()
        while True:
            try:
                return self._arrow(body)
            except pa.ArrowInvalid as error:
                if _UNEXPECTED in str(error):
                    self._learn(body)
                    continue
                changed, row = _CHANGED.search(str(error)), _ROW.search(str(error))
                name = changed[1] if changed else ""
                if name in turned or not self._turn(name, body):
                    raise UnsureError(int(row[1]) if row else None) from None
                turned.add(name)

    def _learn(self, body: bytes) -> None:
        """Takes in the fields of `body` that were not met before.

        Raises:
          UnsureError: There are none to be found, or so many others that they are no fields.
        """
        before = len(self.seen) + len(self.others)
        for name, type_ in _types(body).items():
            if name in self.kinds and name not in self.seen:
                self.seen.append(name)
            elif name not in self.kinds:
                self.others.setdefault(name, type_)
        if len(self.seen) + len(self.others) == before or len(self.others) > _MOST_OTHERS:
            self.others = dict(list(self.others.items())[:_MOST_OTHERS])
            raise UnsureError

    def _turn(self, name: str, body: bytes) -> bool:
        """Reads a field in its other type from now on, if it may be of another."""
        if name in self.as_text:
            self.as_text[name] = not self.as_text[name]
        elif name in self.others:
            self.others[name] = _types(body).get(name, pa.string())
        return name in self.as_text or name in self.others

    def _arrow(self, body: bytes) -> pa.Table:
        known = [(name, self._arrow_type(name)) for name in self.seen]
        return pyarrow.json.read_json(
            pa.BufferReader(body),  # type: ignore[arg-type]  # the stubs do not know Arrow's own files
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
            # Whatever name turned up would become a column as long as all lines, if the reader were to infer.
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=pa.schema([*known, *self.others.items()]), unexpected_field_behavior="error"
            ),
        )

    def polars_types(self) -> dict[str, pl.DataType]:
        """The fields in use with the type of each."""
        return {name: pl.String() if self.as_text.get(name) else POLARS[self.kinds[name]] for name in self.seen}

    def _arrow_type(self, name: str) -> pa.DataType:
        if name in self.as_text:
            return pa.string() if self.as_text[name] else pa.int64()
        return _ARROW[self.kinds[name]]


def _flat(lines: Lines) -> tuple[bytes, bool]:
    """The lines as one text, each one flat object whatever a reader would accept, and whether it is plain.

    Raises:
      UnsureError: Some line is, or may be, none.
    """
    body = lines.body()
    raw = np.frombuffer(lines.data, np.uint8)
    # One brace a line, and the line begins with it.
    whole = body is lines.data
    braces = int(np.count_nonzero(raw == _OPEN)) if whole else body.count(b"{")
    if b"[" in body or braces != len(lines) or not bool((raw[lines.starts] == _OPEN).all()):
        raise UnsureError
    if not (ascii_only := body.isascii()):
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            raise UnsureError from None
    return body, ascii_only and b"\\" not in body and b"\x7f" not in body


def _types(body: bytes) -> dict[str, pa.DataType]:
    """The names in `body`, each with the type of the first value that is not null."""
    types: dict[str, pa.DataType] = {}
    for name, begin in dict.fromkeys(_MEMBER.findall(body)):
        known = name.decode("utf-8", "replace")
        if begin != b"n" or known not in types:
            types[known] = _BEGINS.get(begin, pa.float64())
    return types


def _has_non_finite(table: pa.Table) -> bool:
    """Arrow's reader takes NaN and Infinity, and numbers beyond a double become infinite."""
    floating = [column for column in table.columns if pa.types.is_floating(column.type)]
    return any(pc.all(pc.is_finite(column)).as_py() is False for column in floating)
