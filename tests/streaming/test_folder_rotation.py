"""Files that are renamed, cut, replaced, packed or taken away: each record is still read once."""

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import zstandard

from tests.streaming.test_folder import beacon, beacons
from tests.streaming.watching import NIGHT, Watched

SETTLED_MS = 2_500
PATIENCE_MS = 60_000
LINGER_MS = 5_500


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path) as watched:
        yield watched


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


@pytest.mark.parametrize("crashing", [False, True], ids=["the same reader", "another reader"])
def test_a_renamed_file_goes_on_under_its_new_name(watched: Watched, tmp_path: Path, *, crashing: bool) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacons(0, 3))
    watched.wait()
    if crashing:
        watched.crash()
    rotated = path.rename(tmp_path / "beacons.jsonl.1")
    append(rotated, beacon("last"))
    path.write_bytes(beacon("next"))
    watched.wait()

    assert sorted(watched.sessions) == ["last", "next", "s0", "s1", "s2"]


def test_what_is_written_to_a_file_after_it_was_taken_away_is_read_by_its_handle(
    watched: Watched, tmp_path: Path
) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacon("first"))
    watched.wait()
    with path.open("ab") as writer:
        path.rename(tmp_path / ".archived")
        watched.wait()
        writer.write(beacon("second") + beacon("third").rstrip())
        writer.flush()
        watched.wait()
        assert watched.sessions == ["first", "second"]
    watched.wait(LINGER_MS)
    watched.wait(LINGER_MS)

    assert watched.sessions == ["first", "second", "third"]
    assert not watched.reader.mark().positions


@pytest.mark.parametrize("crashing", [False, True], ids=["the same reader", "another reader"])
@pytest.mark.parametrize("length", [1, 40], ids=["shorter", "longer"])
def test_a_file_that_is_cut_and_begun_anew_is_read_from_its_beginning(
    watched: Watched, tmp_path: Path, length: int, *, crashing: bool
) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacons(0, 20))
    watched.wait()
    if crashing:
        watched.crash()
    path.write_bytes(beacons(100, 100 + length))
    watched.wait()

    assert watched.sessions == [f"s{n}" for n in (*range(20), *range(100, 100 + length))]


def test_a_file_under_the_inode_of_a_former_one_is_another_file(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacons(0, 20))
    watched.wait()
    mark = watched.reader.mark()
    watched.crash()
    path.write_bytes(beacons(50, 100))

    assert path.stat().st_ino == mark.positions[0].inode
    watched.wait()
    assert watched.sessions[20:] == [f"s{n}" for n in range(50, 100)]


@pytest.mark.parametrize("crashing", [False, True], ids=["the same reader", "another reader"])
def test_a_packed_file_whose_content_is_replaced_is_another_file(
    watched: Watched, tmp_path: Path, *, crashing: bool
) -> None:
    path = tmp_path / "beacons.jsonl.gz"
    path.write_bytes(gzip.compress(beacons(0, 20), mtime=1))
    watched.wait()
    watched.wait(SETTLED_MS)
    if crashing:
        watched.crash()
    path.write_bytes(gzip.compress(beacons(100, 200), mtime=2))
    watched.wait()
    watched.wait(SETTLED_MS)

    assert watched.sessions == [f"s{n}" for n in (*range(20), *range(100, 200))]


def test_a_folder_that_was_copied_elsewhere_is_not_read_again(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacons(0, 20))
    watched.wait()
    copy = tmp_path / ".copy"
    copy.write_bytes(path.read_bytes() + beacon("new"))
    copy.replace(path)
    watched.crash()
    watched.wait()

    assert watched.sessions[20:] == ["new"]


def frame(first: int, last: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "session_id": [f"s{number}" for number in range(first, last)],
            "event_time": [NIGHT + number * 1_000 for number in range(first, last)],
        }
    )


def parquet(first: int, last: int) -> bytes:
    buffer = io.BytesIO()
    frame(first, last).write_parquet(buffer)
    return buffer.getvalue()


def arrow(first: int, last: int) -> bytes:
    buffer = io.BytesIO()
    frame(first, last).write_ipc_stream(buffer)
    return buffer.getvalue()


def document(first: int, last: int) -> bytes:
    return json.dumps([json.loads(line) for line in beacons(first, last).splitlines()], indent=1).encode()


