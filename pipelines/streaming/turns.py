"""What must happen one after the other: everything up to a moment, then everything up to the next.

A timer and a state of our own instead of windows and a grouping: an engine may pass on
several windows at once. Two ticks that decide about one order line side by side
would both take its first slot; a slice that ended before the one ahead of it would
be judged without it, and be taken for the place to start from again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import apache_beam as beam
from apache_beam.coders import FastPrimitivesCoder, VarIntCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer

from pipelines.resolving import LedgerFn
from pipelines.streaming.slices import Alarm, Slices, Stream, to_ms

T = TypeVar("T")


@dataclass
class InTurn(beam.PTransform[beam.PCollection, beam.PCollection]):
    """Elements of the global window, gathered and given to `turn` slice by slice, by the elements' timestamps."""

    turn: "Turn[Any]"

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        """One key: there is one turn at a time."""
        return elements | "Together" >> beam.WithKeys(0) | "InTurn" >> beam.ParDo(self.turn)


class Turn(LedgerFn, Generic[T]):
    """A DoFn with the ledger open that `take`s what belongs to each of some slices, in their order."""

    ELEMENTS = BagStateSpec("elements", FastPrimitivesCoder())
    NEXT = ReadModifyWriteStateSpec("next", VarIntCoder())
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, stream: Stream, slices: Slices) -> None:
        super().__init__(stream.resolving)
        self.stream = stream
        self._slices = slices
        self._alarm = Alarm()

    def start_bundle(self) -> None:
        """What was known of the alarm is as old as the last bundle."""
        self._alarm.forget()

    def take(self, end: int, elements: Iterable[T]) -> Iterator[Any]:
        """Does what has to be done at the end of a slice; what it yields belongs to that slice. Runs again at will."""
        raise NotImplementedError

    def process(
        self,
        keyed: tuple[int, T],
        timestamp: Any = beam.DoFn.TimestampParam,
        elements: Any = beam.DoFn.StateParam(ELEMENTS),
        following: Any = beam.DoFn.StateParam(NEXT),
        timer: Any = beam.DoFn.TimerParam(END),
    ) -> None:
        """Keeps what is not settled already."""
        end = self._slices.end(to_ms(timestamp))
        if end <= self.stream.settled:
            return
        elements.add((end, keyed[1]))
        self._alarm.set_by(end, 0, following, timer)

    @on_timer(END)
    def end(
        self,
        elements: Any = beam.DoFn.StateParam(ELEMENTS),
        following: Any = beam.DoFn.StateParam(NEXT),
        timer: Any = beam.DoFn.TimerParam(END),
    ) -> Iterator[Any]:
        """The next slice is over."""
        end = self._alarm.rings(0, following)
        known = list(elements.read())
        elements.clear()
        later = [each for each in known if each[0] > end]
        for each in later:
            elements.add(each)
        self._alarm.set(min((of for of, _ in later), default=None), 0, following, timer)
        yield from self.take(end, (element for of, element in known if of <= end))
