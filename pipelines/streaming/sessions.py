"""Batches of events become closed sessions, a partition at a time.

What waits is state of the engine, so that a checkpoint holds it; the timer is in
event time and holds the watermark back, so that what closes is never late. A worker
keeps the partitions that it closed last, and reads from the engine what has come
since; the mark of a partition, new at every tick, tells it that nobody else went on.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder, TupleCoder, VarIntCoder
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.shared import Shared

from detectors.playback.sessions import sessionize
from pipelines.batches import pack, unpack
from pipelines.streaming.closing import Closed
from pipelines.streaming.slices import Alarm, Stream
from pipelines.streaming.waiting import Waiting

Batch = tuple[int, tuple[int, bytes]]
"""(partition, (the first tick at which any of it could close, packed events))."""

OF_TICK: Final = TupleCoder((VarIntCoder(), BytesCoder()))


class ClosedSessions(NamedTuple):
    """What waiting gives.

    (name, packed sessions); (name, packed events that came too late); {name:
    number}; (tick, the stream time of the oldest record that still waits).
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


class Known:
    """The partitions of a worker, each as of its mark."""

    def __init__(self) -> None:
        self._partitions: dict[int, tuple[bytes, Waiting]] = {}

    def take(self, partition: int, mark: bytes | None) -> Waiting | None:
        """The partition, if it is known as of this mark; nobody has it until it is put back."""
        known = self._partitions.pop(partition, None)
        return known[1] if known is not None and known[0] == mark else None

    def put(self, partition: int, mark: bytes, waiting: Waiting) -> None:
        """The partition as of a mark."""
        self._partitions[partition] = (mark, waiting)


class _Wait(beam.DoFn):
    FRESH = BagStateSpec("fresh", BytesCoder())
    KEPT = BagStateSpec("kept", OF_TICK)
    OVER = BagStateSpec("over", OF_TICK)
    MARK = ReadModifyWriteStateSpec("mark", BytesCoder())
    DUE = ReadModifyWriteStateSpec("due", VarIntCoder())
    CLOSE = TimerSpec("close", TimeDomain.WATERMARK)

    def __init__(self, stream: Stream) -> None:
        self._rules = stream.resolving.policy.playback
        self._patience = stream.patience
        self._slices = stream.slices
        self._settled = stream.settled
        self._alarm = Alarm()
        self._shared = Shared()

    def setup(self) -> None:
        """An engine calls several of these in one process, now this one and now that one."""
        self._known: Known = self._shared.acquire(Known)

    def start_bundle(self) -> None:
        """What was known of alarms is as old as the last bundle."""
        self._alarm.forget()

    def process(
        self,
        batch: Batch,
        fresh: Any = beam.DoFn.StateParam(FRESH),
        due: Any = beam.DoFn.StateParam(DUE),
        timer: Any = beam.DoFn.TimerParam(CLOSE),
    ) -> None:
        partition, (first, payload) = batch
        fresh.add(payload)
        self._alarm.set_by(first, partition, due, timer)

    @on_timer(CLOSE)
    def close(  # noqa: PLR0913, PLR0917  # every state is a parameter
        self,
        partition: int = beam.DoFn.KeyParam,
        fresh: Any = beam.DoFn.StateParam(FRESH),
        kept: Any = beam.DoFn.StateParam(KEPT),
        over: Any = beam.DoFn.StateParam(OVER),
        mark: Any = beam.DoFn.StateParam(MARK),
        due: Any = beam.DoFn.StateParam(DUE),
        timer: Any = beam.DoFn.TimerParam(CLOSE),
    ) -> Iterator[TaggedOutput]:
        at = self._alarm.rings(partition, due)
        waiting = self._known.take(partition, mark.read()) or self._again(kept, over)
        closed = waiting.close(unpack(fresh.read()), at)
        fresh.clear()
        now = uuid.uuid4().bytes
        self._known.put(partition, now, self._kept(waiting, closed, at, kept, over))
        mark.write(now)
        # At least once a slice, so that every slice knows what still waits.
        following = None if closed.due is None else min(closed.due, self._slices.end(at))
        self._alarm.set(following, partition, due, timer)
        if at > self._settled:
            yield from self._outputs(at, f"{at}-{partition:06d}", closed)

    def _again(self, kept: Any, over: Any) -> Waiting:
        return Waiting(self._patience, *([(at, unpack([rows])) for at, rows in log.read()] for log in (kept, over)))

    def _kept(self, waiting: Waiting, closed: Closed, at: int, kept: Any, over: Any) -> Waiting:
        """Has the engine keep what a tick changed, or the whole in short; gives what goes on from there."""
        rows, ended = [(at, closed.kept)], [(at, closed.over)]
        if waiting.is_wasteful:
            rows, ended = waiting.short(at)
            waiting = Waiting(self._patience, rows, ended)
            kept.clear()
            over.clear()
        for log, entries in ((kept, rows), (over, ended)):
            for tick, frame in entries:
                if frame.height:
                    log.add((tick, pack(frame, "lz4")))
        return waiting

    def _outputs(self, at: int, name: str, closed: Closed) -> Iterator[TaggedOutput]:
        counts = {"open": -closed.closed.height - closed.strays.height, "late": closed.strays.height}
        if closed.strays.height:
            yield TaggedOutput("late", (f"{name}-strays", pack(closed.strays)))
        if closed.closed.height:
            assessed = sessionize(closed.closed, self._rules)
            yield TaggedOutput("sessions", (name, pack(assessed.sessions)))
            counts["used"] = int(assessed.sessions["events"].sum())
            counts["duplicate"] = assessed.duplicate
            counts["late"] += assessed.late
        yield TaggedOutput("counts", counts)
        if closed.oldest is not None:
            yield TaggedOutput("waiting", (at, closed.oldest))
