"""Folders played as a stream on the engine of the tests, which gives everything and then lets time pass."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import apache_beam as beam
import msgspec
import polars as pl
from apache_beam.transforms.window import TimestampedValue
from sqlalchemy import Table, select

from detectors.telemetry.decode import Decoded, decode
from pipelines.engine import run
from pipelines.nightly import run_night
from pipelines.settings import NightSettings, replay_settings
from pipelines.sources import find, open_source
from pipelines.streaming import graph
from pipelines.streaming.blocks import Block
from pipelines.streaming.clock import stream_times
from pipelines.streaming.settings import StreamSettings, prepare
from pipelines.streaming.slices import to_timestamp
from remediation.database import open_database
from remediation.ledger.tables import DECLINED, FINDINGS, REMEDIES, RUNS
from tests.support.stores import empty_file

HOUR_MS = 3_600_000
WHOLE_MS = 30 * 24 * HOUR_MS
"""A slice that holds any fixture: then a stream decides once, as a night does."""


@dataclass
class Played:
    """A fixture that is played as a stream on a ledger of its own.

    `arrives` is how far the source was before it gave a file.
    """

    night: NightSettings
    slice_ms: int = WHOLE_MS
    lateness_ms: int = 120_000
    arrives: dict[str, int] = field(default_factory=dict)

    @classmethod
    def fixture(cls, folder: Path, scratch: Path, slice_ms: int = WHOLE_MS) -> "Played":
        scratch.mkdir(exist_ok=True)
        night = replay_settings(folder, scratch, scratch / "out", None, 0, ())
        return cls(replace(night, ledger_url=empty_file(scratch / "ledger.db")), slice_ms)

    @property
    def settings(self) -> StreamSettings:
        return StreamSettings(
            source="dir:telemetry",
            book=self.night.book,
            ledger_url=self.night.ledger_url,
            policy_path=self.night.policy_path,
            beacon_keys=None,
            out=self.night.out,
            tick_ms=5_000,
            slice_ms=self.slice_ms,
            wide_ms=self.slice_ms,
            lateness_ms=self.lateness_ms,
            until=self.night.as_of,
        )

    def stream(self) -> None:
        """Plays everything that was not settled before."""
        prepared = prepare(self.settings)
        elements = list(self._elements(prepared.since))

        def build(pipeline: beam.Pipeline) -> None:
            given = pipeline | beam.Create(elements)
            blocks = given | beam.Map(lambda each: TimestampedValue(each[1], to_timestamp(each[0])))
            graph.stream(blocks, prepared.stream)

        run(build, ())

    def nightly(self) -> "Played":
        """The same folder, as a night on a ledger beside."""
        ledger = Path(self.night.ledger_url.removeprefix("sqlite:///")).with_name("night.db")
        beside = replace(self.night, ledger_url=empty_file(ledger), now=self.night.as_of)
        run_night(beside)
        return replace(self, night=beside)

    def nightly_on_the_same_ledger(self) -> None:
        """The night after the stream, which corrects it."""
        run_night(replace(self.night, now=self.night.as_of))

    def rows(self, table: Table, *columns: str) -> set[tuple[object, ...]]:
        """Some columns of a table of the ledger."""
        engine = open_database(self.night.ledger_url)
        with engine.connect() as connection:
            found = {tuple(row) for row in connection.execute(select(*(table.c[name] for name in columns)))}
        engine.dispose()
        return found

    @property
    def found(self) -> set[tuple[object, ...]]:
        """What was found."""
        return self.rows(FINDINGS, "finding_id", "subject_id", "order_line_id", "occurred_from", "occurred_to", "fault")

    @property
    def decided(self) -> set[tuple[object, ...]]:
        """What was decided."""
        owed = self.rows(REMEDIES, "remedy_id", "order_line_id", "number", "state")
        return owed | self.rows(DECLINED, "declined_id", "code")

    @property
    def states(self) -> set[object]:
        """In which states the slices are."""
        return {state for (state,) in self.rows(RUNS, "state")}

    def _elements(self, since: int | None) -> Iterator[tuple[int, bytes]]:
        """(watermark before the block, block), in the order of time; what is settled is left out, and not counted."""
        blocks = []
        for source in find(self.night.telemetry):
            with open_source(source.path) as stream:
                for number, decoded in enumerate(decode(stream, source.path)):
                    kept = decoded if since is None else _since(decoded, since)
                    block = Block.of(source.path, number, kept)
                    block = msgspec.structs.replace(
                        block, records=decoded.record_count - _height(decoded) + _height(kept)
                    )
                    blocks.append((self.arrives.get(Path(source.path).name, block.oldest), block.written()))
        first = min((oldest for oldest, _ in blocks if oldest is not None), default=since or self.night.as_of)
        yield from sorted((first if oldest is None else oldest, block) for oldest, block in blocks)


def _height(decoded: Decoded) -> int:
    return decoded.events.height + decoded.scans.height + decoded.contacts.height


def _since(decoded: Decoded, since: int) -> Decoded:
    def younger(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(stream_times(frame) >= since) if frame.height else frame

    return replace(
        decoded, events=younger(decoded.events), scans=younger(decoded.scans), contacts=younger(decoded.contacts)
    )
