"""Canonical records in Parquet: slices of row groups, only the columns that are known."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detectors.telemetry.block import Block, Part, Task, count_slips, settle
from detectors.telemetry.checks import Bools, Checked, Fault, judge_text
from detectors.telemetry.contacts import CONTACTS
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.jsoncolumns import TEXT_FORM
from detectors.telemetry.limits import Limits
from detectors.telemetry.parquet_layout import Run, bomb, leaves, runs
from detectors.telemetry.records import Format
from detectors.telemetry.rejects import Code, Place, Tally
from detectors.telemetry.tracking import SCANS

_REPEATED: Final = "session_id"
"""The id that so many rows share that it is better left in its dictionary."""

_FEW_ROWS: Final = 64 * 1024
"""Row groups that are smaller are decoded together."""

_TEXTS: Final = (Kind.TEXT, Kind.STATE, Kind.CODE, Kind.TIME)


def decode_parquet(stream: BinaryIO, size: int, beacons: Format, limits: Limits) -> Iterator[Task]:
    """Parts of at most `limits.block_rows` rows, read and still to be made; the offset of a reject is its row, from 0.

    Args:
      stream: The file, seekable.
      size: Its bytes on disk.
      beacons: How beacons are read.
      limits: Bounds on what it may expand to.

    Raises:
      DamagedError: The file is cut or corrupt, is a bomb, or is in no canonical
        format; every slice before the damage has been yielded.
    """
    try:
        schema = pq.read_schema(stream)
        form = form_of(schema, beacons)
        stream.seek(0)
        whole = pq.ParquetFile(stream)
        _refuse_rows(whole.metadata, size, limits)
        names = [name for name in schema.names if name in {field.name for field in form.fields}]
        read = leaves(whole.schema, names).values()
        # Text is read as dictionaries: a long text repeated a million times is held once.
        texts = [leaf.path for leaf in read if leaf.is_text]
        file = pq.ParquetFile(stream, metadata=whole.metadata, read_dictionary=texts)
    except (pa.ArrowException, OSError, ValueError) as error:
        _pass_on_failure_to_read(error)
        raise DamagedError(
            Code.TRUNCATED_FILE, "The Parquet file is cut or damaged: its footer cannot be read, so no row can."
        ) from None
    yield partial(_other_columns, [name for name in schema.names if name not in names], file.metadata.num_rows, limits)
    first = 0
    plan = runs(stream, file.metadata, read, limits)
    for batch in _until_damage(_batches(file, plan, [leaf.path for leaf in read])):
        yield partial(part_of, batch, first, form, limits)
        first += batch.num_rows


def _other_columns(names: Iterable[str], rows: int, limits: Limits) -> Part:
    """Columns of other names are counted once a row."""
    left_out = Tally(limits)
    reason = "The format has no such field; it was left out and the records kept."
    for name in names if rows else ():
        left_out.add(name, Code.UNKNOWN_FIELD, reason, (None, 0), rows)
    return Part(Block(), 0, left_out)


def _batches(file: pq.ParquetFile, plan: Iterable[Run], paths: list[str]) -> Iterator[pa.RecordBatch]:
    """All rows, a run of row groups after the other.

    Raises:
      DamagedError: There are fewer rows than the footer says, of which Arrow says nothing.
    """
    for run in plan:
        batches = file.iter_batches(run.rows, row_groups=run.groups, columns=paths, use_threads=False)
        missing = sum(file.metadata.row_group(group).num_rows for group in run.groups)
        for batch in _joined(batches, min(run.rows, _FEW_ROWS)) if len(run.groups) > 1 else batches:
            missing -= batch.num_rows
            yield batch
        if missing:
            raise DamagedError(Code.CORRUPT_FILE, f"The Parquet file is damaged: {missing} of its rows are not in it.")


def _joined(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `rows` or more: Arrow begins one with every dictionary, and each costs its time."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        if count >= rows:
            yield from _as_one(held)
            held, count = [], 0
    yield from _as_one(held)


def _as_one(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if len(batches) > 1:
        batches = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()
    yield from batches


def _until_damage(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same, where what Arrow makes of damage is said in words of ours."""
    first = 0
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError, ValueError) as error:
            _pass_on_failure_to_read(error)
            raise DamagedError(
                Code.CORRUPT_FILE, f"The Parquet file is damaged: it cannot be read from row {first} on."
            ) from None
        if batch is None:
            return
        yield batch
        first += batch.num_rows


