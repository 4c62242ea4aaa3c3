"""CSV rows as the JSON text of the same record, so that both forms are checked by the same rules."""

import csv
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

_NESTED: Final = frozenset({"title", "ship_to"})
_INTEGERS: Final = frozenset(
    {
        "quantity",
        "amount_minor",
        "shipping_minor",
        "purchased_at",
        "available_until",
        "granted_at",
        "available",
        "score",
        "answered_at",
        "unsubscribed_at",
    }
)
_DECIMALS: Final = frozenset({"ship_to.lat", "ship_to.lon"})
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,17})?")


@dataclass(frozen=True, slots=True)
class JsonText:
    """One row as the text of a JSON object, unchecked."""

    line: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be understood; `field` may be the column's name as the file has it."""

    line: int
    field: str | None
    reason: str


def is_header(line: bytes, model: type[BaseModel]) -> bool:
    """Whether a line names a field of `model` as a header does: then rows follow, whatever their cells begin with."""
    try:
        cells = next(csv.reader([line.decode()], strict=True), [])
    except (csv.Error, UnicodeDecodeError):
        return False
    return any(_field(cell.strip(), model) for cell in cells)


def json_texts(lines: Iterable[tuple[int, bytes | None]], model: type[BaseModel]) -> Iterator[JsonText | Fault]:
    """The rows below the header; a header that does not fit `model` is the one fault of the file.

    A quote that is not closed spoils the line on which it opens, and no other.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, strict=True)
    header: tuple[str, ...] | None = None
    while True:
        feed.taken.clear()
        try:
            cells = next(reader, None)
        except csv.Error:
            yield Fault(feed.first, None, "is not CSV: a quote is not closed or not doubled, or a cell is too long")
            feed.give_back()
            continue
        if cells is None:
            return
        if len(cells) == 1 and not cells[0].strip():
            continue  # a blank line
        if cells and header is None:
            header = tuple(cell.strip() for cell in cells)
            fault = _header_fault(feed.first, header, model)
            if fault:
                yield fault
                return
        elif cells and header is not None:
            yield _row(feed.first, header, cells)


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object's pairs as a dict, for `json.loads(object_pairs_hook=)`.

    Raises:
      ValueError: A key stands twice.
    """
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key stands twice")
    return result


class _Feed:
    """The lines as the reader takes them, and those of the present row, to be given back but for the first."""

    def __init__(self, lines: Iterable[tuple[int, bytes | None]]) -> None:
        self._lines = iter(lines)
        self._again: deque[tuple[int, str]] = deque()
        self.taken: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._fresh()
        self.taken.append(line)
        return line[1]

    @property
    def first(self) -> int:
        """The number of the line on which the present row starts."""
        return self.taken[0][0]

    def give_back(self) -> None:
        """The lines after the first are read again: they may be rows of their own."""
        self._again.extendleft(reversed(self.taken[1:]))

    def _fresh(self) -> tuple[int, str]:
        number, line = next(self._lines)
        # Bytes that are not UTF-8 stay visible as surrogates, and a line too long
        # becomes one that no reader accepts: each spoils its own row only.
        return number, ('"x"x' if line is None else line.decode(errors="surrogateescape")) + "\n"


def _header_fault(line: int, header: tuple[str, ...], model: type[BaseModel]) -> Fault | None:
    fields = [_field(column, model) for column in header]
    for column, field in zip(header, fields, strict=True):
        if field is None:
            # Without any known name this is no header but a row, whose cells nobody may repeat.
            named = column if any(fields) else None
            return Fault(line, named, "the file is neither JSON Lines nor CSV with a header of the known field names")
    if len(set(header)) < len(header):
        return Fault(line, None, "the header names a column twice")
    for name, info in model.model_fields.items():
        if info.is_required() and name not in fields:
            return Fault(line, name, "the header lacks this column")
    return None


def _field(column: str, model: type[BaseModel]) -> str | None:
    """The field that a column fills, None where there is none: `title.ja` and `title_json` fill `title`."""
    base = column.partition(".")[0] if "." in column else column.removesuffix("_json")
    if base != column and base not in _NESTED:
        return None
    return base if base in model.model_fields else None


def _row(line: int, header: tuple[str, ...], cells: list[str]) -> JsonText | Fault:
    if len(cells) != len(header):
        return Fault(line, None, f"has {len(cells)} cells where the header has {len(header)}")
    record: dict[str, object] = {}
    for column, cell in zip(header, cells, strict=True):
        if cell == "":
            continue
        base, dot, key = column.partition(".")
        name = base.removesuffix("_json")
        nested = record.get(name, {})
        if (not dot and name in record) or not isinstance(nested, dict):
            return Fault(line, column, "fills a field that another column fills: leave one of them empty")
        try:
            value = _value(column, cell)
        except (ValueError, RecursionError):
            return Fault(line, column, "is not JSON")
        record[name] = {**nested, key: value} if dot else value
    try:
        return JsonText(line, json.dumps(record, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return Fault(line, None, "is not UTF-8 text")
    except RecursionError:  # one level more than the cell, which was just not too deep
        return Fault(line, None, "is not one JSON object")


def _value(column: str, cell: str) -> object:
    """A cell as JSON sees it. What only looks like a number stays text, for the record's own check to refuse."""
    if column.endswith("_json"):
        value: object = json.loads(cell, object_pairs_hook=unique_keys)
        return value
    if column in _INTEGERS and _INTEGER.fullmatch(cell):
        return int(cell)
    if column in _DECIMALS and _DECIMAL.fullmatch(cell):
        return float(cell)
    return cell
