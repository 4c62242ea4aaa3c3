"""Arrow batches, as brokers carry them: the same records as in any other form, and damage is a reject."""

import io
from collections.abc import Callable
from itertools import chain
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pytest

from detectors import schemas
from detectors.telemetry.arrow import decode_arrow
from detectors.telemetry.beacons import BEACONS
from detectors.telemetry.block import Block
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.limits import DEFAULT_LIMITS, Limits
from detectors.telemetry.rejects import Tally
from tests.detectors.telemetry.reading import NOW, Read

EVENING = pl.DataFrame(
    {
        "session_id": [f"s{number % 7}" for number in range(300)],
        "event_time": [NOW + number for number in range(300)],
        "state": ["playing", None, "paused"] * 100,
        "bitrate_kbps": [1_500.5] * 300,
        "fatal": [True, False, None] * 100,
    }
)


def as_stream(table: pa.Table, compression: Literal["zstd", "lz4"] | None = None, rows: int = 100) -> bytes:
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return buffer.getvalue()


def as_file(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def in_dictionaries(table: pa.Table) -> pa.Table:
    column = table["session_id"].cast(pa.string()).combine_chunks()
    return table.set_column(0, "session_id", pa.chunked_array([column.dictionary_encode()]))


def blocks_of(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[Block]:
    return [part.block for part in decode_arrow(data, BEACONS, limits)]


def events_of(blocks: list[Block]) -> pl.DataFrame:
    return pl.concat([schemas.complete(block.events, schemas.EVENTS) for block in blocks])


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(as_stream, id="a stream"),
        pytest.param(lambda table: as_stream(table, "zstd"), id="zstd"),
        pytest.param(lambda table: as_stream(table, "lz4"), id="lz4"),
        pytest.param(lambda table: as_stream(in_dictionaries(table)), id="dictionaries"),
        pytest.param(as_file, id="a file"),
    ],
)
def test_arrow_batches_hold_what_json_lines_hold(written: Callable[[pa.Table], bytes]) -> None:
    expected = Read(EVENING.write_ndjson().encode()).events

    assert events_of(blocks_of(written(EVENING.to_arrow()))).equals(expected)


def test_a_bad_row_is_a_reject_with_its_number_in_all_batches() -> None:
    bad = EVENING.with_columns(pl.when(pl.col("event_time") != NOW + 250).then("event_time"))
    rejects = list(chain.from_iterable(block.rejects for block in blocks_of(as_stream(bad.to_arrow()))))

    assert [(reject.offset, reject.code) for reject in rejects] == [(250, "missing_field")]


def test_a_column_of_another_name_is_counted_once_a_row() -> None:
    tally = Tally(DEFAULT_LIMITS)
    data = as_stream(EVENING.with_columns(mood=pl.lit("fine")).to_arrow())
    for part in decode_arrow(data, BEACONS, DEFAULT_LIMITS):
        tally.take(part.left_out)

    assert [(reject.name, reject.count) for reject in tally.rejects()] == [("mood", 300)]


def test_what_is_cut_gives_what_came_before_and_then_damage() -> None:
    given = decode_arrow(as_stream(EVENING.to_arrow())[:-400], BEACONS, DEFAULT_LIMITS)

    assert [next(given).records, next(given).records] == [100, 100]
    with pytest.raises(DamagedError, match="cut or damaged"):
        next(given)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        pytest.param(pa.table({"colour": ["red"]}), "no known records", id="nothing known"),
        pytest.param(pa.table({"session_id": ["a"]}), "no column event_time", id="no time"),
    ],
)
def test_a_batch_of_something_else_is_told_in_words(table: pa.Table, reason: str) -> None:
    with pytest.raises(DamagedError, match=f"The Arrow batch holds.*{reason}"):
        blocks_of(as_stream(table))


def test_a_name_twice_is_damage() -> None:
    table = pa.Table.from_arrays(
        [pa.array(["a"]), pa.array(["a"]), pa.array([NOW])], ["session_id"] * 2 + ["event_time"]
    )
    with pytest.raises(DamagedError, match="one name"):
        blocks_of(as_stream(table))


def test_batches_that_expand_too_far_are_not_read() -> None:
    table = pa.table({"session_id": ["a" * 150] * 100_000, "event_time": [NOW] * 100_000})
    limits = Limits(expansion_floor_bytes=1_000_000, expansion_ratio=10)
    with pytest.raises(DamagedError, match="expand"):
        blocks_of(as_stream(table, "zstd", 100_000), limits)


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(pa.nulls(10_000_000), id="null"),
        pytest.param(pa.nulls(10_000_000, pa.run_end_encoded(pa.int32(), pa.int64())), id="one run"),
    ],
)
def test_rows_that_take_no_space_are_not_believed(nothing: "pa.Array[Any]") -> None:
    batch = pa.RecordBatch.from_arrays([nothing, nothing], ["session_id", "event_time"])
    with pytest.raises(DamagedError, match="more rows than"):
        blocks_of(as_stream(pa.Table.from_batches([batch]), rows=10_000_000))


def test_a_type_that_no_field_has_is_a_reject_a_row() -> None:
    lists = pa.array([["a"]] * 3)
    table = pa.table({"session_id": ["a"] * 3, "event_time": [NOW] * 3, "bitrate_kbps": lists})
    (block,) = blocks_of(as_stream(table))

    assert [reject.code for reject in block.rejects] == ["wrong_type"] * 3


def in_views(texts: list[str | None]) -> pa.Table:
    return pa.table({"session_id": pa.array(texts).cast(pa.string_view()), "event_time": [NOW] * len(texts)})


def test_text_in_views_is_text() -> None:
    (block,) = blocks_of(as_stream(in_views(["a" * 100, None, "b"]), "zstd"), Limits(block_rows=100))

    assert block.events["session_id"].to_list() == ["a" * 100, "b"]
    assert [reject.code for reject in block.rejects] == ["missing_field"]


def test_views_of_one_long_text_are_not_made_many_of_it() -> None:
    view = (100).to_bytes(4, "little") + b"aaaa" + bytes(8)  # length, first letters, which buffer, where in it
    buffers = [None, pa.py_buffer(view * 100), pa.py_buffer(b"a" * 100)]
    views = pa.Array.from_buffers(pa.string_view(), 100, buffers)
    table = pa.table({"session_id": views, "event_time": [NOW] * 100})
    with pytest.raises(DamagedError, match="too long to be held"):
        blocks_of(as_stream(table), Limits(parquet_block_bytes=9_999))


def test_files_of_batches_are_read_like_any_other() -> None:
    expected = Read(EVENING.write_ndjson().encode()).events
    whole, cut = Read(as_file(EVENING.to_arrow())), Read(as_stream(EVENING.to_arrow())[:-400])

    assert whole.events.equals(expected)
    assert (cut.events.height, cut.codes) == (200, ["corrupt_file"])


def test_a_file_too_large_for_memory_is_a_reject() -> None:
    assert Read(as_file(EVENING.to_arrow()), Limits(wrapped_parquet_bytes=1_000)).codes == ["document_too_long"]


def test_a_batch_too_large_for_memory_is_not_read() -> None:
    with pytest.raises(DamagedError, match="expand"):
        blocks_of(as_file(EVENING.to_arrow()), Limits(parquet_block_bytes=1_000))


def test_large_batches_are_cut_into_blocks() -> None:
    blocks = blocks_of(as_file(EVENING.to_arrow()), Limits(block_rows=64))

    assert [block.events.height for block in blocks] == [64, 64, 64, 64, 44]
