"""One CMCD record, read by the book: the reference for the columnar reader."""

import math
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from detectors.telemetry.cmcd_keys import CONTENT_ID_V1, KEYS, VERSION, Key, Shape
from detectors.telemetry.rejects import Code

_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_LIST: Final = rf'\((?:[^()"]|{_STRING})*\)'
_MEMBER: Final = re.compile(  # the possessive value takes trailing blanks once and for all
    rf"[ \t]*([A-Za-z*][A-Za-z0-9_.*-]*)(?:=({_STRING}|{_LIST}|[^,\"()]*+))?[ \t]*(?:,|$)", re.DOTALL
)
_MOST_MALFORMED: Final = 16  # after so many a record is prose, and each more may look through all of the rest
_QUOTED: Final = re.compile(_STRING, re.DOTALL)
_NAME: Final = re.compile(r"[ \t]*([A-Za-z*][A-Za-z0-9_.*-]*)")
_NUMBER: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,32})?", re.ASCII)
_ITEM: Final = re.compile(rf"({_STRING}|[^\s,;()\"]+)((?:;[^\s,;()\"]+(?:{_STRING})?)*)(?: +|$)", re.DOTALL)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_RANGE: Final = re.compile(r"\d+-\d*|-\d+", re.ASCII)
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


@dataclass(frozen=True, slots=True)
class Measure:
    """One item of an inner list: `5000;v` is 5000 of object type `v`; null is any type."""

    value: float
    object_type: str | None


