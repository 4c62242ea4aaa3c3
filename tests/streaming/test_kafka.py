"""Topics give the records of their messages, each once, whatever happens to readers, partitions and messages."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from detectors import schemas
from detectors.telemetry.messages import Messages
from pipelines.streaming.blocks import Block
from pipelines.streaming.clock import SourceClock
from pipelines.streaming.kafka import ASK_MS, Arrival, KafkaReader, Mark, Part
from tests.streaming.test_folder import beacon, beacons
from tests.streaming.watching import DISORDER_MS, IDLE_MS, LATER, NIGHT, SMALL, events_of, unpacked

FIRST, SECOND, THIRD = (Part("beacons", number) for number in range(3))


@dataclass
class Town:
    """A cluster in memory: the messages of each partition, and how far a reader got."""

    messages: dict[Part, list[bytes]] = field(default_factory=lambda: {FIRST: [], SECOND: []})
    places: dict[Part, int] = field(default_factory=dict)
    committed: dict[Part, int] = field(default_factory=dict)
    told_end: set[Part] = field(default_factory=set)
    at_once: int = 10_000
    starts_at_end: bool = False
    stalled: bool = False

    def partitions(self) -> Sequence[Part]:
        return sorted(self.messages)

    def starts(self, parts: Sequence[Part]) -> Mapping[Part, int]:
        return {part: len(self.messages[part]) if self.starts_at_end else 0 for part in parts}

    def firsts(self, parts: Sequence[Part]) -> Mapping[Part, int]:
        return dict.fromkeys(parts, 0)

    def read_from(self, places: Mapping[Part, int]) -> None:
        self.places = dict(places)
        self.told_end = set()

    def add(self, places: Mapping[Part, int]) -> None:
        self.places |= places

    def take(self) -> Sequence[Arrival]:
        arrivals: list[Arrival] = []
        if self.stalled:
            return arrivals
        for part, place in self.places.items():
            values = self.messages[part][place : place + self.at_once]
            arrivals += [Arrival(part, place + number, value) for number, value in enumerate(values)]
            self.places[part] = end = place + len(values)
            if values:
                self.told_end.discard(part)
            if end == len(self.messages[part]) and part not in self.told_end:
                arrivals.append(Arrival(part, end, None))
                self.told_end.add(part)
        return arrivals

    def commit(self, places: Mapping[Part, int]) -> None:
        self.committed = dict(places)

    def close(self) -> None:
        self.places = {}


@dataclass
class Listener:
    """A reader of that cluster; time passes only when `wait` says so."""

    town: Town = field(default_factory=Town)
    until_end: bool = False
    since_ms: int | None = None
    now: int = LATER
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = self._reader(None)

    def _reader(self, mark: Mark | None) -> KafkaReader:
        clock = SourceClock(DISORDER_MS, IDLE_MS, mark.watermark if mark else None, mark.newest if mark else None)
        return KafkaReader(
            self.town,
            lambda name: Messages(name, SMALL),
            clock,
            lambda: self.now,
            mark,
            until_end=self.until_end,
            since_ms=self.since_ms,
        )

    def step(self) -> bool:
        """The reader gives one block, if it can."""
        block = self.reader.advance()
        self.blocks += [block] if block else []
        return block is not None

    def wait(self, ms: int = 500) -> None:
        self.now += ms
        while self.step():
            pass

    def crash(self) -> None:
        self.reader = self._reader(self.mark)

    @property
    def mark(self) -> Mark:
        return msgspec.msgpack.decode(self.reader.written_mark(), type=Mark)

    @property
    def sessions(self) -> list[str]:
        return events_of(self.blocks)["session_id"].to_list()

    @property
    def rejects(self) -> list[tuple[object, ...]]:
        frames = [unpacked(block.rejects, schemas.REJECTS) for block in self.blocks]
        return [row for frame in frames for row in frame.select("source", "offset", "line", "scope", "code").rows()]


def test_every_message_is_read_once_also_by_readers_that_crash() -> None:
    listener = Listener(Town(at_once=7))
    for number in range(50):
        listener.town.messages[(FIRST, SECOND)[number % 2]].append(beacon(f"s{number}"))
        if number % 5 == 0:
            listener.step()
        if number % 7 == 0:
            listener.crash()
    listener.wait()

    assert sorted(listener.sessions) == sorted(f"s{number}" for number in range(50))


def test_a_message_may_hold_many_records_in_any_form() -> None:
    listener = Listener()
    cmcd = b'{"received_at": %d, "mode": "event", "cmcd": "sid=\\"c\\",sta=p,ts=%d,e=ps"}' % (NIGHT, NIGHT)
    listener.town.messages[FIRST] = [
        beacons(0, 3),
        cmcd,
        gzip.compress(beacons(3, 5)),
        b"[" + beacon("in a list") + b"]",
        b'sid="raw",ts=%d,sta=p,e=ps' % NIGHT,
        beacon("last"),
    ]
    listener.wait()

    assert set(listener.sessions) == {"s0", "s1", "s2", "c", "s3", "s4", "in a list", "raw", "last"}
    assert sum(block.records for block in listener.blocks) == 9
    assert not listener.rejects


@pytest.mark.parametrize(
    ("poison", "code"),
    [
        pytest.param(b"\x00\xff\xfe", "not_recognised", id="bytes"),
        pytest.param(b'{"session_id": "cut', "not_json", id="cut"),
        pytest.param(b"PAR1 and no more", "truncated_file", id="no Parquet"),
        pytest.param(b"\xff\xff\xff\xff and no more", "corrupt_file", id="no Arrow"),
        pytest.param(gzip.compress(beacon("a"))[:-4], "truncated_file", id="gzip"),
        pytest.param(b'{"session_id": 7}', "wrong_type", id="a wrong type"),
    ],
)
def test_a_poisoned_message_is_a_reject_with_its_offset_and_the_next_is_read(poison: bytes, code: str) -> None:
    listener = Listener()
    listener.town.messages[SECOND] = [beacons(0, 2), poison, beacon("next")]
    listener.wait()

    assert listener.sessions[:2] == ["s0", "s1"]
    assert listener.sessions[-1] == "next"
    assert [(source, offset, scope, found) for source, offset, _, scope, found in listener.rejects] == [
        ("kafka:beacons/1", 1, "record", code)
    ]


def test_a_reject_within_a_message_names_its_line_there() -> None:
    listener = Listener()
    listener.town.messages[FIRST] = [beacons(0, 5), beacons(5, 8) + b"{}\n" + beacon("next")]
    listener.wait()

    assert listener.rejects == [("kafka:beacons/0", 1, 4, "record", "missing_field")]


def test_many_messages_make_blocks_of_bounded_size() -> None:
    listener = Listener()
    listener.town.messages[FIRST] = [beacon(f"s{number}") for number in range(1_000)]
    listener.wait()

    assert len(listener.sessions) == 1_000
    assert max(block.records for block in listener.blocks) < 400


def test_a_message_without_a_value_holds_no_record() -> None:
    listener = Listener()
    listener.town.messages[FIRST] = [b"", beacon("a"), b"\n"]
    listener.wait()

    assert listener.sessions == ["a"]
    assert not listener.rejects


def test_a_reader_that_crashes_within_a_large_message_goes_on_within_it() -> None:
    listener = Listener()
    listener.town.messages[FIRST] = [gzip.compress(beacons(0, 1_000)), beacon("next")]
    listener.step()
    assert 0 < listener.blocks[0].records < 1_000
    listener.crash()
    listener.wait()

    assert listener.sessions == [*(f"s{number}" for number in range(1_000)), "next"]


def test_the_partition_that_is_furthest_behind_decides_until_it_is_idle() -> None:
    listener = Listener()
    listener.town.messages = {FIRST: [beacon("a", 100)], SECOND: [beacon("b", 40)], THIRD: []}
    listener.wait()
    assert listener.reader.watermark() is None

    listener.wait(IDLE_MS - 500)
    listener.town.messages[FIRST].append(beacon("c", 200))
    listener.wait(500)
    listener.wait(IDLE_MS)
    listener.town.messages[FIRST].append(beacon("d", 300))
    listener.wait(0)
    assert listener.reader.watermark() == NIGHT + 300_000 - DISORDER_MS


def test_a_partition_whose_broker_is_silent_is_not_idle() -> None:
    listener = Listener()
    listener.town.messages = {FIRST: [beacon("a", 100)]}
    listener.wait()
    listener.town.messages[FIRST] += [beacon("b", 101), beacon("c", 102)]
    listener.town.at_once = 1
    listener.step()
    listener.town.stalled = True
    for _ in range(20):
        listener.wait()

    assert listener.reader.watermark() == NIGHT + 101_000 - DISORDER_MS


def test_a_stream_that_starts_at_the_end_misses_nothing_that_comes_later() -> None:
    listener = Listener(Town(starts_at_end=True))
    listener.town.messages[FIRST] = [beacon("before")]
    listener.wait()
    listener.town.messages[FIRST].append(beacon("after"))
    listener.town.messages[THIRD] = [beacon("in a new partition")]
    listener.crash()
    listener.wait()

    assert sorted(listener.sessions) == ["after", "in a new partition"]


def test_partitions_that_are_added_are_found_and_read_from_their_beginning() -> None:
    listener = Listener()
    listener.wait()
    listener.town.messages[THIRD] = [beacon("first of the third")]
    listener.wait(ASK_MS)

    assert listener.sessions == ["first of the third"]


def test_the_end_is_said_once_every_partition_was_read() -> None:
    listener = Listener(until_end=True)
    listener.town.messages = {FIRST: [beacon("a")] * 3, SECOND: []}
    listener.wait()

    assert listener.sessions == ["a"] * 3
    assert listener.reader.is_finished


def test_what_is_settled_is_passed_over() -> None:
    listener = Listener(since_ms=NIGHT + 60_000)
    listener.town.messages[FIRST] = [beacon("settled", 59)]
    listener.town.messages[SECOND] = [beacon("old but beside a young one", 1), beacon("young", 60)]
    listener.wait()

    assert listener.sessions == ["old but beside a young one", "young"]


@pytest.mark.parametrize("at_once", [1, 10_000])
def test_whoever_passes_over_much_that_is_settled_is_not_waited_for(at_once: int) -> None:
    listener = Listener(Town(at_once=at_once), since_ms=NIGHT + 60_000)
    listener.town.messages[FIRST] = [gzip.compress(beacon("settled", 59)) for _ in range(250)]
    listener.town.messages[FIRST].append(beacon("young", 60))
    assert not listener.step()
    assert [(place.offset, place.records) for place in listener.mark.places] == [(99, 1), (0, 0)]

    listener.wait()
    listener.wait()
    listener.wait()
    assert listener.sessions == ["young"]


def test_offsets_are_written_down_when_something_was_read() -> None:
    listener = Listener()
    listener.town.messages[FIRST] = [beacon("a"), beacon("b")]
    listener.wait()
    commit = listener.reader.committing()
    assert commit is not None
    commit()

    assert listener.town.committed == {FIRST: 2, SECOND: 0}
    assert listener.reader.committing() is None
