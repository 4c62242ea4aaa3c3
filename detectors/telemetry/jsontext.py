"""One JSON record, read strictly: the judge of what the columnar reader is unsure of."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, TypeAlias

from detectors.telemetry.fields import Kind
from detectors.telemetry.limits import Limits
from detectors.telemetry.rejects import Code, FaultError, printable

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Scalar = str | int | float | bool

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Never looks at a byte twice, whatever quotes are missing: a search for a closed text would begin anew at every quote.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_INT64: Final = range(-(2**63), 2**63)
_INT64_DIGITS: Final = 19


class LongNumber(float):
    """A whole number beyond 64 bits: usable as a measurement, never as a count or an id."""

    __slots__ = ()


def parse_object(line: bytes, limits: Limits) -> dict[str, Json]:
    """The members of one record.

    Raises:
      FaultError: The line is not one JSON object within the limits, or names a
        member twice, or holds NaN, a number beyond a double, or half a character.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise FaultError(Code.NOT_UTF8, "The record is not UTF-8 text.") from None
    _refuse_depth(line, limits)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError:
        raise FaultError(Code.NOT_JSON, "The record is not valid JSON.") from None
    if not isinstance(value, dict):
        raise FaultError(Code.NOT_AN_OBJECT, "The record is JSON but not an object.")
    return value


def typed(value: Json, kind: Kind, name: str) -> Scalar:
    """The value if its JSON type suits the field.

    Raises:
      FaultError: It does not.
    """
    if kind is Kind.MARK and isinstance(value, dict):
        return True
    if kind in (Kind.FLAG, Kind.MARK):
        suits = isinstance(value, bool)
    elif isinstance(value, bool) or value is None:
        suits = False
    elif kind is Kind.NUMBER:
        suits = isinstance(value, int | float)
    elif kind is Kind.WHOLE:
        suits = isinstance(value, int | LongNumber)
    elif kind in (Kind.TIME, Kind.CODE):
        suits = isinstance(value, str | int | LongNumber)
    else:
        suits = isinstance(value, str)
    if not suits or isinstance(value, dict | list) or value is None:
        raise FaultError(Code.WRONG_TYPE, f"The field {name} must be {_WRITTEN[kind]}.", name)
    if isinstance(value, LongNumber) and kind is not Kind.NUMBER:
        raise FaultError(Code.NUMBER_TOO_LONG, f"The field {name} holds a number beyond 64 bits.", name)
    return value


_WRITTEN: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "text",
    Kind.STATE: "text",
    Kind.CODE: "text or a whole number",
    Kind.TIME: "whole milliseconds or RFC 3339 text",
    Kind.WHOLE: "a whole number",
    Kind.NUMBER: "a number",
    Kind.FLAG: "true or false",
    Kind.MARK: "true, false or an object",
}


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise FaultError(
            Code.DUPLICATE_KEY, f"The field {printable(twice)} stands in the record twice.", printable(twice)
        )
    for name, value in pairs:
        if _is_halved(name) or (isinstance(value, str) and _is_halved(value)):
            shown = printable(name)
            raise FaultError(Code.LONE_SURROGATE, f"The field {shown} holds half of a UTF-16 pair.", shown)
    return members


def _is_halved(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


def _whole(text: str) -> int | LongNumber:
    if len(text) <= _INT64_DIGITS or (len(text) == _INT64_DIGITS + 1 and int(text) in _INT64):
        number = int(text)
        if number in _INT64:
            return number
    return LongNumber(_decimal(text))


def _decimal(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise FaultError(Code.NUMBER_TOO_LONG, "The record holds a number that no computer number can hold.")
    return number


def _constant(_: str) -> float:
    raise FaultError(Code.NOT_JSON, "The record holds NaN or Infinity, which JSON has not.")


def _refuse_depth(line: bytes, limits: Limits) -> None:
    """The parser calls itself once a level, so depth is bounded before it starts."""
    if line.count(b"[") + line.count(b"{") <= limits.nesting:
        return
    depth = 0
    for byte in _STRING.sub(b"", line):
        if byte in b"[{":
            depth += 1
            if depth > limits.nesting:
                raise FaultError(Code.TOO_DEEP, f"The record nests deeper than {limits.nesting} levels.")
        elif byte in b"]}":
            depth -= 1


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_whole, parse_float=_decimal, parse_constant=_constant
)
