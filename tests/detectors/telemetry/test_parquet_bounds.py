"""A Parquet file is believed by its pages, not by its footer, and read no more at once than memory holds."""

import contextlib
import io
from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.telemetry.containers import DamagedError
from detectors.telemetry.limits import DEFAULT_LIMITS, Limits
from detectors.telemetry.parquet_pages import decompressed_bytes
from tests.detectors.telemetry.reading import NOW, Read
from tests.support.examples import examples

Codec = Literal["NONE", "SNAPPY", "GZIP", "ZSTD"]


def a_file(columns: Mapping[str, object], rows: int = 3, **how: Any) -> bytes:
    """The columns beside what a beacon must have."""
    stream = io.BytesIO()
    required: dict[str, object] = {"session_id": ["s"] * rows, "event_time": [NOW] * rows}
    pq.write_table(pa.table(required | dict(columns)), stream, **({"compression": "zstd"} | how))
    return stream.getvalue()


def varint(number: int, length: int = 0) -> bytes:
    """A zigzag number in Thrift's compact form; a longer form than needed means the same."""
    rest, written = number << 1, bytearray()
    while rest or not written:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written += b"\x80" * (length - len(written))
    written[-1] &= 0x7F
    return bytes(written)


def with_forged_footer(data: bytes, claimed: int) -> bytes:
    """The file, its first row group claiming to hold so many bytes."""
    true = varint(pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).total_byte_size)
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert data[footer:].count(true) == 1
    return data[:footer] + data[footer:].replace(true, varint(claimed, len(true)))


@pytest.mark.parametrize("codec", ["NONE", "SNAPPY", "GZIP", "ZSTD"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False], ids=["dictionary", "plain"])
def test_the_pages_come_to_what_an_honest_footer_says(codec: Codec, version: str, dictionary: bool) -> None:  # noqa: FBT001 - a parameter
    names = [f"device {number}" for number in range(5_000)]
    how = {"compression": codec, "data_page_version": version, "use_dictionary": dictionary, "data_page_size": 2_000}
    data = a_file({"device": names, "height": range(5_000)}, 5_000, **how)
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)

    for chunk in (group.column(index) for index in range(group.num_columns)):
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        held = decompressed_bytes(io.BytesIO(data), start, chunk.total_compressed_size, 5_000, 1_000_000)
        headers = chunk.total_uncompressed_size - held  # the footer counts them, too

        assert 0 < headers < 0.2 * chunk.total_uncompressed_size + 200


def test_a_page_that_holds_too_much_is_not_opened_whatever_the_footer_claims() -> None:
    long = a_file({"cdn": ["x" * 5_000_000] * 3}, use_dictionary=False)
    limits = Limits(page_bytes=1_000_000)

    assert Read(long, limits).codes == ["decompression_bomb"]
    assert Read(with_forged_footer(long, 1_000), limits).codes == ["decompression_bomb"]
    assert set(Read(long).codes) == {"id_too_long"}


@pytest.mark.parametrize(("held", "stored"), [(-1, 5), (5, -1)], ids=["held", "stored"])
def test_a_page_of_negative_size_is_damage(held: int, stored: int) -> None:
    zigzag = {5: b"\x0a", -1: b"\x01"}
    one_value = b"\x2c\x15\x02\x00"
    header = b"\x15\x00\x15" + zigzag[held] + b"\x15" + zigzag[stored] + one_value + b"\x00"

    with pytest.raises(DamagedError):
        decompressed_bytes(io.BytesIO(header), 0, len(header), 1, 1_000)


def test_row_groups_before_a_bomb_are_used() -> None:
    sizes = [10, 10, 2_000_000]
    columns = {"cdn": ["x" * size for size in sizes]}

    read = Read(a_file(columns, use_dictionary=False, row_group_size=1), Limits(page_bytes=1_000_000))

    assert (read.events.height, read.codes) == (2, ["decompression_bomb"])


def test_lists_of_which_a_few_bytes_hold_millions_are_not_read() -> None:
    lists = pa.ListArray.from_arrays([0, 0, 0, 5_000_000], pa.array([0] * 5_000_000, pa.int8()))

    assert Read(a_file({"cdn": lists})).codes == ["not_recognised"]


def test_of_a_record_only_so_much_is_read_as_shows_that_it_is_there() -> None:
    declared = pa.array([{"ids": ["e-1"], "reason": "did_not_occur"}, None, None])
    scans = {"tracking_number": ["1Z-1"] * 3, "status": ["delivered"] * 3, "error_declaration": declared}
    stream = io.BytesIO()
    pq.write_table(pa.table({**scans, "event_time": [NOW] * 3}), stream)

    assert Read(stream.getvalue()).scans["reason"].to_list() == ["did_not_occur", None, None]


def test_two_columns_of_one_name_are_one_reject() -> None:
    table = pa.Table.from_arrays(
        [pa.array(["a"]), pa.array(["b"]), pa.array([NOW])], ["session_id", "session_id", "event_time"]
    )
    stream = io.BytesIO()
    pq.write_table(table, stream)

    assert Read(stream.getvalue()).codes == ["not_recognised"]


def test_many_small_row_groups_are_decoded_together() -> None:
    columns = {"device": [f"device {number // 50}" for number in range(1_000)]}

    small = Read(a_file(columns, 1_000, row_group_size=10))

    assert len(small.blocks) == 1
    assert small.events["device"].to_list() == columns["device"]


def test_wide_rows_are_read_a_few_at_once() -> None:
    columns = {"cdn": [f"{number:05d}" + "x" * 10_000 for number in range(500)]}
    data = a_file(columns, 500, use_dictionary=False)

    read = Read(data, Limits(parquet_block_bytes=1_000_000))

    assert max(block.record_count for block in read.blocks) < 150
    assert (read.records, set(read.codes)) == (500, {"id_too_long"})


@examples(300)
@given(st.binary(max_size=60), st.integers(-5, 70), st.integers(0, 100))
def test_whatever_the_bytes_a_header_is_read_or_refused(data: bytes, start: int, values: int) -> None:
    with contextlib.suppress(DamagedError):
        assert decompressed_bytes(io.BytesIO(data), max(start, 0), len(data), values, 1_000) >= 0


@examples(200)
@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_file_is_rejected_or_read_and_never_breaks_the_night(edits: list[tuple[int, int]]) -> None:
    data = bytearray(a_file({"state": ["playing"] * 200, "buffer_ms": range(200)}, 200, row_group_size=50))
    for place, byte in edits:
        data[place % len(data)] = byte

    Read(bytes(data))  # compares the sums itself


def test_the_bounds_leave_room_for_what_writers_do() -> None:
    assert DEFAULT_LIMITS.page_bytes >= 50 * 1024 * 1024
    assert DEFAULT_LIMITS.parquet_block_bytes >= DEFAULT_LIMITS.page_bytes
