"""The footer of a Parquet file is read by ourselves, as Arrow reads it, and breaks nothing whatever it holds."""

import contextlib
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.telemetry.containers import DamagedError
from detectors.telemetry.parquet_footer import Chunk, chunks
from tests.detectors.telemetry.reading import NOW, Read
from tests.support.examples import examples

I64, LIST, STRUCT, STOP = 0x6, 0x9, 0xC, b"\0"
ONE_STRUCT = b"\x1c"


def a_file(**how: object) -> bytes:
    stream = io.BytesIO()
    table = pa.table(
        {"session_id": ["s"] * 90, "event_time": [NOW] * 90, "device": [{"name": f"d{n}"} for n in range(90)]}
    )
    pq.write_table(table, stream, row_group_size=40, **how)  # type: ignore[arg-type]  # any of its options
    return stream.getvalue()


def with_footer(footer: bytes) -> io.BytesIO:
    return io.BytesIO(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def metadata_of(*numbers: tuple[int, int]) -> bytes:
    """A footer with one chunk, of which these small numbers are told by field."""
    last, written = 0, b""
    for field, number in numbers:
        step = bytes([(field - last) << 4 | I64]) if field > last else bytes([I64, field << 1])
        written += step + bytes([number << 1])
        last = field
    chunk = bytes([3 << 4 | STRUCT]) + written + STOP + STOP
    group = bytes([1 << 4 | LIST]) + ONE_STRUCT + chunk + STOP
    return bytes([4 << 4 | LIST]) + ONE_STRUCT + group + STOP


@pytest.mark.parametrize("how", [{}, {"use_dictionary": False}, {"write_page_index": True, "compression": "gzip"}])
def test_chunks_lie_where_arrow_says(how: dict[str, object]) -> None:
    data = a_file(**how)
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]

    assert chunks(io.BytesIO(data)) == [
        [
            Chunk(chunk.dictionary_page_offset or chunk.data_page_offset, chunk.total_compressed_size, chunk.num_values)
            for chunk in (group.column(index) for index in range(group.num_columns))
        ]
        for group in groups
    ]


def test_one_damaged_byte_that_ended_the_process_is_a_reject() -> None:
    """It says that the times may not be missing, and the statistics of their column say that they may."""
    data = a_file()
    said, damaged = b"\x25\x02\x18\x0aevent_time", b"\x25\x18\x18\x0aevent_time"
    assert data.count(said) == 1

    read = Read(data.replace(said, damaged))

    assert (read.events.height, read.codes) == (0, ["corrupt_file"])


def test_what_a_footer_says_twice_is_not_believed() -> None:
    assert chunks(with_footer(metadata_of((5, 3), (7, 40), (9, 4)))) == [[Chunk(4, 40, 3)]]
    for twice in (((5, 3), (7, 40), (9, 4), (7, 1)), ((5, 3), (5, 1), (7, 40), (9, 4))):
        with pytest.raises(DamagedError):
            chunks(with_footer(metadata_of(*twice)))


@pytest.mark.parametrize("missing", [5, 7, 9])
def test_a_chunk_whose_place_is_not_told_is_damage(missing: int) -> None:
    told = [each for each in ((5, 3), (7, 40), (9, 4)) if each[0] != missing]

    with pytest.raises(DamagedError):
        chunks(with_footer(metadata_of(*told)))


@examples(300)
@given(st.binary(max_size=60))
def test_whatever_the_bytes_a_footer_is_read_or_refused(footer: bytes) -> None:
    with contextlib.suppress(DamagedError):
        chunks(with_footer(footer))


@examples(300)
@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_footer_is_a_reject_or_read_and_never_breaks_the_night(edits: list[tuple[int, int]]) -> None:
    data = bytearray(a_file())
    footer = 8 + int.from_bytes(data[-8:-4], "little")
    for place, byte in edits:
        data[-1 - place % footer] = byte

    Read(bytes(data))  # compares the sums itself