PACKED = {
    "gzip": lambda: gzip.compress(beacons(0, 1_000)),
    "zstd": lambda: zstandard.ZstdCompressor().compress(beacons(0, 1_000)),
    "parquet": lambda: parquet(0, 1_000),
    "arrow": lambda: arrow(0, 1_000),
    "document": lambda: document(0, 1_000),
    "parquet in gzip": lambda: gzip.compress(parquet(0, 1_000)),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_file_that_is_read_as_a_whole_is_taken_when_it_is_complete(
    watched: Watched, tmp_path: Path, kind: str
) -> None:
    content = PACKED[kind]()
    path = tmp_path / "beacons"
    path.write_bytes(content[:-20])
    assert watched.wait() == []
    assert watched.wait(SETTLED_MS) == []

    append(path, content[-20:])
    assert watched.wait() == []
    watched.wait(SETTLED_MS)
    assert watched.sessions == [f"s{n}" for n in range(1_000)]
    assert not watched.rejects.height


@pytest.mark.parametrize("kind", PACKED)
def test_a_reader_that_crashes_within_a_whole_file_goes_on_behind_its_last_block(
    watched: Watched, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "beacons").write_bytes(PACKED[kind]())
    watched.wait()
    watched.now += SETTLED_MS
    taken = [block.records for _ in range(3) if (block := watched.reader.advance()) is not None]
    for _ in range(2):
        watched.crash()
        watched.wait()
        watched.wait(SETTLED_MS)

    assert len(taken) == 3
    assert watched.sessions == [f"s{n}" for n in range(sum(taken), 1_000)]


def test_a_whole_file_that_never_gets_its_end_is_read_as_it_is(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(beacons(0, 1_000))[:-20])
    watched.wait()
    watched.wait(PATIENCE_MS)

    assert watched.sessions[:3] == ["s0", "s1", "s2"]
    assert watched.rejects.select("scope", "code").rows() == [("file", "truncated_file")]


def test_what_is_appended_to_a_packed_file_is_read_alone(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "beacons.jsonl.gz"
    path.write_bytes(gzip.compress(beacons(0, 10)))
    watched.wait()
    watched.wait(SETTLED_MS)
    append(path, gzip.compress(beacon("more")))
    watched.wait()
    watched.wait(SETTLED_MS)

    assert watched.sessions == [*(f"s{n}" for n in range(10)), "more"]


def test_nothing_is_expected_beyond_a_file_that_is_still_written(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "beacons.jsonl").write_bytes(beacon("a", 500))
    (tmp_path / "beacons.parquet").write_bytes(parquet(0, 10)[:-4])
    watched.wait()

    assert watched.sessions == ["a"]
    assert watched.reader.watermark() is None


def test_a_file_that_cannot_be_read_is_a_reject_and_the_others_go_on(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "beacons.jsonl").write_bytes(beacon("a"))
    (tmp_path / "locked.jsonl").write_bytes(beacon("b"))
    real = watched.reader._disk  # noqa: SLF001  # root may read everything, so that the disk must refuse
    refusing = type(real)(real.list_files, lambda path: refuse(path, real.open_file), real.now_ms)
    watched.reader._disk = refusing  # noqa: SLF001
    watched.wait()

    assert watched.sessions == ["a"]
    assert watched.rejects.select("source", "code").rows() == [(str(tmp_path / "locked.jsonl"), "corrupt_file")]


def refuse(path: str, open_file: object) -> io.BufferedReader:
    if "locked" in path:
        raise PermissionError(path)
    assert callable(open_file)
    stream = open_file(path)
    assert isinstance(stream, io.BufferedReader)
    return stream


def test_many_files_are_read_with_few_handles(watched: Watched, tmp_path: Path) -> None:
    for number in range(150):
        (tmp_path / f"{number:03d}.jsonl").write_bytes(beacons(number * 10, number * 10 + 10))
    watched.wait()
    for number in range(150):
        append(tmp_path / f"{number:03d}.jsonl", beacon(f"more{number}"))
    watched.wait()

    assert len(set(watched.sessions)) == len(watched.sessions) == 1_650
    assert sum(file.opened is not None for file in watched.reader._files.values()) <= 64  # noqa: SLF001
