"""Whole files: their containers, their damage, their bombs."""

import gzip
import io
import json
import zlib
from collections.abc import Callable

import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from detectors.telemetry.decode import decode
from detectors.telemetry.limits import Limits
from tests.detectors.telemetry.reading import Read, a_beacon, a_contact, a_report, a_scan, jsonl
from tests.detectors.telemetry.test_aftership import a_checkpoint, a_tracking
from tests.detectors.telemetry.test_easypost import a_detail, a_tracker, an_event
from tests.support.examples import examples

SMALL = Limits(block_bytes=2_000, expansion_floor_bytes=10_000)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def beacons(first: int, last: int) -> bytes:
    return jsonl([a_beacon(session_id=f"s-{number}") for number in range(first, last)])


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(bytes, id="plain"),
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(zstd, id="zstd"),
        pytest.param(lambda data: gzip.compress(data[:500]) + gzip.compress(data[500:]), id="gzip members"),
        pytest.param(lambda data: gzip.compress(data) + bytes(512), id="padded gzip"),
        pytest.param(lambda data: zstd(data[:500]) + zstd(data[500:]), id="zstd frames"),
    ],
)
def test_the_container_is_told_by_its_content(wrap: Callable[[bytes], bytes]) -> None:
    read = Read(wrap(beacons(0, 300)))

    assert read.sessions == [f"s-{number}" for number in range(300)]
    assert read.codes == []


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
def test_an_empty_file_gives_nothing(wrap: Callable[[bytes], bytes]) -> None:
    assert Read(wrap(b"")).blocks == []
    assert Read(wrap(b"\n\n")).records == 0


@pytest.mark.parametrize("wrap", [gzip.compress, zstd], ids=["gzip", "zstd"])
@pytest.mark.parametrize("missing", [1, 9, 2_000])
def test_a_cut_file_keeps_what_came_before_and_says_so_once(wrap: Callable[[bytes], bytes], missing: int) -> None:
    whole = wrap(
        b"".join(jsonl([a_beacon(session_id=f"s-{zlib.crc32(bytes([n % 256, n // 256]))}")]) for n in range(2_000))
    )

    read = Read(whole[:-missing])

    assert read.codes == ["truncated_file"]
    assert read.rejects["scope"].to_list() == ["file"]
    assert 0 <= read.events.height <= 2_000
    assert read.records == read.events.height + 1
    if missing == 1:
        assert read.events.height > 0


@pytest.mark.parametrize("wrap", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_a_corrupt_file_says_so_once(wrap: Callable[[bytes], bytes]) -> None:
    damaged = bytearray(wrap(beacons(0, 500)))
    damaged[-3] ^= 0xFF  # within the checksum

    assert Read(bytes(damaged)).codes == ["corrupt_file"]


def test_rubbish_after_a_gzip_member_says_so_once() -> None:
    read = Read(gzip.compress(beacons(0, 5)) + b"rubbish")

    assert read.codes == ["corrupt_file"]
    assert read.events.height == 5


def test_a_last_line_that_was_cut_is_one_reject() -> None:
    read = Read(beacons(0, 3)[:-20])

    assert read.codes == ["truncated_file"]
    assert read.sessions == ["s-0", "s-1"]
    assert read.records == 3


@pytest.mark.parametrize("wrap", [gzip.compress, zstd], ids=["gzip", "zstd"])
@pytest.mark.parametrize("filling", [b"\0", b"\n", beacons(0, 1)], ids=["one line", "blank lines", "beacons"])
def test_a_bomb_is_left_before_it_bursts(wrap: Callable[[bytes], bytes], filling: bytes) -> None:
    limits = Limits(block_bytes=100_000, expansion_ratio=10, expansion_floor_bytes=10_000)

    read = Read(wrap(beacons(0, 1) + filling * (20_000_000 // len(filling))), limits)

    assert "decompression_bomb" in read.codes
    assert set(read.codes) <= {"decompression_bomb", "record_too_long"}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), id="picture"),
        pytest.param(b"order,customer\n1,2\n", id="table"),
        pytest.param(b'{"order_id": "o-1"}\n', id="other json lines"),
        pytest.param(b'[\n{"x": "s"}\n]\n', id="json array"),
        pytest.param(b"[2026-11-21] GET /\n", id="other log"),
        pytest.param(b"<html></html>\n", id="page"),
        pytest.param(gzip.compress(gzip.compress(b"x")), id="twice compressed"),
    ],
)
def test_a_file_of_another_kind_is_one_reject(data: bytes) -> None:
    read = Read(data)

    assert read.codes == ["not_recognised"]
    assert read.records == 1
    assert read.events.height == 0


