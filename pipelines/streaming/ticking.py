"""A slow clock in event time: what is late or lost shows by time alone, without any record that says so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.coders import VarIntCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

from pipelines.streaming.slices import Alarm, Slices, to_ms


@dataclass
class Tick(beam.PTransform[beam.PCollection, beam.PCollection]):
    """Moments of blocks, in ms since the epoch, to the end of every slice from the first of them on.

    It goes on to `until`, else for as long as the clock of the machine does: at
    the end of a stream that is drained, event time runs on for ever.
    """

    slices: Slices
    until: int | None

    def expand(self, moments: beam.PCollection) -> beam.PCollection:
        """One key: there is one clock."""
        return (
            moments
            | "ToOneClock" >> beam.WithKeys(0)
            | "Tick" >> beam.ParDo(_Clock(self.slices, self.until)).with_output_types(int)
        )


class _Clock(beam.DoFn):
    NEXT = ReadModifyWriteStateSpec("next", VarIntCoder())
    TICK = TimerSpec("tick", TimeDomain.WATERMARK)

    def __init__(self, slices: Slices, until: int | None) -> None:
        self._slices = slices
        self._until = until
        self._alarm = Alarm()

    def start_bundle(self) -> None:
        """What was known of the alarm is as old as the last bundle."""
        self._alarm.forget()

    def process(
        self,
        moment: tuple[int, int],
        following: Any = beam.DoFn.StateParam(NEXT),
        timer: Any = beam.DoFn.TimerParam(TICK),
    ) -> None:
        if self._alarm.end(0, following) is None:
            self._alarm.set(self._slices.end(moment[1]), 0, following, timer)

    @on_timer(TICK)
    def tick(
        self,
        following: Any = beam.DoFn.StateParam(NEXT),
        timer: Any = beam.DoFn.TimerParam(TICK),
    ) -> Iterator[int]:
        end = self._alarm.rings(0, following)
        yield end
        last = to_ms(Timestamp.now()) + self._slices.length_ms if self._until is None else self._until
        if end + self._slices.length_ms <= last:
            self._alarm.set(end + self._slices.length_ms, 0, following, timer)
