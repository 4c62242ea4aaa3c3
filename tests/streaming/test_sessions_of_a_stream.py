"""The step that waits: whatever an engine repeats, moves or forgets of it, the same sessions come out, once."""

from collections import Counter
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from detectors.schemas import SESSIONS_WITH_EVIDENCE, complete
from pipelines.batches import pack, split, unpack
from pipelines.resolving import Resolving
from pipelines.streaming.clock import stream_times
from pipelines.streaming.closing import earliest_due
from pipelines.streaming.sessions import Known, _Wait
from pipelines.streaming.slices import Slices, Stream, to_ms
from pipelines.streaming.waiting import Waiting
from remediation.ledger.run import Run
from remediation.policy.load import default_policy
from tests.detectors.playback.evenings import frame
from tests.streaming.flowing import PATIENCE, arriving, blocks, in_order
from tests.streaming.test_closing import LATENESS, many_visits

PARTITIONS = 2
SLICES = Slices(3_600_000)
POLICY = default_policy()
STREAM = Stream(
    Resolving("sqlite://", None, POLICY, Run(0, POLICY.sha256, "1", ())), PATIENCE, SLICES, SLICES, PARTITIONS
)


class Bag(list[Any]):
    def read(self) -> list[Any]:
        return list(self)

    add = list.append


class Cell(list[Any]):
    def read(self) -> Any:
        return self[0] if self else None

    def write(self, value: Any) -> None:
        self[:] = [value]


class Timer(Cell):
    def set(self, moment: Any) -> None:
        self.write(to_ms(moment))


@dataclass
class Partition:
    """What an engine keeps of one."""

    fresh: Bag = field(default_factory=Bag)
    kept: Bag = field(default_factory=Bag)
    over: Bag = field(default_factory=Bag)
    mark: Cell = field(default_factory=Cell)
    due: Cell = field(default_factory=Cell)
    timer: Timer = field(default_factory=Timer)

    def take(self, worker: _Wait, batch: tuple[int, tuple[int, bytes]]) -> list[Any]:
        worker.process(batch, self.fresh, self.due, self.timer)
        return []

    def ring(self, worker: _Wait, number: int) -> list[Any]:
        self.timer.clear()
        return list(worker.close(number, self.fresh, self.kept, self.over, self.mark, self.due, self.timer))


class Engine:
    """Some workers, each of them a process; so many of their bundles are lost when they are done, and done again."""

    def __init__(self, workers: int, lost: float) -> None:
        self.luck = Random(workers)  # noqa: S311 a reproducible evening
        self.workers = [_Wait(STREAM) for _ in range(workers)]
        for worker in self.workers:
            worker.setup()
        self.lost = lost
        self.partitions = [Partition() for _ in range(PARTITIONS)]
        self.given: list[Any] = []

    def bundle(self, number: int, work: Callable[[Partition, _Wait], list[Any]]) -> None:
        while True:
            worker = self.luck.choice(self.workers)
            worker.start_bundle()
            partition = deepcopy(self.partitions[number])
            given = work(partition, worker)
            if self.luck.random() >= self.lost:
                break
        self.partitions[number] = partition
        self.given += given

    def stream(self, given: Iterable[pl.DataFrame]) -> "Engine":
        for block in given:
            for number, part in split(block, PARTITIONS):
                batch = (number, (earliest_due(part, PATIENCE) or 0, pack(part)))
                self.bundle(number, lambda partition, worker, batch=batch: partition.take(worker, batch))  # type: ignore[misc]
            self.passes(int(stream_times(block).to_numpy().max()) - LATENESS)
        return self.passes(2**53)

    def passes(self, watermark: int) -> "Engine":
        for number in range(PARTITIONS):
            while (rings := self.partitions[number].timer.read()) is not None and rings <= watermark:
                self.bundle(number, lambda partition, worker, number=number: partition.ring(worker, number))  # type: ignore[misc]
        return self

    @property
    def sessions(self) -> pl.DataFrame:
        tables = dict(each.value for each in self.given if each.tag == "sessions")
        return in_order([complete(unpack([table]), SESSIONS_WITH_EVIDENCE) for table in tables.values()])

    @property
    def counts(self) -> Counter[str]:
        return sum((Counter(each.value) for each in self.given if each.tag == "counts"), Counter())


def test_lost_bundles_and_wandering_partitions_change_nothing() -> None:
    evening = frame(many_visits(Random(2)))  # noqa: S311 likewise
    coming = list(blocks(arriving(evening, Random(3), disorder_ms=LATENESS // 2), [120]))  # noqa: S311 likewise

    steady = Engine(workers=1, lost=0).stream(coming)
    unsteady = Engine(workers=3, lost=0.3).stream(coming)

    assert steady.sessions.height >= 30
    assert_frame_equal(unsteady.sessions, steady.sessions)
    assert unsteady.counts == steady.counts
    assert steady.counts["used"] + steady.counts["duplicate"] == evening.height


def test_what_broke_off_within_a_tick_is_not_gone_on_with() -> None:
    known = Known()
    known.put(1, b"mark", Waiting(PATIENCE))

    assert known.take(1, b"mark")
    assert known.take(1, b"mark") is None