def test_a_file_is_known_by_its_first_telling_line() -> None:
    assert Read(b"{\n" + beacons(0, 2)).codes == ["not_json"]
    assert Read(b'{"note": 1}\n' + jsonl([a_report("e=t")])).events.height == 1


def test_large_files_are_read_in_blocks_that_join_without_a_seam() -> None:
    data = beacons(0, 500) + b"\n" + b"x" * 70_000 + b"\n" + beacons(500, 700) + b"not json\n" + beacons(700, 1_000)

    whole, parts = Read(data), Read(data, SMALL)

    assert len(parts.blocks) > 10
    assert parts.sessions == [f"s-{number}" for number in range(1_000)]
    assert parts.rejects.rows() == whole.rejects.rows()
    assert whole.rejects.select("line", "offset", "code").rows() == [
        (502, data.index(b"xxx"), "record_too_long"),
        (703, data.index(b"not json"), "not_json"),
    ]


@pytest.mark.parametrize("tail", [b"", b"\n"], ids=["cut", "ended"])
def test_an_endless_line_is_dropped_as_it_streams_by(tail: bytes) -> None:
    read = Read(beacons(0, 1) + b'{"session_id":"' + b"x" * 1_000_000 + tail, SMALL)

    assert read.codes == ["record_too_long"]
    assert read.rejects["line"].to_list() == [2]
    assert read.events.height == 1


def test_the_source_is_named_and_nothing_else() -> None:
    (block,) = decode(io.BytesIO(b"nonsense"), "gs://bucket/night.gz")

    assert block.rejects["source"].to_list() == ["gs://bucket/night.gz"]
    assert block.rejects.select(pl.col("reason").str.contains("nonsense")).item() is False


_FILES = {
    "beacons": beacons(0, 3) + jsonl([a_beacon(state="playing", bitrate_kbps=1.5, error_code="E", fatal=True)]),
    "collector": jsonl([a_report("e=ps,sta=p,br=(150;v 48;a),sn=1"), a_report("ec=(27)", mode="request")]),
    "records": b'e=ps,sid="s",sta=p,ts=1795291010509,v=2\ne=t,bl=(0;v),sid="s",ts=1795291010510,v=2\n',
    "query": b"CMCD=bl%3D1%2Csid%3D%22s%22\n" * 2,
    "w3c": b"#Fields: date time sc-status cs-uri-query\n2026-11-21\t19:56:50\t200\tCMCD=sid%3D%22s%22\n" * 2,
    "deliveries": jsonl([a_scan(), a_scan(reason="lost", error_declaration={}), a_contact(text="?"), a_beacon()]),
    "trackers": json.dumps([a_tracker(a_detail(), a_detail()), an_event()], indent=1).encode(),
    "trackings": json.dumps({"data": {"trackings": [a_tracking(a_checkpoint(), a_checkpoint())]}}).encode(),
    "access": jsonl([{"t": 1_795_291_010_509, "rawUrl": "/a?CMCD=sid%3D%22s%22", "status": 200}]),
}


@examples(90)
@given(
    st.sampled_from(sorted(_FILES)),
    st.sampled_from([bytes, gzip.compress, zstd]),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3)), max_size=4),
)
def test_no_damage_raises_and_every_record_is_accounted_for(
    kind: str, wrap: Callable[[bytes], bytes], edits: list[tuple[int, bytes, int]]
) -> None:
    data = wrap(_FILES[kind])
    for place, fresh, gone in edits:
        data = data[:place] + fresh + data[place + gone :]

    Read(data)  # compares the sums itself
