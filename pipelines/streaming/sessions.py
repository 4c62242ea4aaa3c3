"""Batches of events become closed sessions, a partition at a time.

What waits is state of the engine, so that a checkpoint holds it; the timer is in
event time and holds the watermark back, so that what closes is never late.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder, VarIntCoder
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)

from detectors.playback.sessions import sessionize
from pipelines.batches import pack, unpack
from pipelines.streaming.closing import GONE, Closed, close
from pipelines.streaming.slices import Stream, wake

Batch = tuple[int, tuple[int, bytes]]
"""(partition, (the first tick at which any of it could close, packed events))."""


class ClosedSessions(NamedTuple):
    """What waiting gives.

    (name, packed sessions); (name, packed events that came too late); (name,
    number); (tick, the stream time of the oldest record that still waits).
    """

    sessions: beam.PCollection
    late: beam.PCollection
    counts: beam.PCollection
    waiting: beam.PCollection


@dataclass
class AssessClosed(beam.PTransform[beam.PCollection, ClosedSessions]):
    """Batches to the table of the sessions that are over, at the tick at which they are."""

    stream: Stream

    def expand(self, batches: beam.PCollection) -> ClosedSessions:
        """The state of a partition is one worker's at a time."""
        assessed = batches | "WaitAndAssess" >> beam.ParDo(_Wait(self.stream)).with_outputs(*ClosedSessions._fields)
        return ClosedSessions(*(assessed[tag] for tag in ClosedSessions._fields))


class _Wait(beam.DoFn):
    ROWS = BagStateSpec("rows", BytesCoder())
    GONE = ReadModifyWriteStateSpec("gone", BytesCoder())
    DUE = ReadModifyWriteStateSpec("due", VarIntCoder())
    CLOSE = TimerSpec("close", TimeDomain.WATERMARK)

    def __init__(self, stream: Stream) -> None:
        self._rules = stream.resolving.policy.playback
        self._patience = stream.patience
        self._slices = stream.slices
        self._settled = stream.settled

    def process(
        self,
        batch: Batch,
        rows: Any = beam.DoFn.StateParam(ROWS),
        due: Any = beam.DoFn.StateParam(DUE),
        timer: Any = beam.DoFn.TimerParam(CLOSE),
    ) -> None:
        _, (first, payload) = batch
        rows.add(payload)
        known = due.read()
        if known is None or first < known:
            wake(first, due, timer)

    @on_timer(CLOSE)
    def close(
        self,
        partition: int = beam.DoFn.KeyParam,
        rows: Any = beam.DoFn.StateParam(ROWS),
        gone: Any = beam.DoFn.StateParam(GONE),
        due: Any = beam.DoFn.StateParam(DUE),
        timer: Any = beam.DoFn.TimerParam(CLOSE),
    ) -> Iterator[TaggedOutput]:
        at = due.read()
        remembered = gone.read()
        closed = close(unpack(rows.read()), unpack([remembered] if remembered else [], GONE), at, self._patience)
        if closed.closed.height or closed.strays.height:
            rows.clear()
            if closed.waiting.height:
                rows.add(pack(closed.waiting))
        if closed.gone.height:
            gone.write(pack(closed.gone))
        else:
            gone.clear()
        if closed.due is None:
            due.clear()
        else:
            # At least once a slice, so that every slice knows what still waits.
            wake(min(closed.due, self._slices.end(at)), due, timer)
        if at > self._settled:
            yield from self._outputs(at, f"{at}-{partition:06d}", closed)

    def _outputs(self, at: int, name: str, closed: Closed) -> Iterator[TaggedOutput]:
        if closed.strays.height:
            yield TaggedOutput("late", (f"{name}-strays", pack(closed.strays)))
            yield TaggedOutput("counts", ("late", closed.strays.height))
        if closed.closed.height:
            assessed = sessionize(closed.closed, self._rules)
            yield TaggedOutput("sessions", (name, pack(assessed.sessions)))
            yield TaggedOutput("counts", ("used", int(assessed.sessions["events"].sum())))
            yield TaggedOutput("counts", ("duplicate", assessed.duplicate))
            yield TaggedOutput("counts", ("late", assessed.late))
        yield TaggedOutput("counts", ("open", -closed.closed.height - closed.strays.height))
        if closed.oldest is not None:
            yield TaggedOutput("waiting", (at, closed.oldest))
