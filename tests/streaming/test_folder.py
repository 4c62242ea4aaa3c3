"""A growing folder gives the records of its files, each once, whatever happens to reader and files."""

import gzip
import json
import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from detectors.telemetry.decode import Decoded, decode
from tests.streaming.watching import DISORDER_MS, IDLE_MS, MIDDLE, NIGHT, Account, Watched

FIXTURES = Path(__file__).parents[2] / "fixtures"
NIGHTS = sorted(folder.parent for folder in FIXTURES.glob("*/telemetry"))


def beacon(session: str, second: int = 0) -> bytes:
    return json.dumps({"session_id": session, "event_time": NIGHT + second * 1_000}).encode() + b"\n"


def beacons(first: int, last: int) -> bytes:
    return b"".join(beacon(f"s{number}", number) for number in range(first, last))


def account_of(files: Iterable[Path]) -> Account:
    decoded: list[Decoded] = []
    for path in files:
        with path.open("rb") as stream:
            decoded += decode(stream, str(path), MIDDLE)
    return Account.of_night(decoded)


SETTLED_MS = 2_500


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path) as watched:
        yield watched


@pytest.fixture
def finishing(tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path, until_end=True) as watched:
        yield watched


@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.name)
def test_a_finished_folder_gives_what_the_nightly_run_reads(night: Path) -> None:
    with Watched(night / "telemetry", until_end=True, limits=MIDDLE) as read:
        read.take()

    assert Account.of_blocks(read.blocks) == account_of((night / "telemetry").iterdir())
    assert read.reader.is_finished


@pytest.mark.parametrize("seed", range(3))
def test_a_night_that_is_written_in_bits_and_read_by_readers_that_crash_is_the_same(
    watched: Watched, tmp_path: Path, seed: int
) -> None:
    watched.limits = MIDDLE
    watched.crash()
    dice = random.Random(seed)  # noqa: S311  # no secret
    source = FIXTURES / "casablanca_night/telemetry"
    whole = {path.name: path.read_bytes() for path in source.iterdir() if path.suffix == ".jsonl"}
    left = dict(whole)
    while left:
        name = dice.choice(sorted(left))
        cut = dice.randrange(1, 40_000)
        with (tmp_path / name).open("ab") as file:
            file.write(left[name][:cut])
        left[name] = left[name][cut:]
        if not left[name]:
            del left[name]
        dice.choice((watched.wait, watched.crash, lambda: None))()
    watched.wait()

    assert Account.of_blocks(watched.blocks) == account_of(tmp_path.iterdir())


def test_an_unfinished_line_waits_for_its_end(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacon("done") + b'{"session_id": "half')
    watched.wait()
    assert watched.sessions == ["done"]

    with path.open("ab") as file:
        file.write(b'way", "event_time": %d}\n' % NIGHT)
    watched.wait()
    assert watched.sessions == ["done", "halfway"]


def test_a_text_that_shows_nothing_yet_waits_and_holds_nothing_back_for_long(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "known.jsonl").write_bytes(beacon("a", 60))
    path = tmp_path / "fresh.log"
    path.write_bytes(b"# opened\n")
    assert [block.source for block in watched.wait()] == [str(tmp_path / "known.jsonl")]
    assert watched.reader.watermark() is None

    watched.wait(IDLE_MS)
    watched.wait(IDLE_MS)
    assert watched.reader.watermark() is not None

    with path.open("ab") as file:
        file.write(beacon("b"))
    watched.wait()
    assert watched.sessions == ["a", "b"]


