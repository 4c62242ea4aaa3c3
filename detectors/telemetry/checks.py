"""Values within bounds: what no JSON or Parquet type can say, for whole columns at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors import schemas
from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.jsoncolumns import TEXT_FORM
from detectors.telemetry.limits import Limits
from detectors.telemetry.rejects import Code
from detectors.telemetry.times import from_text

Bools = npt.NDArray[np.bool_]

_DTYPES: Final = {**schemas.CONTACTS, **schemas.TRACKING, **schemas.EVENTS}
"""A name has one type, whichever frame it stands in."""

CONTROL: Final = r"[\x00-\x1f\x7f-\x{9f}]"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with some rows of a column."""

    mask: Bools
    code: Code
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Columns of one of the frames in `schemas` for all rows, and the faults, of which a row's first counts.

    `slips` are values that were set aside for what the format has instead: their rows stay in use.
    """

    frame: pl.DataFrame
    faults: tuple[Fault, ...]
    slips: tuple[Fault, ...] = ()

    def first_faults(self) -> npt.NDArray[np.int64]:
        """For each row the index of its first fault, or -1."""
        first = np.full(self.frame.height, -1, np.int64)
        for index, fault in enumerate(self.faults):
            first[fault.mask & (first < 0)] = index
        return first


def check(frame: pl.DataFrame, fields: Sequence[Field], limits: Limits, *, plain: bool) -> Checked:
    """The typed columns of `jsonlines` or Parquet, judged.

    Args:
      frame: A column for each field that was met, as `jsonlines.Objects.frame`; a
        categorical text was judged by its categories.
      fields: What to look for, in the order in which faults count.
      limits: Bounds on ids and times.
      plain: No text in the frame can hold a control character.

    Returns:
      Only columns that hold something; values of faulty rows are unspecified.
    """
    columns: list[pl.Series] = []
    faults: list[Fault] = []
    slips: list[Fault] = []
    for field in fields:
        column = _column(frame, field, limits, faults)
        if column is None:
            if field.required:
                faults.append(_missing(field, np.ones(frame.height, bool)))
            continue
        if field.kind in (Kind.TEXT, Kind.CODE) and column.dtype != pl.Categorical:
            column = judge_text(column, limits, faults, plain=plain)
        elif field.kind is Kind.STATE:
            column = _word(column, field, slips if field.otherwise else faults)
        if field.required and column.null_count():
            judged = [f.mask for f in faults if f.name == field.name]
            absent = column.is_null().to_numpy()
            faults.append(_missing(field, absent & ~np.logical_or.reduce(judged) if judged else absent))
        if column.null_count() < len(column) or field.required:
            columns.append(column)
    judged_columns = pl.DataFrame(columns) if columns else pl.DataFrame(height=frame.height)
    return Checked(judged_columns, tuple(faults), tuple(slips))


def _column(frame: pl.DataFrame, field: Field, limits: Limits, faults: list[Fault]) -> pl.Series | None:
    name = field.name
    plain_form = frame.get_column(name) if name in frame.columns else None
    text_form = frame.get_column(name + TEXT_FORM) if name + TEXT_FORM in frame.columns else None
    if field.kind is Kind.TIME:
        return _time(name, plain_form, text_form, limits, faults)
    if field.kind is Kind.CODE:
        as_text = plain_form.cast(pl.String) if plain_form is not None else None
        both = [s for s in (text_form, as_text) if s is not None]
        return pl.select(pl.coalesce(both).alias(name)).to_series() if both else None
    if plain_form is None:
        return None
    if field.kind in (Kind.WHOLE, Kind.NUMBER):
        return _number(plain_form, field, faults)
    return plain_form


def missing(name: str) -> str:
    """Why a record without the field `name` is refused."""
    return f"The field {name} is required and is missing or empty."


def _missing(field: Field, mask: Bools) -> Fault:
    return Fault(mask, Code.MISSING_FIELD, field.name, missing(field.name))


def _add(faults: list[Fault], mask: pl.Series, code: Code, name: str, reason: str) -> None:
    if mask.any():
        faults.append(Fault(mask.fill_null(value=False).to_numpy(), code, name, reason))


def _time(
    name: str, numbers: pl.Series | None, texts: pl.Series | None, limits: Limits, faults: list[Fault]
) -> pl.Series | None:
    times = numbers
    if texts is not None:
        read = from_text(texts)
        reason = f"The field {name} is not a time: write milliseconds since 1970 or RFC 3339 text."
        _add(faults, read.is_null() & texts.is_not_null(), Code.BAD_TIME, name, reason)
        times = read if numbers is None else pl.select(pl.coalesce(numbers, read)).to_series()
    if times is None:
        return None
    low, high = limits.earliest_ms, limits.latest_ms
    reason = f"The field {name} lies before the year 2000 or after 2099: times are milliseconds since 1970."
    _add(faults, (times < low) | (times >= high), Code.OUT_OF_RANGE, name, reason)
    return times.alias(name)


def judge_text(column: pl.Series, limits: Limits, faults: list[Fault], *, plain: bool) -> pl.Series:
    """The texts with null for the empty ones, which say nothing; what is wrong with the others is added to `faults`."""
    name = column.name
    sizes = column.str.len_bytes()  # a superset of what is too long in characters, and far cheaper
    if sizes.min() == 0:
        column = pl.select(pl.when(sizes > 0).then(column).alias(name)).to_series()
    largest = sizes.max()
    if isinstance(largest, int) and largest > limits.id_characters:
        reason = f"The field {name} is longer than {limits.id_characters} characters."
        _add(faults, column.str.len_chars() > limits.id_characters, Code.ID_TOO_LONG, name, reason)
    if not plain:
        reason = f"The field {name} holds a control character."
        _add(faults, column.str.contains(CONTROL), Code.CONTROL_CHARACTER, name, reason)
    return column


def _number(column: pl.Series, field: Field, faults: list[Fault]) -> pl.Series:
    low, high = column.min(), column.max()
    inside = isinstance(low, int | float) and isinstance(high, int | float) and field.low <= low and high <= field.high
    if not inside or column.dtype.is_float():
        reason = f"The field {field.name} must be {field.low:g} to {field.high:g}."
        _add(faults, ~column.is_between(field.low, field.high), Code.OUT_OF_RANGE, field.name, reason)
    return column.cast(_DTYPES[field.name], strict=False)


def _word(column: pl.Series, field: Field, odd: list[Fault]) -> pl.Series:
    """The words of the field's list; others become what the field has for them, or null, and are added to `odd`."""
    dtype = _DTYPES[field.name]
    words = column.cast(dtype, strict=False)
    unknown = words.is_null() & (column != "")  # empty text says nothing
    if not unknown.any():
        return words
    read_as = f" and was read as {field.otherwise}" if field.otherwise else ""
    reason = f"The field {field.name} holds a word that is not in its list{read_as}."
    _add(odd, unknown, Code.UNKNOWN_VALUE, field.name, reason)
    if field.otherwise is None:
        return words
    otherwise = pl.lit(field.otherwise, dtype=dtype)
    return pl.select(pl.when(unknown).then(otherwise).otherwise(words).alias(field.name)).to_series()
