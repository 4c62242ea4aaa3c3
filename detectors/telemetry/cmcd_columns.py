"""CMCD records to one column a key: what `cmcd_record` says of each, for a block at once.

Integers and plain strings, which differ from record to record, are read as
columns. Of the rest each distinct member is read once by the reference parser,
and records that are in any way odd go to it whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from detectors.telemetry.cmcd_keys import CONTENT_ID_V1, KEYS, VERSION, Shape
from detectors.telemetry.cmcd_record import (
    Ignored,
    Measure,
    Value,
    least_measure,
    main_measure,
    parse_record,
)
from detectors.telemetry.cmcd_tokens import NAMES, Bools, Ints, Tokens, digits, tokenise
from detectors.telemetry.rejects import Code

FIGURES: Final[dict[str, Callable[[tuple[Measure, ...]], float | None]]] = {
    **dict.fromkeys(("br", "tb", "tpb", "mtp"), main_measure),
    **dict.fromkeys(("bl", "bsd"), least_measure),
    **dict.fromkeys(("bg", "df", "dfa", "msd", "pr", "pt", "rc", "sn", "ts", "v"), main_measure),
}
"""Keys that become numbers, each with how a list of measures becomes one."""

TEXTS: Final = ("cid", "e", "ec", "ot", "sid", "sta")
"""Keys that become text; of a list of error codes the first."""

_IDS: Final = {name: index for index, name in enumerate(NAMES)}
_PLAIN_NUMBER: Final = np.array([KEYS[n].shape in (Shape.INTEGER, Shape.DECIMAL, Shape.MEASURES) for n in NAMES])
_NO_ZERO: Final = np.array([not KEYS[n].zero for n in NAMES])
_PLAIN_TEXT: Final = np.array([KEYS[n].shape is Shape.STRING and n != "nrr" for n in NAMES])
_LONGEST: Final = np.array([KEYS[n].longest if n != "cid" else CONTENT_ID_V1 for n in NAMES])
_UNKNOWN: Final = r"^([A-Za-z*][A-Za-z0-9_.*-]*)(?:=(?:\"[^\"]*\"|[^,\"() ]*))?$"
_QUOTE: Final = ord('"')
_MEMBERS_REMEMBERED: Final = 32_768
_LONGEST_REMEMBERED: Final = 256  # characters, so that the memory cannot be filled with rubbish


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one key: `row` is their record."""

    row: Ints
    values: pl.Series


@dataclass(frozen=True, slots=True)
class Slip:
    """Members left out for one reason: how many, and the first record that had one."""

    ignored: Ignored
    count: int
    row: int


