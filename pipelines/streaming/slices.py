"""A stream is a chain of small nights: every slice of time is a run of the ledger, judged and released by itself."""

from dataclasses import dataclass, replace
from typing import Any, Final

from apache_beam.transforms.window import FixedWindows
from apache_beam.utils.timestamp import Duration, Timestamp

from pipelines.resolving import Resolving
from pipelines.streaming.closing import Patience

MS: Final = 1_000
"""Microseconds, in which Beam counts, in a millisecond, in which engines count."""


@dataclass(frozen=True)
class Slices:
    """Slices of `length_ms` whose ends are `offset_ms` beyond a multiple of it, all in ms since the epoch."""

    length_ms: int
    offset_ms: int = 0

    def end(self, moment: int) -> int:
        """The end of the slice that holds `moment`; an end belongs to the next slice."""
        return (moment - self.offset_ms) // self.length_ms * self.length_ms + self.length_ms + self.offset_ms

    def windows(self) -> FixedWindows:
        """The slices as Beam's windows."""
        return FixedWindows(
            Duration(micros=self.length_ms * MS), Timestamp(micros=self.offset_ms % self.length_ms * MS)
        )


@dataclass(frozen=True)
class Stream:
    """How a stream runs.

    `resolving` holds the ledger, the policy and a run whose moment each slice sets
    anew; `patience` says when sessions close, `slices` when a run ends and is judged
    and `wide` over what common causes are looked for. Both are whole multiples of a
    tick. `until` is the moment at which a replay ends, null for a stream that goes
    on; `out` is the folder for tables of sessions, rejects and late records. What
    ended up to `settled` is in the ledger already: a stream that starts again reads
    records a second time, and passes over what they led to.
    """

    resolving: Resolving
    patience: Patience
    slices: Slices
    wide: Slices
    partitions: int
    until: int | None = None
    out: str | None = None
    settled: int = 0

    @property
    def ticks(self) -> Slices:
        """The moments at which sessions close and their findings are settled."""
        return Slices(self.patience.tick_ms, self.slices.offset_ms)

    def at(self, moment: int) -> Resolving:
        """What decides for everything of the slice that holds `moment`: one run, whatever the engine does twice."""
        run = replace(self.resolving.run, as_of=self.slices.end(moment))
        return replace(self.resolving, run=run)


def to_timestamp(moment: int) -> Timestamp:
    """Milliseconds since the epoch as Beam says them."""
    return Timestamp(micros=moment * MS)


def to_ms(timestamp: Timestamp) -> int:
    """Beam's timestamp in milliseconds since the epoch."""
    return int(timestamp.micros // MS)


def wake(end: int, known: Any, timer: Any) -> None:
    """Sets a timer for the end of a slice or tick and keeps that moment in a state.

    It fires a millisecond before, so that what comes of it belongs to the slice that ends there.
    """
    known.write(end)
    timer.set(to_timestamp(end - 1))