Value = bool | int | float | str | tuple[Measure, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A member that was left out, alone."""

    key: str
    code: Code
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """What a record says, by key, and what of it was left out.

    Integers are rounded to the nearest; decimals stand in `br`, `bl` and the like
    as real players send them.
    """

    values: dict[str, Value]
    ignored: tuple[Ignored, ...]

    @property
    def understood(self) -> bool:
        """No version newer than ours: of such a set nothing may be used."""
        version = self.values.get("v")
        return not (isinstance(version, int) and version > VERSION)


class _IllTypedError(ValueError):
    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def parse_record(text: str) -> ParsedRecord:
    """The members of one record; a member that is wrong is left out alone and named in `ignored`.

    A key that stands twice is left out altogether, since nobody can say which is meant.
    """
    values: dict[str, Value] = {}
    ignored: list[Ignored] = []
    met: set[str] = set()
    twice: set[str] = set()
    for name, raw in _members(text, ignored):
        if name in met and name in KEYS:
            twice.add(name)
            continue
        met.add(name)
        try:
            values[name] = read_value(name, raw)
        except _IllTypedError as fault:
            ignored.append(Ignored(name, fault.code, fault.reason))
    for name in sorted(twice):
        values.pop(name, None)
        ignored = [i for i in ignored if i.key != name]
        ignored.append(Ignored(name, Code.DUPLICATE_KEY, "The key stands in the record twice."))
    content = values.get("cid")
    if isinstance(content, str) and len(content) > CONTENT_ID_V1 and values.get("v") != VERSION:
        del values["cid"]
        ignored.append(Ignored("cid", Code.ID_TOO_LONG, f"The key is longer than {CONTENT_ID_V1} characters."))
    return ParsedRecord(values, tuple(ignored))


def read_value(name: str, raw: str | None) -> Value:
    """The value of one member as it was written; null where the key stood alone.

    Raises:
      ValueError: With a code and a reason: the key is unknown or the value is none of its kind.
    """
    key = KEYS.get(name)
    if key is None:
        raise _IllTypedError(Code.UNKNOWN_FIELD, "The standard has no such key.")
    if key.shape is Shape.FLAG:
        if raw not in (None, "?1", "?0"):
            raise _IllTypedError(Code.WRONG_TYPE, "The key stands alone when it is true and is left out when not.")
        return raw != "?0"
    if raw is None or raw == "":
        raise _IllTypedError(Code.WRONG_TYPE, "The key needs a value.")
    return _READERS[key.shape](key, raw)


def main_measure(measures: tuple[Measure, ...]) -> float | None:
    """The figure for the picture: the video item, else the untyped, else the muxed; null of audio alone."""
    for wanted in ("v", None, "av"):
        for measure in measures:
            if measure.object_type == wanted:
                return measure.value
    return None


def least_measure(measures: tuple[Measure, ...]) -> float | None:
    """The video item, else the least: playback waits for the shortest buffer."""
    video = [m.value for m in measures if m.object_type == "v"]
    return video[0] if video else min((m.value for m in measures), default=None)


def _members(text: str, ignored: list[Ignored]) -> list[tuple[str, str | None]]:
    """The well-formed members in order; another is skipped up to the next comma, the rest after very many."""
    members = []
    position = 0
    malformed = 0
    while position < len(text):
        member = _MEMBER.match(text, position)
        if member:
            members.append((member[1], member[2].rstrip(" \t") if member[2] is not None else None))
            position = member.end()
            continue
        name = _NAME.match(text, position)
        reason = "The member is not written as key=value."
        known = name[1] if name and name[1] in KEYS else ""  # anything else may be prose, so it is not named
        ignored.append(Ignored(known, Code.MALFORMED_MEMBER, reason))
        malformed += 1
        comma = text.find(",", position) if malformed < _MOST_MALFORMED else -1
        position = len(text) if comma < 0 else comma + 1
    return members


def _number(key: Key, raw: str) -> float:
    if not _NUMBER.fullmatch(raw):
        raise _IllTypedError(Code.WRONG_TYPE, "The key needs a number.")
    number = float(raw)
    if number < 0 and not key.signed:
        raise _IllTypedError(Code.OUT_OF_RANGE, "The key is never negative.")
    if number == 0 and not key.zero:
        raise _IllTypedError(Code.OUT_OF_RANGE, "The key is zero, which measures nothing.")
    return number


def _integer(key: Key, raw: str) -> int:
    return math.floor(_number(key, raw) + 0.5)


def _decimal(key: Key, raw: str) -> int | float:
    number = _number(key, raw)
    return int(number) if number.is_integer() else number


def _measures(key: Key, raw: str) -> Value:
    if not raw.startswith("("):
        if ";" in raw:
            return (_measure(key, raw),)
        return _decimal(key, raw)
    found = []
    for item in _items(raw):
        try:
            found.append(_measure(key, item))
        except _IllTypedError as fault:
            if fault.code is not Code.OUT_OF_RANGE or key.zero:
                raise
    if not found:
        raise _IllTypedError(Code.OUT_OF_RANGE, "The list holds no measurement.")
    return tuple(found)


def _measure(key: Key, item: str) -> Measure:
    number, _, parameter = item.partition(";")
    return Measure(_number(key, number), parameter.split(";")[0] or None)


def _items(raw: str) -> list[str]:
    inner = raw[1:-1].strip(" ")
    items = []
    position = 0
    while position < len(inner):
        item = _ITEM.match(inner, position)
        if not item:
            raise _IllTypedError(Code.WRONG_TYPE, "The list is not written as items apart by blanks.")
        items.append(item[1] + item[2])
        position = item.end()
    return items


def _string(key: Key, raw: str) -> str:
    if not (len(raw) > 1 and raw.startswith('"')):
        raise _IllTypedError(Code.WRONG_TYPE, "The key needs text in quotation marks.")
    text = _ESCAPE.sub(r"\1", raw[1:-1])
    if not text:
        raise _IllTypedError(Code.MISSING_FIELD, "The key holds empty text.")
    if len(text) > key.longest:
        raise _IllTypedError(Code.ID_TOO_LONG, f"The key is longer than {key.longest} characters.")
    if _CONTROL.search(text):
        raise _IllTypedError(Code.CONTROL_CHARACTER, "The key holds a control character.")
    if key.name == "nrr" and not _RANGE.fullmatch(text):
        raise _IllTypedError(Code.WRONG_TYPE, "The key needs a byte range such as 0-499, 500- or -500.")
    if key.name == "nor" and ("/" in text or _ABSOLUTE.match(unquote(text))):
        raise _IllTypedError(Code.WRONG_TYPE, "The key needs a relative path, URL-encoded.")
    return text


def _strings(key: Key, raw: str) -> Value:
    if not raw.startswith("("):
        return _string(key, raw)
    return tuple(_string(key, _quoted(item)) for item in _items(raw))


def _quoted(item: str) -> str:
    quoted = _QUOTED.match(item)
    return quoted[0] if quoted else item


def _errors(key: Key, raw: str) -> Value:
    items = _items(raw) if raw.startswith("(") else [raw]
    if not items:
        raise _IllTypedError(Code.MISSING_FIELD, "The list is empty.")
    codes = []
    for item in items:
        plain = item.partition(";")[0] if not item.startswith('"') else _quoted(item)
        codes.append(plain if _NUMBER.fullmatch(plain) else _string(key, plain))
    return tuple(codes) if raw.startswith("(") else codes[0]


def _token(key: Key, raw: str) -> str:
    if raw.startswith(('"', "(")):
        raise _IllTypedError(Code.WRONG_TYPE, "The key needs a word without quotation marks.")
    if raw not in key.tokens:
        raise _IllTypedError(Code.UNKNOWN_VALUE, "The key holds a word that the standard has not.")
    return raw


_READERS: Final = {
    Shape.INTEGER: _integer,
    Shape.DECIMAL: _decimal,
    Shape.MEASURES: _measures,
    Shape.STRING: _string,
    Shape.STRINGS: _strings,
    Shape.ERRORS: _errors,
    Shape.TOKEN: _token,
}
