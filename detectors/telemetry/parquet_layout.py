"""Which columns of a Parquet file are read, and how many rows at once: planned so that memory stays flat."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import SEEK_END
from typing import BinaryIO, Final

import pyarrow.parquet as pq

from detectors.telemetry.containers import DamagedError
from detectors.telemetry.limits import Limits
from detectors.telemetry.parquet_footer import Chunk, chunks
from detectors.telemetry.parquet_pages import decompressed_bytes
from detectors.telemetry.rejects import Code

_TEXT: Final = "BYTE_ARRAY"
_FIXED_TEXT: Final = "FIXED_LEN_BYTE_ARRAY"
_DECIMAL: Final = "DECIMAL"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One column as it is stored.

    `path` names it and `index` counts it; `is_text` says that its values may be
    held once each; `width` is what each takes where they cannot, beyond a number's
    few bytes.
    """

    path: str
    index: int
    is_text: bool
    width: int


@dataclass(frozen=True, slots=True)
class Run:
    """Row groups that are read together, and how many rows at once."""

    groups: list[int]
    rows: int


def leaves(schema: pq.ParquetSchema, names: Sequence[str]) -> Mapping[str, Leaf]:
    """The stored column to read for each of `names`; of a record its first one, which shows where there is a record.

    Raises:
      DamagedError: A name stands twice, or its column holds lists, of which a few
        bytes can hold any number.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise _not_telemetry(f"has two columns {twice[0]}: which of them counts nobody can say")
    found: dict[str, Leaf] = {}
    for index in range(len(schema)):
        column = schema.column(index)
        name = column.path.partition(".")[0]
        if name in names and not column.max_repetition_level and (name not in found or column.path == name):
            is_text = column.physical_type == _TEXT and column.logical_type.type != _DECIMAL
            width = (column.length or 0) if column.physical_type == _FIXED_TEXT else 0
            found[name] = Leaf(column.path, index, is_text, width)
    lists = [name for name in names if name not in found]
    if lists:
        raise _not_telemetry(f"holds lists in its column {lists[0]}, which no field does")
    return found


def runs(stream: BinaryIO, metadata: pq.FileMetaData, read: Iterable[Leaf], limits: Limits) -> Iterator[Run]:
    """All row groups in their order, in runs that hold no more than `limits` allow at once.

    Raises:
      DamagedError: A page or a row group holds far more than the size of the file
        explains, or a page cannot be found; what came before has been yielded.
    """
    columns = tuple(read)
    most = stream.seek(0, SEEK_END) * limits.expansion_ratio + limits.expansion_floor_bytes
    groups: list[int] = []
    rows = held = 0
    for number, found in enumerate(_checked(chunks(stream), metadata)):
        group = metadata.row_group(number)
        try:
            weight = sum(
                _weight(stream, found[leaf.index], limits.page_bytes) + leaf.width * group.num_rows for leaf in columns
            )
            if weight > most:
                raise bomb(limits)
        except DamagedError:
            if groups:
                yield Run(groups, _at_once(rows, held, limits))
            raise
        groups.append(number)
        rows, held = rows + group.num_rows, held + weight
        if rows >= limits.block_rows or held >= limits.parquet_block_bytes:
            yield Run(groups, _at_once(rows, held, limits))
            groups, rows, held = [], 0, 0
    if groups:
        yield Run(groups, _at_once(rows, held, limits))


def bomb(limits: Limits) -> DamagedError:
    """The refusal of a file that holds too much for its size."""
    reason = f"The Parquet file holds more than {limits.expansion_ratio} times its size, which telemetry never does; "
    return DamagedError(Code.DECOMPRESSION_BOMB, reason + "the rest was not read.")


def _at_once(rows: int, held: int, limits: Limits) -> int:
    return min(limits.block_rows, max(1, rows * limits.parquet_block_bytes // max(held, 1)))


def _checked(found: list[list[Chunk]], metadata: pq.FileMetaData) -> list[list[Chunk]]:
    """The same; we read the footer ourselves, and must have understood it as Arrow does."""
    if [len(group) for group in found] != [metadata.num_columns] * metadata.num_row_groups:
        reason = "The Parquet file is damaged: its row groups do not have the columns that its schema names."
        raise DamagedError(Code.CORRUPT_FILE, reason)
    return found


def _weight(stream: BinaryIO, chunk: Chunk, page_bytes: int) -> int:
    """What a column of a row group takes in memory, beyond the numbers in it."""
    return decompressed_bytes(stream, chunk.start, chunk.stored_bytes, chunk.values, page_bytes)


def _not_telemetry(what: str) -> DamagedError:
    return DamagedError(Code.NOT_RECOGNISED, f"The Parquet file {what}.")
