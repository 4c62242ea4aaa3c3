"""Kafka's own client against the cluster that it brings along for tests."""

from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that
from confluent_kafka import Producer

from pipelines.sources import SourceError
from pipelines.streaming.cluster import KafkaCluster, Topics
from pipelines.streaming.kafka import Arrival, Part
from pipelines.streaming.reading import ReadBlocks, StreamOptions, stream_source
from tests.streaming.test_folder import beacon, beacons
from tests.streaming.test_reading import gave, sessions_in

ROUNDS = 400
"""Takes of 50 ms at most: the client talks to the cluster in threads of its own."""


class MockCluster:
    """A cluster in this process; its topics are made when they are first written to."""

    def __init__(self) -> None:
        self._producer = Producer({"bootstrap.servers": "127.0.0.1", "test.mock.num.brokers": 1, "linger.ms": 0})
        (broker,) = self._producer.list_topics(timeout=10).brokers.values()
        self.servers = f"{broker.host}:{broker.port}"

    def write(self, topic: str, partition: int, *values: bytes) -> None:
        for value in values:
            self._producer.produce(topic, value, partition=partition)
        assert self._producer.flush(10) == 0


@pytest.fixture(scope="module")
def mock() -> MockCluster:
    return MockCluster()


@pytest.fixture
def topic(mock: MockCluster, request: pytest.FixtureRequest) -> str:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    mock.write(name, 0, beacon("a"), beacon("b"))
    mock.write(name, 1, beacon("c"))
    return name


@pytest.fixture
def cluster(mock: MockCluster, topic: str) -> Iterator[KafkaCluster]:
    cluster = KafkaCluster(Topics(mock.servers, (topic,)))
    yield cluster
    cluster.close()


def until_ends(cluster: KafkaCluster, parts: int) -> list[Arrival]:
    """What comes until so many partitions said that they are at their end."""
    arrivals: list[Arrival] = []
    for _ in range(ROUNDS):
        arrivals += cluster.take()
        if sum(arrival.value is None for arrival in arrivals) >= parts:
            return arrivals
    pytest.fail(f"only {arrivals} came")


def test_partitions_are_read_from_where_they_are_told_to_their_end(cluster: KafkaCluster, topic: str) -> None:
    parts = cluster.partitions()
    assert set(cluster.starts(parts).values()) == {0}

    cluster.read_from({Part(topic, 0): 1, Part(topic, 1): 0})
    arrivals = until_ends(cluster, 2)
    assert sorted((arrival.part.number, arrival.offset, arrival.value) for arrival in arrivals if arrival.value) == [
        (0, 1, beacon("b")),
        (1, 0, beacon("c")),
    ]


def test_more_partitions_are_read_beside_those_that_are_read(
    mock: MockCluster, cluster: KafkaCluster, topic: str
) -> None:
    cluster.read_from({Part(topic, 0): 0})
    until_ends(cluster, 1)
    cluster.add({Part(topic, 1): 0})

    assert [arrival.value for arrival in until_ends(cluster, 1)][:1] == [beacon("c")]

    mock.write(topic, 0, beacon("d"))
    assert [arrival.value for arrival in until_ends(cluster, 1)] == [beacon("d"), None]


def test_a_stream_may_begin_at_what_comes_from_now_on(mock: MockCluster, topic: str) -> None:
    cluster = KafkaCluster(Topics(mock.servers, (topic,), start="latest"))

    starts = cluster.starts([Part(topic, 0), Part(topic, 1)])
    cluster.close()
    assert starts == {Part(topic, 0): 2, Part(topic, 1): 1}


def test_offsets_are_written_and_decide_nothing(mock: MockCluster, cluster: KafkaCluster, topic: str) -> None:
    cluster.read_from({Part(topic, 0): 0, Part(topic, 1): 0})
    until_ends(cluster, 2)
    cluster.commit({Part(topic, 0): 2, Part(topic, 1): 1})
    another = KafkaCluster(Topics(mock.servers, (topic,)))

    assert set(another.starts(another.partitions()).values()) == {0}
    another.close()
    another.commit({Part(topic, 0): 2})


def test_an_engine_reads_topics_to_their_end(mock: MockCluster, topic: str) -> None:
    mock.write(topic, 2, *(beacon(f"s{number}") for number in range(500)), beacons(500, 600))
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        blocks = pipeline | ReadBlocks(f"kafka://{mock.servers}/{topic}", StreamOptions(until_end=True))
        sessions = blocks | beam.FlatMap(sessions_in)
        assert_that(sessions, gave(["a", "b", "c", *(f"s{number}" for number in range(600))]))


def test_a_cluster_that_does_not_answer_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.streaming.cluster.ANSWER_S", 0.2)
    cluster = KafkaCluster(Topics("127.0.0.1:1", ("beacons",)))
    with pytest.raises(SourceError, match="does not tell its topics") as told:
        cluster.partitions()
    cluster.close()

    assert str(told.value).startswith("127.0.0.1:1: ")
    assert str(told.value).endswith("check the address and that it runs")


def test_options_of_a_topic_come_from_its_url_and_passwords_from_a_file(tmp_path: Path) -> None:
    properties = tmp_path / "client.properties"
    properties.write_text("# how to log in\nsasl.username = reader\nsasl.password=s=cret\ngroup.id=other\n")
    topics = Topics.of(f"kafka://one:9092,two:9092/beacons,cmcd?group=lag&start=latest&properties={properties}")

    assert topics == Topics("one:9092,two:9092", ("beacons", "cmcd"), "lag", "latest", str(properties))
    told = topics.configuration()
    assert (told["sasl.username"], told["sasl.password"], told["group.id"]) == ("reader", "s=cret", "lag")
    assert told["enable.auto.commit"] is False


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("kafka://host:9092/", "names no topics"),
        ("kafka:///beacons", "names no topics"),
        ("kafka://host:9092/two words", "names no topics"),
        ("kafka://user:secret@host:9092/beacons", "kafka://…: names no topics"),
        ("kafka://host:9092/beacons?offset=3", "offset: is no option of a topic"),
        ("kafka://host:9092/beacons?start=now", "start=now: a stream starts at earliest or latest"),
    ],
)
def test_a_url_that_makes_no_sense_is_told_in_one_sentence(url: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as told:
        stream_source(url)
    assert "secret" not in str(told.value)


def test_a_line_of_properties_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "client.properties").write_text("sasl.password\n")
    topics = Topics("host:9092", ("beacons",), properties=str(tmp_path / "client.properties"))
    with pytest.raises(SourceError, match="holds a line that is no name=value"):
        topics.configuration()
