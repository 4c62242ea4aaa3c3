"""CMCD records that are written alike, read together.

Players write the same keys in the same order again and again. The form of one record
is a pattern that others match from end to end, so that in all of these each comma
parts two members, and each member is known by its place:

    br=(3000;v 128;a),cid="film",e=t,sid="…",sn=38,ts=1795301854067,v=2
    └ other ────────┘ └ text ──┘ └┬┘ └ text  └ whole numbers ─────┘ └ the same in all
                                other

What no form of a few covers is left to the reader of single members.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
import polars as pl

from detectors.telemetry.cmcd_keys import KEYS, Shape, longest
from detectors.telemetry.cmcd_members import FIGURES, TEXTS, Reading, read_members
from detectors.telemetry.cmcd_record import Ignored
from detectors.telemetry.cmcd_tokens import Bools, Ints, buffered, texts_between, whole_numbers
from detectors.telemetry.rejects import Code

_NAME: Final = r"[A-Za-z*][A-Za-z0-9_.*-]*"
_ANY: Final = r"[ !#-+\x2D-\x5B\x5D-~]"  # printable, neither quotation mark nor comma nor backslash
_DENSE: Final = r"[!#-'*+\x2D-\x5B\x5D-~]"  # likewise, neither blank nor bracket
_UNKNOWN: Final = rf'(?:=(?:"{_ANY}*"|{_DENSE}*))?'
_DIGITS: Final = frozenset("0123456789")
_COMMA: Final = ord(",")


class Part(Enum):
    """How a member of a form is read; the value is what it matches behind its key."""

    NUMBER = "=[0-9]+"
    TEXT = f'="{_ANY}+"'
    OTHER = f"(?:={_ANY}*)?"  # each distinct one by the reference parser
    UNKNOWN = _UNKNOWN
    SAME = ""  # written alike in all records


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a form: its key, or all of it where it is the same in all records."""

    name: str
    part: Part


@dataclass(frozen=True, slots=True)
class Form:
    """What some records have in common; each of them holds a number or a text."""

    members: tuple[Member, ...]

    @property
    def pattern(self) -> str:
        """What records of the form match from end to end."""
        return f"^{','.join(pl.escape_regex(member.name) + member.part.value for member in self.members)}$"


@dataclass(frozen=True, slots=True)
class Slip:
    """Members left out for one reason: how many, and the first record that had one."""

    ignored: Ignored
    count: int
    row: int


@dataclass(frozen=True, slots=True)
class Alike:
    """Records of one form: the columns that they fill, and what was left out of them.

    `unsure` marks those that the reference parser must read; where there is one, the
    rest says nothing.
    """

    columns: dict[str, pl.Series]
    slips: tuple[Slip, ...]
    unsure: Bools


def form_of(record: str) -> Form | None:
    """The form that a record shows; null where it is not written plainly."""
    members = [_member(written) for written in record.split(",")]
    found = tuple(member for member in members if member)
    named = {member.name.partition("=")[0] for member in found}
    useful = any(member.part in {Part.NUMBER, Part.TEXT} for member in found)
    return Form(found) if useful and len(named) == len(members) else None


def _member(written: str) -> Member | None:
    name, _, value = written.partition("=")
    key = KEYS.get(name)
    if key is None:
        return Member(name, Part.UNKNOWN) if re.fullmatch(_NAME + _UNKNOWN, written) else None
    if key.shape in {Shape.INTEGER, Shape.DECIMAL, Shape.MEASURES} and name != "v" and value and set(value) <= _DIGITS:
        return Member(name, Part.NUMBER)
    if re.fullmatch(Part.TEXT.value, written.removeprefix(name)):
        return Member(name, Part.TEXT) if key.shape is Shape.STRING and name != "nrr" else None
    if not re.fullmatch(Part.OTHER.value, written.removeprefix(name)):
        return None
    return Member(name, Part.OTHER) if name != "v" and name in (*FIGURES, *TEXTS) else Member(written, Part.SAME)