@dataclass(frozen=True, slots=True)
class Columns:
    """A block of records.

    `frame` has Float64 columns named as `FIGURES` and String columns named as
    `TEXTS`, null where a record does not say. `empty` marks records without any
    usable member, `newer` sets of a version that nobody here understands.
    """

    frame: pl.DataFrame
    empty: Bools
    newer: Bools
    slips: tuple[Slip, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One member alone: a number or a text where its key becomes one, or why it is left out.

    `odd` says that more than this member is to be looked at: it is not well formed, so that it may be part of one
    that holds a comma, or it is a version that makes all of its record useless.
    """

    figure: float | None
    text: str | None
    ignored: Ignored | None
    odd: bool


@lru_cache(maxsize=_MEMBERS_REMEMBERED)
def read_member(member: str) -> Reading:
    """What the reference parser makes of one member; players repeat themselves, so it is remembered."""
    record = parse_record(member)
    ignored = record.ignored[0] if record.ignored else None
    for name, value in record.values.items():
        said = _said(name, value)
        figure, text = (None, said) if isinstance(said, str) else (said, None)
        return Reading(figure, text, ignored, odd=not record.understood)
    return Reading(None, None, ignored, odd=ignored is None or ignored.code is Code.MALFORMED_MEMBER)


def read_columns(records: pl.Series) -> Columns:
    """The columns of `records` (text without nulls), equal to reading each with `parse_record`."""
    return _Block(records).read()


def read_singly(records: Sequence[str]) -> Columns:
    """As `read_columns`, one record after the other: slow, and the reference."""
    block = _Block(pl.Series(records, dtype=pl.String))
    block.unsure[:] = True
    return block.read()


class _Block:
    def __init__(self, records: pl.Series) -> None:
        self._records = records
        self._tokens: Tokens = tokenise(records)
        self.unsure = self._tokens.unsure
        self._filled = np.zeros(len(records), bool)
        self._newer = np.zeros(len(records), bool)
        self._columns: dict[str, list[Column]] = {name: [] for name in (*FIGURES, *TEXTS)}
        self._slips: dict[Ignored, tuple[int, int]] = {}

    def read(self) -> Columns:
        tokens = self._tokens
        length = tokens.end - tokens.value
        known = np.maximum(tokens.key, 0)
        first, last = tokens.text[np.minimum(tokens.value, len(tokens.text) - 1)], tokens.text[tokens.end - 1]
        quoted = (tokens.quotes == 2) & (first == _QUOTE) & (last == _QUOTE) & (length > 2)  # noqa: PLR2004 - a pair
        text = (tokens.key >= 0) & _PLAIN_TEXT[known] & quoted
        self.unsure[tokens.row[text & (length - 2 > _LONGEST[known])]] = True
        number = (tokens.key >= 0) & _PLAIN_NUMBER[known] & (length > 0)
        numbers = np.flatnonzero(number)
        values, fine = digits(tokens, numbers)
        fine &= ~((values == 0) & _NO_ZERO[known[numbers]])
        number[numbers[~fine]] = False
        newer = (tokens.key[numbers] == _IDS["v"]) & fine & (values > VERSION)
        self.unsure[tokens.row[numbers[newer]]] = True
        names = self._unknown_names(np.flatnonzero(tokens.key < 0))
        rest = self._distinct(np.flatnonzero((tokens.key >= 0) & ~text & ~number & ~self.unsure[tokens.row]))
        # Only now is every unsure record known, so that nothing of it counts twice.
        self._take_numbers(numbers[fine], values[fine])
        self._take_texts(np.flatnonzero(text))
        self._take_distinct(*rest)
        self._take_unknown(*names)
        self._take_singly()
        return self._finish()

    def _sure(self, which: Ints) -> Bools:
        return ~self.unsure[self._tokens.row[which]]

    def _unknown_names(self, which: Ints) -> tuple[Ints, pl.Series]:
        tokens = self._tokens
        which = which[self._sure(which)]
        names = pl.Series(tokens.texts(which, tokens.start, tokens.end), dtype=pl.String).str.extract(_UNKNOWN)
        self.unsure[tokens.row[which[names.is_null().to_numpy()]]] = True
        return which, names

    def _take_unknown(self, which: Ints, names: pl.Series) -> None:
        sure = self._sure(which)
        rows = self._tokens.row[which[sure]]
        counted = pl.DataFrame({"name": names.filter(pl.Series(sure)), "row": rows}).group_by("name")
        for name, count, row in counted.agg(pl.len(), pl.col("row").min().alias("first")).iter_rows():
            self._slip(Ignored(name, Code.UNKNOWN_FIELD, "The standard has no such key."), count, row)

    def _distinct(self, which: Ints) -> tuple[Ints, Ints, list[Reading]]:
        """Each distinct member read once; the index of each of `which` in the readings."""
        tokens = self._tokens
        encoded = tokens.texts(which, tokens.start, tokens.end).dictionary_encode()
        members = [str(member) for member in encoded.dictionary.to_pylist()]
        readings = [
            read_member(member) if len(member) <= _LONGEST_REMEMBERED else read_member.__wrapped__(member)
            for member in members
        ]
        index = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        odd = np.array([reading.odd for reading in readings], bool)
        self.unsure[tokens.row[which[odd[index]]]] = True
        return which, index, readings

    def _take_distinct(self, which: Ints, index: Ints, readings: list[Reading]) -> None:
        sure = self._sure(which)
        which, index = which[sure], index[sure]
        rows, keys = self._tokens.row[which], self._tokens.key[which]
        valid = np.array([reading.ignored is None for reading in readings], bool)
        self._filled[rows[valid[index]]] = True
        figures = pl.Series([reading.figure for reading in readings], dtype=pl.Float64)
        texts = pl.Series([reading.text for reading in readings], dtype=pl.String)
        for name in (*FIGURES, *TEXTS):
            here = np.flatnonzero(keys == _IDS[name])
            if len(here):
                table = figures if name in FIGURES else texts
                self._columns[name].append(Column(rows[here], table.gather(index[here])))
        bad = np.flatnonzero(~valid[index])
        slips, firsts, counts = np.unique(index[bad], return_index=True, return_counts=True)
        for slip, row, count in zip(slips.tolist(), rows[bad[firsts]].tolist(), counts.tolist(), strict=True):
            if ignored := readings[slip].ignored:
                self._slip(ignored, count, row)

    def _take_numbers(self, which: Ints, values: Ints) -> None:
        sure = self._sure(which)
        which, values = which[sure], values[sure]
        rows, keys = self._tokens.row[which], self._tokens.key[which]
        self._filled[rows] = True
        for name in FIGURES:
            here = np.flatnonzero(keys == _IDS[name])
            self._columns[name].append(Column(rows[here], pl.Series(values[here].astype(np.float64))))

    def _take_texts(self, which: Ints) -> None:
        which = which[self._sure(which)]
        tokens = self._tokens
        self._filled[tokens.row[which]] = True
        for name in ("cid", "sid"):
            here = which[tokens.key[which] == _IDS[name]]
            texts = pl.Series(tokens.texts(here, tokens.value + 1, tokens.end - 1), dtype=pl.String)
            self._columns[name].append(Column(tokens.row[here], texts))

    def _take_singly(self) -> None:
        rows = np.flatnonzero(self.unsure)
        records = [parse_record(text) for text in self._records.gather(rows).to_list()]
        for row, record in zip(rows.tolist(), records, strict=True):
            self._filled[row] = bool(record.values)
            self._newer[row] = not record.understood
            for ignored in record.ignored if record.understood else ():
                self._slip(ignored, 1, row)
        for name in (*FIGURES, *TEXTS):
            dtype = pl.Float64 if name in FIGURES else pl.String
            said = pl.Series([_said(name, r.values.get(name)) for r in records], dtype=dtype, strict=True)
            self._columns[name].append(Column(rows, said))

    def _slip(self, ignored: Ignored, count: int, row: int) -> None:
        before, first = self._slips.get(ignored, (0, row))
        self._slips[ignored] = (before + count, min(first, row))

    def _finish(self) -> Columns:
        columns = []
        for name, parts in self._columns.items():
            place = np.full(len(self._records), -1, np.int64)
            start = 0
            for part in parts:
                place[part.row] = np.arange(start, start + len(part.row))
                start += len(part.row)
            dtype = pl.Float64 if name in FIGURES else pl.String
            stock = pl.concat([part.values.cast(dtype) for part in parts])
            index = pl.Series(place)
            columns.append(stock.gather(index.set(index < 0, None)).alias(name))
        met = sorted(self._slips.items(), key=lambda slip: slip[1][1])  # the first met gives place and reason to all
        slips = tuple(Slip(ignored, count, row) for ignored, (count, row) in met)
        return Columns(pl.DataFrame(columns), ~self._filled, self._newer, slips)


def _said(name: str, value: Value | None) -> float | str | None:
    if name not in FIGURES and name not in TEXTS:
        return None
    if name in TEXTS:
        head = value[0] if isinstance(value, tuple) and value else value
        return head if isinstance(head, str) else None
    if isinstance(value, tuple):
        return FIGURES[name](tuple(item for item in value if isinstance(item, Measure)))
    return float(value) if isinstance(value, int | float) else None
