"""Rows of a file as checked records: JSON Lines or CSV, each bad row a reject with its line and its reason."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from remediation import csv_rows
from remediation.lines import MAX_LINE_BYTES, Lines

R = TypeVar("R", bound=BaseModel)

_PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,59}")
_KEYS: Final = re.compile(rb'"([^"\\]*)"\s*:')
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_UNIQUE: Final = json.JSONDecoder(object_pairs_hook=csv_rows.unique_keys)
_NOT_A_TIME: Final = "is not a time: write milliseconds since the epoch, or RFC 3339 with its zone"
_INVALID: Final = {
    "email": "is not an e-mail address",
    "purchased_at": _NOT_A_TIME,
    "available_until": _NOT_A_TIME,
    "granted_at": _NOT_A_TIME,
    "answered_at": _NOT_A_TIME,
    "unsubscribed_at": _NOT_A_TIME,
}


@dataclass(frozen=True, slots=True)
class RowReject:
    """A row that was not used. `line` counts from 1; the reason never repeats what the row holds.

    `count` is how many rows the reject stands for; `line` is that of the first.
    """

    source: str
    line: int
    field: str | None
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Row(Generic[R]):
    """A checked record and the line on which it starts."""

    line: int
    record: R


def parsed_rows(stream: BinaryIO, source: str, model: type[R]) -> Iterator[Row[R] | RowReject]:
    """Every row of a JSON Lines or CSV stream as a record of `model` or as a reject; blank lines are left out.

    A file of neither form, or with a header that cannot be understood, is one
    reject of its first line.

    Raises:
      OSError: The stream cannot be read.
    """
    adapter = TypeAdapter(model)
    lines = Lines(stream)
    is_json = lines.look_like_json and not csv_rows.is_header(lines.opening, model)
    texts = _json_texts(lines) if is_json else csv_rows.json_texts(lines, model)
    for text in texts:
        if isinstance(text, csv_rows.Fault):
            yield RowReject(source, text.line, _shown(text.field), text.reason)
            continue
        try:
            record = adapter.validate_json(text.content)
        except ValidationError as error:
            yield RowReject(source, text.line, *first_problem(error))
            continue
        problem = _hidden_problem(text.content)
        yield RowReject(source, text.line, None, problem) if problem else Row(text.line, record)


def first_problem(invalid: ValidationError) -> tuple[str | None, str]:
    """Field and reason of the first thing wrong with a record; a message that could quote the record is replaced."""
    error = invalid.errors(include_input=False, include_url=False)[0]
    names = [str(part) for part in error["loc"][: 2 if error["loc"][:1] == ("ship_to",) else 1]]
    field = _shown(".".join(names))
    match error["type"]:
        case "json_invalid" | "model_type":
            return None, "is not one JSON object"
        case "extra_forbidden":
            return field, "is not a field of this record: remove it or correct its name"
        case "value_error":
            return field, _INVALID.get(names[0], "is not a valid value")
        case _:
            return field, error["msg"][:1].lower() + error["msg"][1:]


def _json_texts(lines: Lines) -> Iterator[csv_rows.JsonText | csv_rows.Fault]:
    for number, line in lines:
        if line is None:
            yield csv_rows.Fault(number, None, f"is longer than {MAX_LINE_BYTES:,} bytes")
        elif line.strip():
            yield csv_rows.JsonText(number, line)


def _hidden_problem(content: bytes) -> str | None:
    """What the JSON parser lets pass: a key given twice (the last one would win), and NUL, which PostgreSQL refuses."""
    if _NUL.search(content):
        return "holds a NUL character"
    # Most rows have all their keys apart, at whatever depth, and need no second parse.
    keys = _KEYS.findall(content)
    if b"\\" in content or len(set(keys)) < len(keys):
        try:
            _UNIQUE.decode(content.decode())
        except ValueError:
            return "names a field twice"
    return None


def _shown(field: str | None) -> str | None:
    """The field's name where it is plainly a name: an unknown one may be anything, even an address."""
    return field if field and _PLAIN_NAME.fullmatch(field) else None
