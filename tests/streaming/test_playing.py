"""Telemetry of the past, played at any speed."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.streaming.playing import Line, lines_in_order, play
from tests.support.running import FIXTURES

FOLDER = FIXTURES / "casablanca_night" / "telemetry"
FILES = [
    FOLDER / name
    for name in ("beacons.jsonl", "hls-01_clean.reports.jsonl", "dash-04_casablanca_good.reports.jsonl.gz")
]


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return lines_in_order([str(file) for file in FILES])


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_every_line_comes_once_and_in_its_file(tmp_path: Path, lines: list[Line]) -> None:
    clock = Clock()

    play(lines, tmp_path, 60, clock, clock.wait)

    for file in FILES:
        played = (tmp_path / file.name).read_bytes().splitlines()
        assert sorted(played) == sorted(file.read_bytes().splitlines())


def test_lines_come_in_the_order_of_their_times_whatever_their_files(lines: list[Line]) -> None:
    assert [line.moment for line in lines] == sorted(line.moment for line in lines)
    assert [line.file for line in lines] != sorted(line.file for line in lines)
    assert all(line.moment > 0 for line in lines)


def test_a_compressed_file_comes_whole(lines: list[Line]) -> None:
    (packed,) = (line for line in lines if line.file.endswith(".gz"))

    assert packed.text == FILES[-1].read_bytes()
    assert packed.moment > 1_795_000_000_000


def test_so_does_whatever_is_not_read_by_lines(tmp_path: Path) -> None:
    events = pl.DataFrame({"session_id": ["s", "s"], "event_time": [1_795_291_010_000, 1_795_291_010_010]})
    events.write_ipc_stream(tmp_path / "beacons.arrow", compat_level=pl.CompatLevel.oldest())
    (tmp_path / "scans.json").write_text('[\n{"tracking_number":"1"},\n{"tracking_number":"2"}\n]')

    for line in lines_in_order([str(tmp_path)]):
        assert line.text == (tmp_path / line.file).read_bytes()


def test_an_hour_takes_a_minute_at_sixty_times_the_speed(tmp_path: Path) -> None:
    clock = Clock()

    play([Line(0, "a", b"1\n"), Line(3_600_000, "a", b"2\n")], tmp_path, 60, clock, clock.wait)

    assert clock.waits == [60.0]
    assert (tmp_path / "a").read_bytes() == b"1\n2\n"


def test_a_line_that_says_no_time_stays_behind_the_one_before_it(tmp_path: Path) -> None:
    beacons = b'{"session_id":"s","event_time":"2026-11-21T19:56:50Z","state":"playing"}\n{"broken\n'
    (tmp_path / "beacons.jsonl").write_bytes(beacons)

    assert {line.moment for line in lines_in_order([str(tmp_path)])} == {1_795_291_010_000}
