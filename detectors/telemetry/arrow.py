"""Canonical records as Arrow batches: an IPC stream or file, as message brokers carry them."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from detectors.telemetry.arrow_layout import CONTINUES, readable
from detectors.telemetry.block import Block
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.limits import Limits
from detectors.telemetry.parquet import block_of, form_of
from detectors.telemetry.records import Format
from detectors.telemetry.rejects import Code, Tally

_FILE: Final = b"ARROW1"
_ALIGNED: Final = 8


def is_arrow(head: bytes) -> bool:
    """Whether bytes that begin so are an Arrow stream or file."""
    return head.startswith((CONTINUES, _FILE))


def decode_arrow(data: bytes, beacons: Format, limits: Limits, tally: Tally) -> Iterator[tuple[Block, int]]:
    """Blocks of at most `limits.block_rows` rows, each with how many; the offset of a reject is its row, from 0.

    Args:
      data: A whole stream or file.
      beacons: How beacons are read.
      limits: Bounds on what it may expand to.
      tally: Counts columns of other names, once a row.

    Raises:
      DamagedError: The batches are cut or corrupt, expand like a bomb, or are in no
        canonical format; every batch before the damage has been yielded.
    """
    # A file is a stream between two marks.
    stream = data[_ALIGNED:] if data.startswith(_FILE) else data
    stretch = readable(stream, max(len(data) * limits.expansion_ratio, limits.expansion_floor_bytes))
    first = 0
    try:
        for batch in pa.ipc.open_stream(pa.py_buffer(stream[: stretch.bytes])):
            for rows in _checked(batch, limits):
                yield _decoded(rows, first, beacons, limits, tally), rows.num_rows
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


def _decoded(batch: pa.RecordBatch, first: int, beacons: Format, limits: Limits, tally: Tally) -> Block:
    form = form_of(batch.schema, beacons, "Arrow batch")
    known = {field.name for field in form.fields}
    for name in batch.schema.names:
        if name not in known:
            reason = "The format has no such field; it was left out and the records kept."
            tally.add(name, Code.UNKNOWN_FIELD, reason, (None, first), batch.num_rows)
    # Text is judged in dictionaries, each of its words once.
    columns = [pc.dictionary_encode(each) if _is_text(each.type) else each for each in batch.columns]
    return block_of(pa.RecordBatch.from_arrays(columns, names=batch.schema.names), first, form, limits, tally)


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _damaged() -> DamagedError:
    return DamagedError(
        Code.CORRUPT_FILE, "The Arrow batches are cut or damaged; what follows the damage was not read."
    )
