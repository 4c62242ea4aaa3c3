import datetime as dt
import errno
import gzip
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from detectors.telemetry.beacons import BEACONS
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.decode import decode
from detectors.telemetry.limits import DEFAULT_LIMITS, Limits
from detectors.telemetry.parquet import part_of
from tests.detectors.telemetry.reading import NOW, Json, Read, a_beacon, a_contact, a_scan, jsonl

SESSIONS = ["s-1", "s-2", "s-3"]


def a_table(columns: Mapping[str, Sequence[object]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), stream)
    return stream.getvalue()


def parquet(rows: int = 3, /, **columns: "pa.Array[Any] | Sequence[object]") -> bytes:
    given: dict[str, Any] = {"session_id": (SESSIONS * rows)[:rows], "event_time": [NOW] * rows, **columns}
    return a_table(given)


def test_columns_become_events() -> None:
    read = Read(parquet(state=["playing", None, "stalled"], bitrate_kbps=pa.array([900, None, 150], pa.int16())))

    assert read.sessions == SESSIONS
    assert read.events["state"].to_list() == ["playing", None, "stalled"]
    assert read.events["bitrate_kbps"].to_list() == [900.0, None, 150.0]
    assert read.events["channel"].unique().to_list() == [0]


def test_parquet_and_json_lines_give_the_same_events() -> None:
    fields: dict[str, Json] = {
        "state": "paused",
        "error_code": "E-1",
        "fatal": False,
        "frame_rate": 23.976,
        "position_ms": 5,
    }

    assert Read(parquet(1, **{k: [v] for k, v in fields.items()})).event() == Read(jsonl([a_beacon(**fields)])).event()


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(pa.array([NOW], pa.int64()), id="int64"),
        pytest.param(pa.array([NOW], pa.uint64()), id="uint64"),
        pytest.param(pa.array(["2026-11-21T19:56:50.509Z"]), id="text"),
        pytest.param(pa.array([NOW], pa.timestamp("ms")), id="milliseconds"),
        pytest.param(pa.array([NOW * 1000], pa.timestamp("us", "Asia/Tokyo")), id="zoned microseconds"),
        pytest.param(pa.array([NOW * 1_000_000], pa.timestamp("ns", "UTC")), id="nanoseconds"),
    ],
)
def test_times_may_be_numbers_text_or_timestamps(times: "pa.Array[Any]") -> None:
    assert Read(parquet(1, event_time=times)).event()["event_time"] == NOW


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        pytest.param("session_id", ["s-1", None, "s-3"], "missing_field", id="no session"),
        pytest.param("session_id", ["s-1", "", "s-3"], "missing_field", id="empty session"),
        pytest.param("session_id", ["s-1", "x" * 60_000, "s-3"], "id_too_long", id="endless session"),
        pytest.param("session_id", ["s-1", "a\nb", "s-3"], "control_character", id="line feed"),
        pytest.param("session_id", [b"s-1", b"\xff", b"s-3"], "not_utf8", id="bytes"),
        pytest.param("event_time", [NOW, None, NOW], "missing_field", id="no time"),
        pytest.param("event_time", [NOW, 12, NOW], "out_of_range", id="1970"),
        pytest.param("stall_ms", [1, -1, 1], "out_of_range", id="negative"),
        pytest.param("stall_ms", [1.0, 1.5, None], "wrong_type", id="half"),
        pytest.param("stall_ms", [1.0, float("nan"), None], "wrong_type", id="nan for whole number"),
        pytest.param("buffer_ms", [1.0, float("nan"), None], "out_of_range", id="nan"),
        pytest.param("buffer_ms", [1.0, float("inf"), None], "out_of_range", id="infinity"),
        pytest.param("buffer_ms", [Decimal("1.5"), Decimal("-1.5"), None], "out_of_range", id="decimal"),
        pytest.param("height", [None, "1080", None], "wrong_type", id="text for number"),
        pytest.param("height", [None, True, None], "wrong_type", id="bool for number"),
        pytest.param("fatal", [None, 1, None], "wrong_type", id="number for flag"),
        pytest.param("cdn", [None, 7, None], "wrong_type", id="number for text"),
        pytest.param("cdn", [None, {"a": 1}, None], "wrong_type", id="record for text"),
        pytest.param("event_time", [dt.date(2026, 1, 1)] * 3, "wrong_type", id="days"),
        pytest.param("cdn", [None, "a\nb", "edge"], "control_character", id="line feed beside null"),
        pytest.param("state", ["playing", "resting", None], "unknown_value", id="state"),
    ],
)
def test_a_faulty_row_is_rejected_alone(name: str, values: list[object], code: str) -> None:
    read = Read(parquet(**{name: values}))

    assert set(read.codes) == {code}
    assert read.records == 3
    rows = [0, 1, 2] if values[0] == values[1] else [1]
    assert read.rejects.select("line", "offset", "field").rows() == [(None, row, name) for row in rows]


