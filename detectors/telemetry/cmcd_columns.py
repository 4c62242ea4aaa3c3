"""CMCD records to one column a key: what `cmcd_record` says of each, for a block at once.

Records that are written alike are read together (`cmcd_forms`). Of the others,
integers and plain strings, which differ from record to record, are read as columns,
of the rest each distinct member is read once by the reference parser, and records
that are in any way odd go to it whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from detectors.telemetry.cmcd_forms import Slip, form_of, read_alike
from detectors.telemetry.cmcd_keys import KEYS, VERSION, Shape, longest
from detectors.telemetry.cmcd_members import FIGURES, TEXTS, Reading, read_members, said_by
from detectors.telemetry.cmcd_record import Ignored, parse_record
from detectors.telemetry.cmcd_tokens import NAMES, Bools, Ints, Tokens, tokenise, whole_numbers
from detectors.telemetry.rejects import Code

_IDS: Final = {name: index for index, name in enumerate(NAMES)}
_PLAIN_NUMBER: Final = np.array([KEYS[n].shape in (Shape.INTEGER, Shape.DECIMAL, Shape.MEASURES) for n in NAMES])
_NO_ZERO: Final = np.array([not KEYS[n].zero for n in NAMES])
_PLAIN_TEXT: Final = np.array([KEYS[n].shape is Shape.STRING and n != "nrr" for n in NAMES])
_LONGEST: Final = np.array([longest(KEYS[n]) for n in NAMES])
_UNKNOWN: Final = r"^([A-Za-z*][A-Za-z0-9_.*-]*)(?:=(?:\"[^\"]*\"|[^,\"() ]*))?$"
_QUOTE: Final = ord('"')
_FEWEST_RECORDS: Final = 64
"""Fewer are read singly at once: to look for what they have in common costs as much."""

_MOST_RECORDS: Final = 16_384
_MEMBERS_BYTES: Final = 1024 * 1024
"""Records whose members are told apart together: these fit the processor's cache, also where all of it is commas."""

_MOST_FORMS: Final = 8
_WORTH: Final = 8
"""A form is worth its while that one record in so many has."""


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one key: `row` is their record."""

    row: Ints
    values: pl.Series


@dataclass(frozen=True, slots=True)
class Columns:
    """A block of records.

    `frame` is `ASKED`, null where a record does not say; a column other than `sid` that
    is null throughout may be missing. `empty` marks records without any usable member,
    `newer` sets of a version that nobody here understands.
    """

    frame: pl.DataFrame
    empty: Bools
    newer: Bools
    slips: tuple[Slip, ...]


def read_columns(records: pl.Series) -> Columns:
    """The columns of `records` (text without nulls), equal to reading each with `parse_record`."""
    rest = np.arange(len(records))
    parts: list[_Part] = []
    for tried in range(_MOST_FORMS if len(records) >= _FEWEST_RECORDS else 0):
        if not rest.size:
            break
        part = _written_alike(records, rest, rest.size * tried // _MOST_FORMS)
        if part is not None:
            parts.append(part)
            rest = np.setdiff1d(rest, part.rows, assume_unique=True)
    if rest.size or not parts:
        others = records.gather(rest) if parts else records
        parts += [_Part(rest[a:b], _Block(others[a:b]).read()) for a, b in pieces(others, _MEMBERS_BYTES)]
    return _together(parts) if len(parts) > 1 else parts[0].columns


def pieces(records: pl.Series, most_bytes: int) -> Iterator[tuple[int, int]]:
    """Parts of the records, each bounded in records and in bytes; one part without records where there are none."""
    ends = records.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()
    first = last = 0
    while last < len(records):
        before = int(ends[first - 1]) if first else 0
        fitting = int(np.searchsorted(ends, before + most_bytes, side="right"))
        last = min(max(fitting, first + 1), first + _MOST_RECORDS)
        yield first, last
        first = last
    if not len(records):
        yield 0, 0


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the records, which ascend, and what they say; rows of slips count within them."""

    rows: Ints
    columns: Columns


def _written_alike(records: pl.Series, rest: Ints, place: int) -> _Part | None:
    """Those of the rest that are written as the one at `place` is; null where they are few."""
    some = records if rest.size == len(records) else records.gather(rest)
    form = form_of(some[place])
    if form is None:
        return None
    alike = np.flatnonzero(some.str.contains(form.pattern).to_numpy())
    while alike.size * _WORTH >= rest.size:
        part = read_alike(some if alike.size == len(some) else some.gather(alike), form)
        if not part.unsure.any():
            nothing = np.zeros(alike.size, bool)
            return _Part(rest[alike], Columns(pl.DataFrame(part.columns), nothing, nothing, part.slips))
        alike = alike[~part.unsure]
    return None


def _together(parts: Sequence[_Part]) -> Columns:
    """The parts as one, each record in its place."""
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows)
    slips = [Slip(s.ignored, s.count, int(part.rows[s.row])) for part in parts for s in part.columns.slips]
    return Columns(
        pl.concat([part.columns.frame for part in parts], how="diagonal")[order],
        np.concatenate([part.columns.empty for part in parts])[order],
        np.concatenate([part.columns.newer for part in parts])[order],
        _summed(slips),
    )


def _summed(slips: Iterable[Slip]) -> tuple[Slip, ...]:
    """One slip a reason, in the order of their first records: the first met gives its place to all."""
    met: dict[Ignored, Slip] = {}
    for slip in sorted(slips, key=lambda slip: slip.row):
        known = met.get(slip.ignored, Slip(slip.ignored, 0, slip.row))
        met[slip.ignored] = Slip(slip.ignored, known.count + slip.count, known.row)
    return tuple(met.values())


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
        values, fine = whole_numbers(tokens.text, tokens.value[numbers], tokens.end[numbers])
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
        readings = read_members([str(member) for member in encoded.dictionary.to_pylist()])
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
            said = pl.Series([said_by(name, r.values.get(name)) for r in records], dtype=dtype, strict=True)
            self._columns[name].append(Column(rows, said))

    def _slip(self, ignored: Ignored, count: int, row: int) -> None:
        before, first = self._slips.get(ignored, (0, row))
        self._slips[ignored] = (before + count, min(first, row))

    def _finish(self) -> Columns:
        columns = [
            _filled(name, parts, len(self._records))
            for name, parts in self._columns.items()
            if name == "sid" or any(len(part.row) for part in parts)
        ]
        slips = (Slip(ignored, count, row) for ignored, (count, row) in self._slips.items())
        return Columns(pl.DataFrame(columns), ~self._filled, self._newer, _summed(slips))


def _filled(name: str, parts: Sequence[Column], height: int) -> pl.Series:
    """The values of one key in the rows of their records, null in the others."""
    place = np.full(height, -1, np.int64)
    start = 0
    for part in parts:
        place[part.row] = np.arange(start, start + len(part.row))
        start += len(part.row)
    dtype = pl.Float64 if name in FIGURES else pl.String
    stock = pl.concat([part.values.cast(dtype) for part in parts])
    index = pl.Series(place)
    return stock.gather(index.set(index < 0, None)).alias(name)
