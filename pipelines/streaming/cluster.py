"""A Kafka cluster by confluent-kafka.

The reader says itself which partitions it reads and from where. It joins no group,
so that no other consumer can take a partition from it and no offset that somebody
committed decides what is read; the offsets of a group are written all the same, for
whoever watches how far behind the stream is.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from detectors.playback.rules import SKEW_TOLERANCE_MS
from pipelines.sources import SourceError, open_source
from pipelines.streaming.kafka import Arrival, Part

SCHEME: Final = "kafka://"
MOST_MESSAGES: Final = 10_000
TAKE_S: Final = 0.05
"""So long messages may come together before they are taken: a tiny block costs as much as a large one."""

ANSWER_S: Final = 10.0
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")
_PASSING: Final = frozenset(
    {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE}  # noqa: SLF001  # so they are named
)
"""The client tries by itself, for as long as it takes."""

_LOGGER: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics of one cluster, and how to reach them.

    `properties` is a file of librdkafka's options, one `name=value` a line, which every
    worker reads for itself: passwords belong there, not into a URL.
    """

    servers: str
    names: tuple[str, ...]
    group: str = "makegood"
    start: str = "earliest"
    properties: str | None = None

    @classmethod
    def of(cls, url: str) -> "Topics":
        """The topics of `kafka://HOST:PORT[,HOST:PORT]/TOPIC[,TOPIC]?group=…&start=earliest|latest&properties=FILE`.

        Raises:
          SourceError: The URL makes no sense; the message says what to write.
        """
        parts = urlsplit(url)
        names = tuple(parts.path.strip("/").split(","))
        if not parts.netloc or "@" in parts.netloc or not all(_TOPIC.fullmatch(name) for name in names):
            shown = f"{SCHEME}…" if "@" in url else url  # what stands before it may be a password
            raise SourceError(f"{shown}: names no topics; write dir:PATH or {SCHEME}HOST:PORT/TOPIC")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := sorted(options.keys() - {"group", "start", "properties"}):
            raise SourceError(f"{unknown[0]}: is no option of a topic; there are group, start and properties")
        topics = cls(parts.netloc, names, **options)
        if topics.start not in {"earliest", "latest"}:
            raise SourceError(f"start={topics.start}: a stream starts at earliest or latest")
        return topics

    def configuration(self) -> dict[str, str | int | bool]:
        """The options of the client.

        Raises:
          SourceError: The file of properties cannot be read, or has a line that is none.
        """
        own: dict[str, str | int | bool] = {
            "bootstrap.servers": self.servers,
            "group.id": self.group,
            "client.id": "makegood",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",  # what a broker has deleted cannot be waited for
            "queued.max.messages.kbytes": 32 * 1024,
        }
        return own if self.properties is None else {**_properties(self.properties), **own}


class KafkaCluster:
    """The partitions of some topics; begins at messages of `since_ms` where it is known, or as the topics say."""

    def __init__(self, topics: Topics, since_ms: int | None = None) -> None:
        self._topics = topics
        self._since_ms = since_ms
        self._consumer = Consumer(topics.configuration(), logger=_LOGGER)
        self._closed = False

    def partitions(self) -> Sequence[Part]:
        """All partitions of the topics.

        Raises:
          SourceError: The cluster does not answer, or has no such topic.
        """
        parts: list[Part] = []
        for name in self._topics.names:
            with self._asking("its topics"):
                topic = self._consumer.list_topics(name, ANSWER_S).topics[name]
            if topic.error is not None:
                raise SourceError(f"{name}: cannot be read ({topic.error.str()}); create the topic or correct its name")
            parts += [Part(name, number) for number in sorted(topic.partitions)]
        return parts

    def starts(self, parts: Sequence[Part]) -> Mapping[Part, int]:
        """The offsets to begin at."""
        if self._since_ms is not None:
            return self._at_time(parts, self._since_ms - SKEW_TOLERANCE_MS)
        return {part: self._bounds(part)[self._topics.start == "latest"] for part in parts}

    def firsts(self, parts: Sequence[Part]) -> Mapping[Part, int]:
        """The oldest offsets that there are."""
        return {part: self._bounds(part)[0] for part in parts}

    def read_from(self, places: Mapping[Part, int]) -> None:
        """From now on these partitions, and no others, are read from these offsets."""
        self._consumer.assign(_listed(places))

    def add(self, places: Mapping[Part, int]) -> None:
        """These partitions are read too."""
        self._consumer.incremental_assign(_listed(places))

    def take(self) -> Sequence[Arrival]:
        """What has arrived; waits a moment at most.

        Raises:
          SourceError: The cluster refuses for good.
        """
        arrivals: list[Arrival] = []
        for message in self._consumer.consume(MOST_MESSAGES, TAKE_S):
            error, part = message.error(), Part(message.topic() or "", message.partition() or 0)
            if error is None:
                arrivals.append(Arrival(part, message.offset() or 0, message.value() or b""))
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # so it is named
                arrivals.append(Arrival(part, message.offset() or 0, None))
            elif error.code() not in _PASSING and not error.retriable():
                raise SourceError(f"{self._topics.servers}: reading failed ({error.str()}); see the cluster's log")
        return arrivals

    def commit(self, places: Mapping[Part, int]) -> None:
        """Writes down how far everything was taken over. Nothing rests on it, so that a failure is none."""
        if not self._closed:
            with suppress(KafkaException, RuntimeError):
                self._consumer.commit(offsets=_listed(places), asynchronous=True)

    def close(self) -> None:
        """Leaves the cluster."""
        if not self._closed:
            self._closed = True
            self._consumer.close()

    def _bounds(self, part: Part) -> tuple[int, int]:
        with self._asking("its offsets"):
            return self._consumer.get_watermark_offsets(TopicPartition(*part), ANSWER_S)

    def _at_time(self, parts: Sequence[Part], time_ms: int) -> Mapping[Part, int]:
        """The first messages that were written then or later; the end where there is none."""
        wanted = [TopicPartition(*part, max(time_ms, 0)) for part in parts]
        with self._asking("its offsets"):
            found = self._consumer.offsets_for_times(wanted, ANSWER_S)
        offsets = {Part(each.topic, each.partition): each.offset for each in found}
        return {part: offset if offset >= 0 else self._bounds(part)[1] for part, offset in offsets.items()}

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            reason = error.args[0].str() if error.args else "no reason given"
            raise SourceError(
                f"{self._topics.servers}: does not tell {what} ({reason}); check the address and that it runs"
            ) from None


def _listed(places: Mapping[Part, int]) -> list[TopicPartition]:
    return [TopicPartition(*part, offset) for part, offset in sorted(places.items())]


def _properties(path: str) -> dict[str, str]:
    with open_source(path) as stream:
        text = stream.read().decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    if not all(separator for _, separator, _ in pairs):
        raise SourceError(f"{path}: holds a line that is no name=value; correct it")
    return {name.strip(): value.strip() for name, _, value in pairs}