def test_whole_decimals_are_whole_numbers() -> None:
    assert Read(parquet(1, stall_ms=[9000.0])).event()["stall_ms"] == 9000


def test_rows_are_numbered_through_the_file_and_read_in_slices() -> None:
    read = Read(parquet(1_000, stall_ms=[-1 if row == 777 else 0 for row in range(1_000)]), Limits(block_rows=300))

    assert [block.record_count for block in read.blocks] == [300, 300, 300, 100]
    assert read.rejects["offset"].to_list() == [777]


def test_columns_of_other_names_are_left_out_and_counted() -> None:
    read = Read(parquet(mood=["a", "b", "c"]))

    assert read.events.height == 3
    assert read.ignored == [("mood", "unknown_field", 3)]


def test_a_compressed_parquet_file_is_unpacked_within_bounds() -> None:
    assert Read(gzip.compress(parquet())).sessions == SESSIONS
    assert Read(gzip.compress(parquet()), Limits(wrapped_parquet_bytes=10)).codes == ["decompression_bomb"]


@pytest.mark.parametrize("kept", [4, 12, 200, -1])
def test_a_cut_file_is_one_reject(kept: int) -> None:
    read = Read(parquet()[:kept])

    assert read.codes == ["truncated_file"]
    assert read.records == 1


def test_a_damaged_page_is_one_reject() -> None:
    damaged = bytearray(parquet(5_000, position_ms=list(range(5_000))))
    damaged[40:400] = bytes(360)

    read = Read(bytes(damaged))

    assert read.codes[-1] == "corrupt_file"


def test_a_source_that_cannot_be_read_is_no_reject() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if size is None or size > 4:  # the magic bytes still came through
                raise OSError(errno.EIO, "the disk is gone")
            return super().read(size)

    with pytest.raises(OSError, match="the disk is gone"):
        list(decode(Broken(parquet()), "night.parquet"))


def test_a_text_that_the_file_does_not_hold_is_damage() -> None:
    whole = pa.DictionaryArray.from_arrays(pa.array([0, 7, 0], pa.int32()), pa.array(["edge"]), safe=False)
    batch = pa.record_batch({"session_id": pa.array(SESSIONS), "cdn": whole})

    with pytest.raises(DamagedError) as damage:
        part_of(batch, 0, BEACONS, DEFAULT_LIMITS)
    assert damage.value.code == "corrupt_file"


def test_scans_and_contacts_may_come_in_parquet() -> None:
    scans = [a_scan(depot="RENO, NV", lat=1.5), a_scan(status="sat_upon"), a_scan(lat=91.0)]
    contacts = [a_contact(order_line_id="l-1", text="Rick"), a_contact(topic="weather", text="Ilsa")]

    for records in (scans, contacts):
        names = list(dict.fromkeys(name for record in records for name in record))
        read, lines = Read(a_table({name: [r.get(name) for r in records] for name in names})), Read(jsonl(records))

        assert_frame_equal(read.scans, lines.scans)
        assert_frame_equal(read.contacts, lines.contacts)
        assert (read.codes, read.ignored) == (lines.codes, lines.ignored)


@pytest.mark.parametrize(
    "declarations",
    [
        pytest.param([True, False, None], id="flags"),
        pytest.param([{"reason": "did_not_occur"}, None, None], id="records"),
    ],
)
def test_a_scan_may_be_taken_back(declarations: list[object]) -> None:
    read = Read(a_table({**{k: [v] * 3 for k, v in a_scan().items()}, "error_declaration": declarations}))

    assert read.scans["reason"].to_list() == ["did_not_occur", None, None]


def test_the_ids_of_sessions_stay_in_their_dictionary() -> None:
    blocks = list(decode(io.BytesIO(parquet()), "night.parquet"))

    assert [block.events.schema["session_id"] for block in blocks] == [pl.Categorical]


def test_a_file_without_beacons_is_one_reject() -> None:
    assert Read(a_table({"session": ["s"]})).codes == ["not_recognised"]
    assert Read(a_table({"session_id": ["s"]})).codes == ["not_recognised"]


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(Limits(expansion_ratio=0, expansion_floor_bytes=10), id="bytes"),
        pytest.param(Limits(expansion_ratio=0, expansion_floor_rows=10), id="rows"),
    ],
)
def test_a_bomb_is_not_read(limits: Limits) -> None:
    assert Read(parquet(100), limits).codes == ["decompression_bomb"]


def test_a_long_text_repeated_takes_no_memory_for_its_repeats() -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["x" * 60_000]))

    read = Read(parquet(50_000, customer_id=text))  # three gigabytes if each row held its own

    assert set(read.codes) == {"id_too_long"}
    assert read.records == 50_000