def test_what_a_file_is_may_show_only_with_its_second_line(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "beacon.json"
    path.write_bytes(b"{\n")
    watched.wait()
    path.write_bytes(b'{\n  "session_id": "a",\n  "event_time": %d\n}\n' % NIGHT)
    watched.wait()
    watched.wait(SETTLED_MS)

    assert watched.sessions == ["a"]
    assert not watched.rejects.height


def test_a_text_of_which_a_whole_block_shows_nothing_is_refused_once(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"nothing of use\n" * 1_000)
    watched.wait()
    watched.crash()
    with path.open("ab") as file:
        file.write(b"and more of it\n")
    watched.wait()

    assert watched.rejects.select("source", "scope", "code").rows() == [(str(path), "file", "not_recognised")]


def test_a_line_too_long_to_be_held_is_one_reject_and_the_next_line_is_read(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacon("a") + b"x" * 10_000)
    watched.wait()
    watched.crash()
    with path.open("ab") as file:
        file.write(b"x" * 10_000 + b"\n" + beacon("b"))
    watched.wait()

    assert watched.sessions == ["a", "b"]
    assert watched.rejects.select("line", "offset", "code").rows() == [(2, len(beacon("a")), "record_too_long")]


def test_a_reject_names_its_line_in_the_whole_file(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacons(0, 200))
    watched.wait()
    watched.crash()
    with path.open("ab") as file:
        file.write(b'{"session_id": 7}\n')
    watched.wait()

    assert watched.rejects.select("line", "offset").rows() == [(201, len(beacons(0, 200)))]


def test_a_log_of_named_values_goes_on_after_a_crash(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    query = "CMCD=sid%3D%22{}%22%2Cbr%3D1000"
    line = "2026-11-21\t18:00:00\t200\t" + query + "\n"
    path.write_text("#Version: 1.0\n#Fields: date time sc-status cs-uri-query\n" + line.format("a"))
    watched.wait()
    watched.crash()
    with path.open("a") as file:
        file.write(line.format("b"))
    watched.wait()
    watched.crash()
    with path.open("a") as file:
        file.write("#Fields: sc-status date time cs-uri-query\n404\t2026-11-21\t18:00:00\t" + query.format("c") + "\n")
    watched.wait()

    assert watched.sessions == ["a", "b", "c"]
    assert not watched.rejects.height


def test_a_file_that_grows_faster_than_it_is_listed_is_read_once(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "beacons.jsonl"
    path.write_bytes(beacons(0, 200))
    first = watched.reader.advance()
    assert first is not None
    with path.open("ab") as file:
        file.write(beacons(200, 1_000))
    watched.take()
    watched.wait()

    assert watched.sessions == [f"s{number}" for number in range(first.records, 1_000)]


def test_hidden_files_are_passed_over_and_folders_are_entered(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "europe").mkdir()
    (tmp_path / ".beacons.jsonl.swp").write_bytes(beacon("hidden"))
    (tmp_path / ".hidden" / "beacons.jsonl").write_bytes(beacon("hidden"))
    (tmp_path / "europe" / "beacons.jsonl").write_bytes(beacon("seen"))
    watched.wait()

    assert watched.sessions == ["seen"]


def test_a_folder_that_is_not_there_yet_is_waited_for(watched: Watched, tmp_path: Path) -> None:
    watched.path = tmp_path / "telemetry"
    assert watched.wait() == []

    watched.path.mkdir()
    (watched.path / "beacons.jsonl").write_bytes(beacon("a"))
    watched.wait()
    assert watched.sessions == ["a"]


def test_the_file_that_is_furthest_behind_is_read_first(watched: Watched, tmp_path: Path) -> None:
    for name, first in (("a", 1_000), ("b", 0), ("c", 500)):
        (tmp_path / name).write_bytes(beacons(first, first + 500))
    watched.wait()

    newest = [block.newest for block in watched.blocks[3:]]
    assert newest == sorted(newest, key=lambda time: time or 0)


def test_a_file_that_is_named_by_no_text_is_a_reject(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "b\udcff.jsonl").write_bytes(beacon("a"))
    watched.wait()
    watched.crash()
    watched.wait()

    assert watched.rejects["source"].to_list() == [f"{tmp_path}/b\\udcff.jsonl"]
    assert watched.rejects["reason"].to_list() == ["The name of the file is not UTF-8: rename it."]


def test_the_watermark_follows_the_records_and_waits_for_every_file(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(beacon("a", 100))
    (tmp_path / "b").write_bytes(beacon("b", 40))
    assert watched.reader.watermark() is None
    watched.wait()

    assert watched.reader.watermark() == NIGHT + 40_000 - DISORDER_MS


def test_the_watermark_goes_on_where_the_former_reader_was(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(beacon("a", 100))
    watched.wait()
    reached = watched.reader.watermark()
    watched.crash()
    (tmp_path / "b").write_bytes(beacon("b", 40))

    assert watched.reader.watermark() == reached
    watched.wait()
    assert watched.reader.watermark() == reached


def test_a_folder_at_rest_goes_on_by_the_wall_clock(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(beacon("a", 100))
    watched.wait()
    for _ in range(20):
        watched.wait()

    assert watched.reader.watermark() == NIGHT + 100_000 + 20 * 500 - DISORDER_MS


def test_a_clock_of_the_future_moves_nobody_beyond_now(watched: Watched, tmp_path: Path) -> None:
    watched.now = NIGHT
    (tmp_path / "a").write_bytes(beacon("ahead", 48 * 3_600))
    watched.wait()

    assert watched.reader.watermark() == watched.now - DISORDER_MS


def test_the_end_is_said_once_everything_is_read(finishing: Watched, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(beacons(0, 200) + beacon("tail").rstrip())
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(beacon("packed")))
    first = finishing.reader.advance()
    finished_at_first = finishing.reader.is_finished
    finishing.take()

    assert first is not None
    assert (finished_at_first, finishing.reader.is_finished) == (False, True)
    assert {"tail", "packed", "s199"} <= set(finishing.sessions)


def test_what_comes_while_the_last_record_is_read_is_no_end(finishing: Watched, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(beacon("a"))
    finishing.reader.advance()
    (tmp_path / "b.jsonl").write_bytes(beacon("b"))
    finishing.take()

    assert finishing.sessions == ["b"]


def test_files_that_were_not_written_to_since_are_not_even_opened(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "long ago.jsonl"
    path.write_bytes(b"no telemetry at all\n" * 1_000)
    os.utime(path, (NIGHT / 1_000, NIGHT / 1_000))
    watched.since_ms = NIGHT + 3_600_000
    watched.crash()
    assert watched.wait() == []

    with path.open("ab") as file:
        file.write(b"more of it\n")
    watched.wait()
    assert watched.rejects["code"].to_list() == ["not_recognised"]


def test_whoever_passes_over_much_that_is_settled_is_not_waited_for(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(beacons(0, 15_000))
    watched.since_ms = NIGHT + 14_999_000
    watched.crash()
    assert watched.wait() == []
    assert watched.reader.mark().positions[0].at.offset > 0

    for _ in range(10):
        watched.wait()
    assert watched.sessions[-1] == "s14999"
