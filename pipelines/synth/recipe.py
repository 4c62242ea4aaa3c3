"""What a night is made from: sizes, seed and mix; the same recipe gives the same bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import numpy as np

TelemetryFormat = Literal["mixed", "parquet", "jsonl", "cmcd"]

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
CHUNK_EVENTS: Final = 400_000
BATCH_PARCELS: Final = 5_000
"""So many events, and so many parcels, are in memory at a time."""

_FIRST_NIGHT: Final = 1_795_327_200_000  # 2026-11-22T06:00:00Z
_NIGHTS: Final = 364  # a whole number of weeks, within which clocks change twice
_SESSIONS_A_PARCEL: Final = 10

_STREAMS: Final = {"chunk": 0, "night": 1, "parcels": 2, "journeys": 3}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of the sessions, which began in one stretch of the evening; `share` is from where to where, 0 to 1."""

    number: int
    sessions: int
    share: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One night.

    `events_per_session` is a mean over sessions of heavy-tailed lengths. Where
    `healthy`, everything happens at the published base rates: nothing breaks at
    large, nobody forges anything, and every parcel arrives.
    """

    sessions: int
    seed: int
    telemetry: TelemetryFormat = "mixed"
    events_per_session: float = 40.0
    parcels: int | None = None
    healthy: bool = False

    @property
    def as_of(self) -> int:
        """The moment of the decision, in milliseconds since the epoch: six in the morning, on a day by the seed."""
        return _FIRST_NIGHT + self.seed % _NIGHTS * DAY_MS

    @property
    def as_of_text(self) -> str:
        """The same as ISO 8601."""
        return f"{datetime.fromtimestamp(self.as_of / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def parcel_count(self) -> int:
        """How many parcels, as was asked for or in proportion."""
        return self.sessions // _SESSIONS_A_PARCEL if self.parcels is None else self.parcels

    def chunks(self) -> Iterator[Chunk]:
        """The sessions in parts that fit into memory."""
        most = max(1, int(CHUNK_EVENTS / self.events_per_session))
        count = -(-self.sessions // most)
        for number in range(count):
            first, end = (self.sessions * each // count for each in (number, number + 1))
            yield Chunk(number, end - first, (number / count, (number + 1) / count))

    def batches(self) -> Iterator[range]:
        """The numbers of the parcels in parts that fit into memory."""
        for first in range(0, self.parcel_count, BATCH_PARCELS):
            yield range(first, min(first + BATCH_PARCELS, self.parcel_count))

    def random(self, stream: Literal["chunk", "night", "parcels", "journeys"], number: int = 0) -> np.random.Generator:
        """Chance for one part of the night, independent of every other part."""
        return np.random.default_rng([self.seed, _STREAMS[stream], number])
