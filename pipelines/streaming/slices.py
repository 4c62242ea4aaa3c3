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


class Alarm:
    """When the timer of a key rings, as a state of the engine keeps it; the state is read once a bundle.

    It rings a millisecond before the end of a slice or tick, so that what comes of it belongs to the slice that ends.
    """

    def __init__(self) -> None:
        self._ends: dict[int, int | None] = {}

    def forget(self) -> None:
        """A bundle begins: others may have set the states since."""
        self._ends.clear()

    def end(self, key: int, state: Any) -> int | None:
        """What is set: the end of a slice or tick in ms since the epoch; null where nothing is."""
        if key not in self._ends:
            self._ends[key] = state.read()
        return self._ends[key]

    def rings(self, key: int, state: Any) -> int:
        """The end for which it rings now."""
        end = self.end(key, state)
        assert end is not None  # noqa: S101  # a timer is never set without its state
        return end

    def set_by(self, end: int, key: int, state: Any, timer: Any) -> None:
        """Rings for this end at the latest."""
        known = self.end(key, state)
        if known is None or end < known:
            self.set(end, key, state, timer)

    def set(self, end: int | None, key: int, state: Any, timer: Any) -> None:
        """Rings for this end, after it has rung; null is for none."""
        self._ends[key] = end
        if end is None:
            state.clear()
        else:
            state.write(end)
            timer.set(to_timestamp(end - 1))
