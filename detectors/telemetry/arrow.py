"""Canonical records as Arrow batches: an IPC stream or file, as message brokers carry them and exporters write them."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.telemetry.arrow_layout import CONTINUES, readable
from detectors.telemetry.block import Part
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.limits import Limits
from detectors.telemetry.parquet import form_of, part_of
from detectors.telemetry.records import Format
from detectors.telemetry.rejects import Code, Tally

_FILE: Final = b"ARROW1"
_ALIGNED: Final = 8


def is_arrow(head: bytes) -> bool:
    """Whether bytes that begin so are an Arrow stream or file."""
    return head.startswith((CONTINUES, _FILE))


def is_arrow_end(tail: bytes) -> bool:
    """Whether an Arrow stream or file may end so."""
    return tail.endswith((_FILE, CONTINUES + b"\0\0\0\0"))


def read_arrow(stream: BinaryIO, beacons: Format, limits: Limits) -> Iterator[Part]:
    """The same as `decode_arrow`, of a file.

    Raises:
      DamagedError: As `decode_arrow`, or the file is larger than memory allows.
    """
    data = stream.read(limits.wrapped_parquet_bytes + 1)
    if len(data) > limits.wrapped_parquet_bytes:
        reason = "The Arrow file is too large to be held in memory: send it as several, or as Parquet."
        raise DamagedError(Code.DOCUMENT_TOO_LONG, reason)
    yield from decode_arrow(data, beacons, limits)


def decode_arrow(data: bytes, beacons: Format, limits: Limits) -> Iterator[Part]:
    """Parts of at most `limits.block_rows` rows; the offset of a reject is its row, from 0.

    Args:
      data: A whole stream or file.
      beacons: How beacons are read.
      limits: Bounds on what it may expand to.

    Raises:
      DamagedError: The batches are cut or corrupt, expand like a bomb, or are in no
        canonical format; every batch before the damage has been yielded.
    """
    # A file is a stream between two marks.
    stream = data[_ALIGNED:] if data.startswith(_FILE) else data
    most = max(len(data) * limits.expansion_ratio, limits.expansion_floor_bytes)
    stretch = readable(stream, most, limits.parquet_block_bytes)
    first = 0
    try:
        for batch in pa.ipc.open_stream(pa.py_buffer(stream[: stretch.bytes])):
            for rows in _checked(batch, limits):
                yield _decoded(rows, first, beacons, limits)
                first += rows.num_rows
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        raise _damaged() from None
    if not stretch.is_whole:
        raise _damaged()


def _checked(batch: pa.RecordBatch, limits: Limits) -> Iterator[pa.RecordBatch]:
    """The batch in slices, once it has been checked throughout."""
    batch.validate(full=True)
    if len(set(batch.schema.names)) < batch.num_columns:
        raise DamagedError(Code.CORRUPT_FILE, "Two columns of the Arrow batches have one name.")
    if batch.num_rows > batch.nbytes:
        # Every record has a time, and no way to write one is shorter; but rows of nothing take no space.
        raise DamagedError(Code.DECOMPRESSION_BOMB, "The Arrow batch has more rows than its bytes can hold.")
    for start in range(0, batch.num_rows, limits.block_rows):
        yield batch.slice(start, limits.block_rows)


def _decoded(batch: pa.RecordBatch, first: int, beacons: Format, limits: Limits) -> Part:
    form = form_of(batch.schema, beacons, "Arrow batch")
    known, others = {field.name for field in form.fields}, Tally(limits)
    for name in batch.schema.names:
        if name not in known:
            reason = "The format has no such field; it was left out and the records kept."
            others.add(name, Code.UNKNOWN_FIELD, reason, (None, first), batch.num_rows)
    # Text is judged in dictionaries, each of its words once.
    columns = [_in_dictionary(each, limits) for each in batch.columns]
    part = part_of(pa.RecordBatch.from_arrays(columns, names=batch.schema.names), first, form, limits)
    part.left_out.take(others)
    return part


def _in_dictionary(column: "pa.Array[Any]", limits: Limits) -> "pa.Array[Any]":
    """Text as a dictionary, anything else as it is.

    Raises:
      DamagedError: Its views show the same long text so often that it would not fit into memory.
    """
    if pa.types.is_string_view(column.type):
        # A view is sixteen bytes, of which the first four are the length of its text.
        views = np.frombuffer(memoryview(column.buffers()[1] or b""), np.int32)[::4][column.offset :][: len(column)]
        if int(views[np.asarray(column.is_valid())].sum(dtype=np.int64)) > limits.parquet_block_bytes:
            raise DamagedError(
                Code.DECOMPRESSION_BOMB, "The texts of an Arrow batch are too long to be held in memory."
            )
        column = column.cast(pa.large_string())
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return pc.dictionary_encode(column) if is_text else column


def _damaged() -> DamagedError:
    return DamagedError(
        Code.CORRUPT_FILE, "The Arrow batches are cut or damaged; what follows the damage was not read."
    )