def read_alike(records: pl.Series, form: Form) -> Alike:
    """The columns of records that all match the pattern of `form`; there is at least one."""
    return _Reader(records, form).read()


class _Reader:
    def __init__(self, records: pl.Series, form: Form) -> None:
        self._form = form
        self._text, bounds = buffered(records)
        commas = np.flatnonzero(self._text[: bounds[-1]] == _COMMA).reshape(len(records), -1).T
        self._first = (bounds[:-1], *(commas + 1))
        self._last = (*commas, bounds[1:])
        self._unsure = np.zeros(len(records), bool)
        self._columns = {"sid": pl.repeat(None, len(records), dtype=pl.String, eager=True)}
        self._slips: list[Slip] = []

    def read(self) -> Alike:
        for member, first, last in zip(self._form.members, self._first, self._last, strict=True):
            if member.part is Part.NUMBER:
                self._number(member.name, first + len(member.name) + 1, last)
            elif member.part is Part.TEXT:
                self._quoted(member.name, first + len(member.name) + 2, last - 1)
            elif member.part is Part.OTHER:
                self._distinct(member.name, texts_between(self._text, first, last))
            elif member.part is Part.SAME:
                self._same(member.name)
            else:
                self._slip(Ignored(member.name, Code.UNKNOWN_FIELD, "The standard has no such key."), len(first), 0)
        return Alike(self._columns, tuple(self._slips), self._unsure)

    def _number(self, name: str, first: Ints, last: Ints) -> None:
        values, fine = whole_numbers(self._text, first, last)
        self._unsure |= ~fine if KEYS[name].zero else ~fine | (values == 0)
        if name in FIGURES:
            self._columns[name] = pl.Series(values.astype(np.float64))

    def _quoted(self, name: str, first: Ints, last: Ints) -> None:
        self._unsure |= last - first > longest(KEYS[name])
        if name == "sid":
            self._columns[name] = texts_between(self._text, first, last)
        elif name in TEXTS:
            codes, words = _coded(texts_between(self._text, first, last))
            self._columns[name] = words.gather(codes)

    def _distinct(self, name: str, written: pl.Series) -> None:
        codes, words = _coded(written)
        readings = read_members(words.to_list())
        self._settle(readings, codes)
        if name in FIGURES:
            table = pl.Series([reading.figure for reading in readings], dtype=pl.Float64)
        else:
            table = pl.Series([reading.text for reading in readings], dtype=pl.String)
        self._columns[name] = table.gather(codes)

    def _same(self, written: str) -> None:
        (reading,) = read_members([written])
        self._settle([reading], np.zeros(len(self._unsure), np.int64))
        if reading.figure is not None:
            self._columns[written.partition("=")[0]] = pl.repeat(reading.figure, len(self._unsure), eager=True)

    def _settle(self, readings: list[Reading], codes: Ints) -> None:
        """Takes the records of odd readings out, and counts what was left out of the others."""
        for code, reading in enumerate(readings):
            if reading.odd or reading.ignored:
                where = codes == code
                if reading.odd:
                    self._unsure |= where
                elif reading.ignored:
                    self._slip(reading.ignored, int(np.count_nonzero(where)), int(np.argmax(where)))

    def _slip(self, ignored: Ignored, count: int, row: int) -> None:
        self._slips.append(Slip(ignored, count, row))


def _coded(texts: pl.Series) -> tuple[Ints, pl.Series]:
    """The number of each text among the distinct ones, and these."""
    physical = texts.cast(pl.Categorical(pl.Categories.random())).to_physical().to_numpy()
    example = np.full(int(physical.max()) + 1, -1)
    example[physical] = np.arange(physical.size)
    present = np.flatnonzero(example >= 0)
    number = np.empty(example.size, np.int64)
    number[present] = np.arange(present.size)
    return number[physical], texts.gather(example[present])
