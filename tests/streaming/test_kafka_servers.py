"""Topics of a real broker: a whole night in them, and a broker that dies under its reader."""

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import msgspec
import polars as pl
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that
from confluent_kafka import OFFSET_INVALID, Consumer, Producer, TopicPartition

from detectors.telemetry.limits import Limits
from detectors.telemetry.messages import Messages
from pipelines.streaming.blocks import Block
from pipelines.streaming.clock import SourceClock
from pipelines.streaming.cluster import KafkaCluster, Topics
from pipelines.streaming.kafka import KafkaReader, Mark
from pipelines.streaming.reading import ReadBlocks, StreamOptions, now_ms
from pipelines.streaming.run import run_stream
from tests.detectors.telemetry.test_arrow import as_stream
from tests.streaming.playing import Played
from tests.streaming.test_folder import beacon
from tests.streaming.watching import NIGHT, Account, Watched, events_of
from tests.support.kafka.broker import Broker, running_broker
from tests.support.prism import demand_prism

pytestmark = pytest.mark.servers

FIXTURES = Path(__file__).parents[2] / "fixtures"
HOUR_MS = 3_600_000
ROUNDS = 1_000
"""Looks of 50 ms at most each."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> str:
    name = str(request.node.name)
    broker.create(name, 3)
    return name


def write(broker: Broker, topic: str, values: Iterable[bytes], timestamp_ms: int = 0) -> None:
    producer = Producer({"bootstrap.servers": broker.servers, "linger.ms": 5})
    for number, value in enumerate(values):
        producer.produce(topic, value, partition=number % 3, timestamp=timestamp_ms)
        producer.poll(0)
    assert producer.flush(30) == 0


def a_reader(broker: Broker, topic: str, mark: Mark | None = None, since_ms: int | None = None) -> KafkaReader:
    cluster = KafkaCluster(Topics(broker.servers, (topic,)), since_ms)
    limits = Limits(block_lines=64)
    clock = SourceClock(60_000, 5_000)
    return KafkaReader(cluster, lambda name: Messages(name, limits), clock, now_ms, mark, since_ms=since_ms)


def read(reader: KafkaReader, records: int) -> list[Block]:
    """Blocks until there are so many records."""
    blocks: list[Block] = []
    for _ in range(ROUNDS):
        if (block := reader.advance()) is not None:
            blocks.append(block)
        if sum(block.records for block in blocks) >= records:
            return blocks
    pytest.fail(f"only {sum(block.records for block in blocks)} of {records} records came")


def sessions_of(blocks: Iterable[Block]) -> list[str]:
    return sorted(events_of(blocks)["session_id"].to_list())


def in_order_of_time(paths: Iterable[Path]) -> list[bytes]:
    """The lines of a night as they came in: by the first time that each of them tells."""
    texts = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in paths)
    return sorted((line for text in texts for line in text.splitlines()), key=first_time)


def first_time(line: bytes) -> int:
    found = re.search(rb"1[0-9]{12}", line)
    return int(found[0]) if found else 0


def test_a_stream_of_topics_finds_and_decides_what_the_night_of_files_does(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    write(broker, topic, in_order_of_time((FIXTURES / "casablanca_night/telemetry").iterdir()))
    played = Played.fixture(FIXTURES / "casablanca_night", tmp_path)
    settings = replace(played.settings, source=f"kafka://{broker.servers}/{topic}")

    told: list[str] = []
    assert run_stream(settings, [f"--prism_location={demand_prism()}"], told.append, drain=True)

    night = played.nightly()
    assert played.found == night.found
    assert played.decided == night.decided


def test_a_night_in_topics_is_the_night_in_files(broker: Broker, topic: str) -> None:
    telemetry = FIXTURES / "casablanca_night/telemetry"
    texts = [path.read_bytes() for path in sorted(telemetry.iterdir()) if path.suffix == ".jsonl"]
    packed = [path.read_bytes() for path in telemetry.iterdir() if path.suffix == ".gz"]
    write(broker, topic, [*(line for text in texts for line in text.splitlines()), *packed])
    with Watched(telemetry, until_end=True, limits=Limits()) as folder:
        folder.take()
    expected = Account.of_blocks(folder.blocks)

    def same(given: list[bytes]) -> None:
        account = Account.of_blocks(map(Block.read, given))
        assert (account.records, account.events) == (expected.records, expected.events)

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        url = f"kafka://{broker.servers}/{topic}"
        assert_that(pipeline | ReadBlocks(url, StreamOptions(until_end=True)), same)


def test_arrow_batches_are_read_beside_lines(broker: Broker, topic: str) -> None:
    batch = pl.DataFrame({"session_id": [f"s{n}" for n in range(2_000)], "event_time": [NIGHT] * 2_000})
    write(broker, topic, [beacon("before"), as_stream(batch.to_arrow(), "zstd", 2_000), beacon("after")])
    reader = a_reader(broker, topic)
    blocks = read(reader, 2_002)
    reader.close()

    assert sessions_of(blocks) == sorted(["before", "after", *(f"s{n}" for n in range(2_000))])


def test_a_stream_that_begins_again_finds_its_place_by_time(broker: Broker, topic: str) -> None:
    write(broker, topic, [beacon(f"old{n}") for n in range(30)], NIGHT)
    write(broker, topic, [beacon(f"young{n}", 7_200) for n in range(30)], NIGHT + 2 * HOUR_MS)
    reader = a_reader(broker, topic, since_ms=NIGHT + 2 * HOUR_MS)
    blocks = read(reader, 30)
    reader.close()

    assert sessions_of(blocks) == sorted(f"young{n}" for n in range(30))


def test_a_broker_that_is_killed_loses_and_doubles_nothing(broker: Broker, topic: str) -> None:
    write(broker, topic, [beacon(f"a{n}") for n in range(300)])
    reader = a_reader(broker, topic)
    blocks = read(reader, 150)
    broker.kill()
    blocks += [block for _ in range(20) if (block := reader.advance()) is not None]
    broker.start()
    write(broker, topic, [beacon(f"b{n}") for n in range(300)])
    blocks += read(reader, 600 - sum(block.records for block in blocks))
    reader.close()

    assert sessions_of(blocks) == sorted(f"{letter}{n}" for letter in "ab" for n in range(300))


def test_a_reader_goes_on_at_the_mark_and_the_group_shows_how_far_it_is(broker: Broker, topic: str) -> None:
    write(broker, topic, [beacon(f"s{n}") for n in range(300)])
    first = a_reader(broker, topic)
    blocks = read(first, 100)
    mark = msgspec.msgpack.decode(first.written_mark(), type=Mark)
    commit = first.committing()
    assert commit is not None
    commit()
    first.close()
    second = a_reader(broker, topic, mark)
    blocks += read(second, 300 - sum(block.records for block in blocks))
    second.close()

    assert sessions_of(blocks) == sorted(f"s{n}" for n in range(300))
    watcher = Consumer({"bootstrap.servers": broker.servers, "group.id": "makegood"})
    told = watcher.committed([TopicPartition(topic, number) for number in range(3)], 10)
    watcher.close()
    written = {place.partition: place.offset for place in mark.places}
    assert {each.partition: each.offset for each in told if each.offset != OFFSET_INVALID} == written