def _pass_on_failure_to_read(error: Exception) -> None:
    """Arrow reports damage as OSError too, but only the operating system numbers its errors: those stop the run."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error


def form_of(schema: pa.Schema, beacons: Format, holder: str = "Parquet file") -> Format:
    """The format whose id, the first of its fields, is a column of the file; `holder` is what reasons call it.

    Raises:
      DamagedError: There is none, or it lacks another column that the format requires.
    """
    formats = (CONTACTS, beacons, SCANS)  # in the order in which JSON Lines are tried for them
    form = next((form for form in formats if form.fields[0].name in schema.names), None)
    if form is None:
        ids = ", ".join(form.fields[0].name for form in formats)
        raise DamagedError(Code.NOT_RECOGNISED, f"The {holder} holds no known records: it has no column of {ids}.")
    for field in form.fields:
        if field.required and field.name not in schema.names:
            reason = f"The {holder} holds no {form.noun}: it has no column {field.name}."
            raise DamagedError(Code.NOT_RECOGNISED, reason)
    return form


def _refuse_rows(metadata: pq.FileMetaData, size: int, limits: Limits) -> None:
    """Rows may take next to nothing on disk, but each takes its place in memory and its time."""
    if metadata.num_rows > size * limits.expansion_ratio + limits.expansion_floor_rows:
        raise bomb(limits)


def _known(names: Iterable[str], form: Format) -> dict[str, Field]:
    """The columns of the file that the format knows."""
    fields = {field.name: field for field in form.fields}
    return {name: fields[name] for name in names if name in fields}


def part_of(batch: pa.RecordBatch, first: int, form: Format, limits: Limits) -> Part:
    """The rows and rejects of a slice whose first row is row `first` of its file.

    Raises:
      DamagedError: A column refers to texts that the file does not hold.
    """

    def place(row: int) -> Place:
        return None, first + row

    faults: list[Fault] = []
    fields = _known(batch.schema.names, form).values()
    columns = [c for c in (_column(batch, field, limits, faults) for field in fields) if c is not None]
    frame = pl.DataFrame(columns) if columns else pl.DataFrame(height=batch.num_rows)
    judged = form.judged(frame, limits, plain=True)
    checked = Checked(judged.frame, (*faults, *judged.faults), judged.slips)
    left_out = Tally(limits)
    count_slips(checked, place, left_out)
    return Part(settle(checked, place, slot=form.slot), batch.num_rows, left_out)


def _column(batch: pa.RecordBatch, field: Field, limits: Limits, faults: list[Fault]) -> pl.Series | None:
    """One column in the types of `jsonlines.Objects.frame`; values of another type become null and a fault."""
    array = batch.column(field.name)
    if pa.types.is_null(array.type):
        return None
    if isinstance(array, pa.DictionaryArray) and _holds_text(field, array.type.value_type):
        return _from_dictionary(array, field, limits, faults)
    series = _converted(array, field)
    given = np.asarray(array.is_valid())
    kept = series.is_not_null().to_numpy() if series is not None else np.zeros(len(array), bool)
    if bool((given & ~kept).any()):
        reason = f"The field {field.name} holds a value of a type that does not suit it."
        faults.append(Fault(given & ~kept, Code.WRONG_TYPE, field.name, reason))
    return series


def _converted(array: "pa.Array[Any]", field: Field) -> pl.Series | None:
    """The values in the field's type, null where they have none; null where the whole type is another."""
    kind, type_ = field.kind, array.type
    series: pl.Series | None = None
    if kind in (Kind.FLAG, Kind.MARK):
        series = pl.Series(array) if pa.types.is_boolean(type_) else None
        if kind is Kind.MARK and pa.types.is_struct(type_):
            series = pl.Series(np.asarray(array.is_valid()))
    elif kind is Kind.TIME and pa.types.is_timestamp(type_):
        series = pl.Series(array).dt.timestamp("ms")
    elif pa.types.is_integer(type_):
        wanted = pl.Float64 if kind is Kind.NUMBER else pl.Int64
        series = pl.Series(array).cast(wanted, strict=False) if kind not in (Kind.TEXT, Kind.STATE) else None
    elif kind is Kind.NUMBER and (pa.types.is_floating(type_) or pa.types.is_decimal(type_)):
        series = pl.Series(array).cast(pl.Float64)
    elif kind is Kind.WHOLE and pa.types.is_floating(type_):
        numbers = pl.Series(array)
        whole = numbers.cast(pl.Int64, strict=False)
        series = pl.select(pl.when(whole == numbers).then(whole)).to_series()
    return series.alias(field.name) if series is not None else None


def _from_dictionary(
    array: "pa.DictionaryArray[Any, Any]", field: Field, limits: Limits, faults: list[Fault]
) -> pl.Series:
    """Text of a dictionary, each of its words judged once and cut where it is far too long, then given to every row."""
    words = array.dictionary
    broken = np.zeros(len(words), bool)
    try:
        words.validate(full=True)
        words = words.cast(pa.large_string())
    except pa.ArrowInvalid:
        words, broken = _mended(words)
    words = pc.utf8_slice_codeunits(words, 0, limits.id_characters + 1)
    index = pl.Series(array.indices)
    if not index.drop_nulls().is_between(0, len(words) - 1).all():
        reason = f"The Parquet file is damaged: the column {field.name} refers to texts that it does not hold."
        raise DamagedError(Code.CORRUPT_FILE, reason)
    found: list[Fault] = []
    if broken.any():
        found.append(Fault(broken, Code.NOT_UTF8, field.name, f"The field {field.name} is not UTF-8 text."))
    texts = pl.Series(field.name, words, dtype=pl.String)
    if field.kind in (Kind.TEXT, Kind.CODE):
        texts = judge_text(texts, limits, found, plain=False)
    for fault in found:
        mask = pl.Series(fault.mask).gather(index).fill_null(value=False)
        faults.append(replace(fault, mask=mask.to_numpy()))
    if field.name == _REPEATED:
        return texts.cast(pl.Categorical).gather(index)
    name = field.name + TEXT_FORM if field.kind in (Kind.TIME, Kind.CODE) else field.name
    return texts.gather(index).alias(name)


def _holds_text(field: Field, type_: pa.DataType) -> bool:
    """Text in a field that may be text, also where its writer did not mark it as such."""
    return field.kind in _TEXTS and any(
        suits(type_)
        for suits in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def _mended(words: "pa.Array[Any]") -> "tuple[pa.Array[Any], Bools]":
    """The words that are UTF-8, null for the others, and which those are."""
    mended: list[str | None] = []
    for word in words.cast(pa.large_binary()).to_pylist():
        try:
            mended.append(word.decode("utf-8") if word is not None else None)
        except UnicodeDecodeError:
            mended.append(None)
    return pa.array(mended, pa.large_string()), np.array([word is None for word in mended], bool)
