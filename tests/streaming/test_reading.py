"""A source as an engine drives it: every record once, watermarks that hold, and marks that bring a reader back."""

from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP

from detectors import schemas
from pipelines.sources import SourceError
from pipelines.streaming.blocks import Block
from pipelines.streaming.marks import BeamReader
from pipelines.streaming.reading import FolderSource, ReadBlocks, StreamOptions, stream_source
from tests.streaming.test_folder import beacon, beacons
from tests.streaming.watching import NIGHT, unpacked

DISORDER_MS = 60_000
SMALL = 256 * 1024
"""Blocks of which these files have several."""
UNTIL_END = StreamOptions(disorder_ms=DISORDER_MS, until_end=True, block_bytes=SMALL)


def sessions_in(element: bytes) -> list[str]:
    return unpacked(Block.read(element).events, schemas.EVENTS)["session_id"].to_list()


def gave(expected: list[str]) -> Callable[[list[str]], None]:
    def check(given: list[str]) -> None:
        assert sorted(given) == sorted(expected)

    return check


def times_of(reader: BeamReader) -> list[tuple[int, int]]:
    """Of each block its timestamp and the watermark after it, in seconds from the beginning of the night."""
    times = []
    while reader.advance():
        stamps = (reader.get_current_timestamp(), reader.get_watermark())
        times.append(tuple((stamp.micros // 1_000 - NIGHT) // 1_000 for stamp in stamps))
    return [(first, second) for first, second in times]


def test_an_engine_reads_a_folder_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(beacons(0, 5_000))
    (tmp_path / "b.jsonl").write_bytes(beacons(5_000, 9_000))
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        blocks = pipeline | ReadBlocks(f"dir:{tmp_path}", UNTIL_END)
        assert_that(blocks | beam.FlatMap(sessions_in), gave([f"s{number}" for number in range(9_000)]))


def test_a_mark_brings_back_a_reader_where_the_other_was(tmp_path: Path) -> None:
    source = FolderSource(str(tmp_path), StreamOptions(block_bytes=1))
    (tmp_path / "a.jsonl").write_bytes(beacons(0, 5_000))
    first = source.create_reader(None, None)
    assert first.start()
    coder = source.get_checkpoint_mark_coder()
    mark = coder.decode(coder.encode(first.get_checkpoint_mark()))
    taken = sessions_in(first.get_current())
    first.close()

    second = source.create_reader(None, mark)
    assert second.start()
    both = taken + sessions_in(second.get_current())
    assert len(both) > len(taken) > 0
    assert both == [f"s{number}" for number in range(len(both))]
    second.close()


def test_an_idle_reader_gives_the_same_mark_so_that_an_engine_finds_it_again(tmp_path: Path) -> None:
    source = FolderSource(str(tmp_path), StreamOptions())
    (tmp_path / "a.jsonl").write_bytes(beacon("a"))
    reader = source.create_reader(None, None)
    assert reader.start()
    before = reader.get_checkpoint_mark()
    assert not reader.advance()

    assert reader.get_checkpoint_mark() == before
    reader.close()


def test_a_block_never_lies_before_what_was_promised(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(beacons(1_000, 9_000) + beacon("far behind", 0) + beacons(9_000, 9_500))
    reader = FolderSource(str(tmp_path), StreamOptions(DISORDER_MS, block_bytes=SMALL)).create_reader(None, None)
    assert reader.get_watermark() == MIN_TIMESTAMP
    times = times_of(reader)

    reached = [None, *(watermark for _, watermark in times)]
    assert times[0][0] == 1_000
    assert all(before is None or time >= before for (time, _), before in zip(times, reached, strict=False))
    assert times[-1][1] == 9_499 - DISORDER_MS // 1_000
    reader.close()


def test_what_has_no_time_travels_with_the_first_record_that_has_one(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "b.jsonl").write_bytes(beacon("b", 77))
    reader = FolderSource(str(tmp_path), UNTIL_END).create_reader(None, None)
    assert reader.start()
    block = Block.read(reader.get_current())

    assert (block.records, block.oldest) == (2, NIGHT + 77_000)
    assert reader.get_current_timestamp().micros == (NIGHT + 77_000) * 1_000
    assert unpacked(block.rejects, schemas.REJECTS)["source"].to_list() == [str(tmp_path / "a.parquet")]
    assert not reader.advance()
    assert reader.get_watermark() == MAX_TIMESTAMP
    reader.close()


def test_a_stream_that_begins_again_passes_over_what_is_settled(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(beacons(0, 9_000))
    options = StreamOptions(since_ms=NIGHT + 8_000_000, until_end=True, block_bytes=SMALL)
    reader = FolderSource(str(tmp_path), options).create_reader(None, None)
    given: list[str] = []
    while reader.advance():
        given += sessions_in(reader.get_current())

    assert given[-1] == "s8999"
    assert set(given) >= {f"s{number}" for number in range(8_000, 9_000)}
    assert len(given) < 6_000
    reader.close()


@pytest.mark.parametrize("url", ["", "dir:", "telemetry", "http://somewhere/", "kafka://", "kafka://host:9092"])
def test_a_url_that_names_no_source_is_told_in_one_sentence(url: str) -> None:
    with pytest.raises(SourceError, match="write dir:PATH or kafka://HOST:PORT/TOPIC"):
        stream_source(url)
