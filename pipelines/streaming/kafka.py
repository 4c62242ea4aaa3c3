"""Topics of a Kafka cluster as a source of the stream: their partitions, each read from where it was left."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from detectors.telemetry.messages import Message, Messages, Share
from pipelines.streaming.blocks import Block
from pipelines.streaming.clock import SourceClock

ASK_MS: Final = 30_000
"""So often it is asked whether a topic has more partitions by now."""


MOST_SKIPPED: Final = 100
"""So many settled blocks are passed over at once: who asks for the next one must not wait for long."""


class Part(NamedTuple):
    """One partition."""

    topic: str
    number: int


class Arrival(NamedTuple):
    """A message, or the news that for now there is none after `offset`: then `value` is null."""

    part: Part
    offset: int
    value: bytes | None


class Broker(Protocol):
    """What the reader asks of a cluster. Every method raises `SourceError` where the cluster refuses."""

    def partitions(self) -> Sequence[Part]:
        """All partitions of the topics."""
        ...

    def starts(self, parts: Sequence[Part]) -> Mapping[Part, int]:
        """The offsets to begin at."""
        ...

    def firsts(self, parts: Sequence[Part]) -> Mapping[Part, int]:
        """The oldest offsets that there are."""
        ...

    def read_from(self, places: Mapping[Part, int]) -> None:
        """From now on these partitions, and no others, are read from these offsets."""
        ...

    def add(self, places: Mapping[Part, int]) -> None:
        """These partitions are read too."""
        ...

    def take(self) -> Sequence[Arrival]:
        """What has arrived; waits a moment at most."""
        ...

    def commit(self, places: Mapping[Part, int]) -> None:
        """Writes down how far everything was taken over, for those who watch."""
        ...

    def close(self) -> None:
        """Leaves the cluster."""
        ...


class Place(msgspec.Struct, array_like=True):
    """How far a partition has been read: up to `offset`, and of the message there `records` records."""

    topic: str
    partition: int
    offset: int
    records: int = 0
    newest: int | None = None


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """What a checkpoint keeps of topics."""

    watermark: int | None
    newest: int | None
    places: list[Place]


class KafkaReader:
    """Blocks of the messages of topics, each message once.

    Args:
      broker: The cluster.
      messages: Decodes the messages of a partition, by name.
      clock: How far the partitions are; begins where `mark` ends.
      now_ms: The wall clock.
      mark: What `mark()` of a former reader gave.
      until_end: The reader is finished once every partition was read to its end.
      since_ms: Blocks whose newest record is older are passed over, since the epoch.
    """

    def __init__(  # noqa: PLR0913  # two of seven are switches
        self,
        broker: Broker,
        messages: Callable[[str], Messages],
        clock: SourceClock,
        now_ms: Callable[[], int],
        mark: Mark | None = None,
        *,
        until_end: bool = False,
        since_ms: int | None = None,
    ) -> None:
        self._broker = broker
        self._messages = messages
        self._clock = clock
        self._now_ms = now_ms
        self._until_end = until_end
        self._since_ms = since_ms or 0
        known = mark.places if mark else []
        self._places = {Part(place.topic, place.partition): msgspec.structs.replace(place) for place in known}
        self._resumes = mark is not None
        self._at_end: set[Part] = set()
        self._given: Iterator[tuple[Part, Share | None]] = iter(())
        self._asked_at: int | None = None
        self._skipped = 0
        self._committed: dict[Part, int] = {}
        self.is_finished = False

    def advance(self) -> Block | None:
        """The next block; null where there is none now."""
        now = self._now_ms()
        if self._asked_at is None or now - self._asked_at >= ASK_MS:
            self._find_partitions(now)
        self._skipped = 0
        while (block := self._next(now)) is None:
            if self._skipped >= MOST_SKIPPED:
                return None
            arrivals = self._broker.take()
            for part in self._at_end:
                self._clock.quiet(part, now)
            if not arrivals:
                self._clock.look(now)
                self.is_finished = self._until_end and len(self._at_end) == len(self._places)
                return None
            self._given = self._decoded(arrivals)
        return block

    def watermark(self) -> int | None:
        """No record older than this is expected, milliseconds since the epoch; null while nobody can tell."""
        return self._clock.watermark()

    def written_mark(self) -> bytes:
        """Where another reader goes on."""
        places = [place for _, place in sorted(self._places.items())]
        return msgspec.msgpack.encode(Mark(self._clock.watermark(), self._clock.newest, places))

    def committing(self) -> Callable[[], None] | None:
        """What writes down how far the partitions were read; null where nothing new was."""
        offsets = {part: place.offset for part, place in self._places.items()}
        if offsets == self._committed:
            return None
        self._committed = offsets
        return lambda: self._broker.commit(offsets)

    def close(self) -> None:
        """Leaves the cluster."""
        self._broker.close()

    def _find_partitions(self, now: int) -> None:
        """Begins, or goes on, with all partitions that there are; one that is new since then from its first message."""
        parts = self._broker.partitions()
        fresh = [part for part in parts if part not in self._places]
        begun = self._asked_at is not None
        offsets = self._broker.firsts(fresh) if begun or self._resumes else self._broker.starts(fresh)
        self._places |= {part: Place(*part, offset) for part, offset in offsets.items()}
        if begun and fresh:
            self._broker.add(offsets)
        elif not begun:
            self._broker.read_from({part: place.offset for part, place in self._places.items() if part in parts})
        for part in fresh if begun else parts:
            self._clock.expect(part, self._places[part].newest)
        self._asked_at = now

    def _decoded(self, arrivals: Sequence[Arrival]) -> Iterator[tuple[Part, Share | None]]:
        """What came, by partition; null where a partition is at its end."""
        by_part: dict[Part, list[Arrival]] = {}
        for arrival in arrivals:
            by_part.setdefault(arrival.part, []).append(arrival)
        for part, arrived in by_part.items():
            messages = [Message(each.offset, each.value) for each in arrived if each.value is not None]
            for share in self._messages(_name(part)).decode(messages):
                yield part, share
            if arrived[-1].value is None:
                yield part, None

    def _next(self, now: int) -> Block | None:
        for part, share in self._given:
            if share is None:
                self._at_end.add(part)
                self._clock.quiet(part, now)
                continue
            self._at_end.discard(part)
            place = self._places[part]
            # A message so large that it makes several blocks may have been taken in part.
            if share.offset == place.offset and 0 < share.records <= place.records:
                continue
            begin, place.offset, place.records = place.offset, share.offset, share.records
            if share.decoded.record_count or share.decoded.rejects.height:
                block = self._block(part, begin, share, now)
                if (place.newest or self._since_ms) >= self._since_ms:
                    return block
                self._skipped += 1
                if self._skipped >= MOST_SKIPPED:
                    return None
        return None

    def _block(self, part: Part, begin: int, share: Share, now: int) -> Block:
        block = Block.of(_name(part), begin, share.decoded)
        place = self._places[part]
        if block.newest is not None:
            place.newest = max(min(block.newest, now), place.newest or 0)
        self._clock.heard(part, place.newest, now)
        return block


def _name(part: Part) -> str:
    return f"kafka:{part.topic}/{part.number}"
