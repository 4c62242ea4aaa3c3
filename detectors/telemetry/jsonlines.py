"""JSON Lines to typed columns: whole blocks at once, line by line only around what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from detectors.telemetry.block import refused
from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.jsoncolumns import EITHER, POLARS, TEXT_FORM, ColumnReader, UnsureError
from detectors.telemetry.jsontext import Scalar, parse_object, typed
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Ints, Lines
from detectors.telemetry.rejects import Code, FaultError, Place, Reject, Tally

_CHUNK_LINES: Final = 4_096  # small enough that reading it again around each bad line costs little
_FEWEST_LINES: Final = 16  # fewer are read singly: asking for them at once costs as much


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
    """Reads the portions of one file."""

    def __init__(self, fields: Sequence[Field], limits: Limits) -> None:
        """`fields` are those of the format."""
        self._kinds = {field.name: field.kind for field in fields}
        self._limits = limits
        self._columns = ColumnReader(fields)

    def tidy(self, lines: Lines) -> Objects | None:
        """As `read`, of lines in which nothing is odd or of another name; null where something may be."""
        if len(lines) <= _FEWEST_LINES or (columns := self._columns.tidy(lines)) is None:
            return None
        return Objects(columns.frame, np.arange(len(lines), dtype=np.int64), (), columns.plain)

    def read(self, lines: Lines, unknown: Tally) -> Objects:
        """Every line of `lines` as a row or a reject; `unknown` counts fields that are not of the format."""
        parts = []
        pending = [(0, len(lines))]
        while pending:
            first, last = pending.pop()
            part = lines.part(first, last)
            few = last - first <= _FEWEST_LINES
            try:
                singly = few and len(lines) > _FEWEST_LINES
                objects = self.read_singly(part, unknown) if singly else self._read_at_once(part, unknown)
            except UnsureError as unsure:
                if not few:
                    pending += reversed(_split(first, last, unsure.row))
                    continue
                objects = self.read_singly(part, unknown)
            parts.append(Objects(objects.frame, objects.rows + first, objects.rejects, objects.plain))
        return Objects(
            pl.concat([part.frame for part in parts], how="diagonal"),
            np.concatenate([part.rows for part in parts]),
            tuple(reject for part in parts for reject in part.rejects),
            all(part.plain for part in parts),
        )

    def read_singly(self, lines: Lines, unknown: Tally) -> Objects:
        """The same as `read`, one line after the other: slow, and the reference."""
        columns: dict[str, list[Scalar | None]] = {}
        rows: list[int] = []
        rejects: list[Reject] = []
        for row in range(len(lines)):
            try:
                values = self._values(lines.text(row), lines.place(row), unknown)
            except FaultError as fault:
                rejects.append(refused(lines, row, fault))
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

    def _read_at_once(self, lines: Lines, unknown: Tally) -> Objects:
        columns = self._columns.read(lines)
        for other in columns.unknown:
            _count(unknown, other.name, lines.place(other.row), other.count)
        return Objects(columns.frame, np.arange(len(lines), dtype=np.int64), (), columns.plain)

    def _values(self, text: bytes, place: Place, unknown: Tally) -> dict[str, Scalar]:
        members = parse_object(text, self._limits)
        values: dict[str, Scalar] = {}
        for name, value in members.items():
            if value is None or name not in self._kinds:
                continue  # null equals absent
            kind = self._kinds[name]
            scalar = typed(value, kind, name)
            form = TEXT_FORM if kind in EITHER and isinstance(scalar, str) else ""
            values[name + form] = float(scalar) if kind is Kind.NUMBER else scalar
        for name, value in members.items():
            if value is not None and name not in self._kinds:
                _count(unknown, name, place, 1)
        return values

    def _dtype(self, name: str) -> pl.DataType:
        return pl.String() if name.endswith(TEXT_FORM) else POLARS[self._kinds[name]]


def _count(unknown: Tally, name: str, place: Place, count: int) -> None:
    reason = "The format has no such field; it was left out and the record kept."
    unknown.add(name, Code.UNKNOWN_FIELD, reason, place, count)


def _split(first: int, last: int, bad: int | None) -> list[tuple[int, int]]:
    """Smaller pieces of the lines `first` to `last`: around line `bad` of them if it is known, else eight alike."""
    if last - first > _CHUNK_LINES:
        return _even(first, last, _CHUNK_LINES)
    if bad is None:
        return _even(first, last, max(_FEWEST_LINES, (last - first) // 8))
    # Bad lines stand together, so a few behind it are read singly with it.
    begin, end = first + bad, min(first + bad + _FEWEST_LINES, last)
    return [piece for piece in ((first, begin), (begin, end), (end, last)) if piece[0] < piece[1]]


def _even(first: int, last: int, step: int) -> list[tuple[int, int]]:
    return [(start, min(start + step, last)) for start in range(first, last, step)]
