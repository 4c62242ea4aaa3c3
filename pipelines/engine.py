"""The engine that carries the graph: always named, FnApiRunner in this process unless told otherwise."""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from detectors.telemetry.containers import Container, sniff
from pipelines.batches import Spill
from pipelines.graph import Plan
from pipelines.options import Options
from pipelines.settings import UsageError
from pipelines.sources import Source, open_source

LOCAL_RUNNER: Final = "FnApiRunner"
REFUSED_RUNNERS: Final = frozenset({"DirectRunner", "SwitchingDirectRunner"})

EVENTS_PER_PARTITION: Final = 500_000
"""A partition is assessed in memory at once: about 200 MB at this size."""

BYTES_PER_EVENT: Final = {Container.PARQUET: 8, Container.GZIP: 15, Container.ZSTD: 15, Container.PLAIN: 150}
"""What an event takes; what is not wrapped is text."""

MAX_PARTITIONS: Final = 256


def run(build: Callable[[beam.Pipeline], object], beam_options: Sequence[str]) -> None:
    """Builds the graph and runs it to its end.

    Raises:
      UsageError: The options name a runner that picks its engine by itself.
    """
    options = Options(list(beam_options))
    name = options.view_as(StandardOptions).runner
    runner = FnApiRunner() if name in {None, LOCAL_RUNNER} else name
    # Beam logs the whole trace of a step that failed, with whatever the failing library quotes of people's data;
    # the error itself comes out of here, and is told once, without that.
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        build(pipeline)


@contextmanager
def planned(sources: Sequence[Source], beam_options: Sequence[str]) -> Iterator[Plan]:
    """Where this run gathers and spills; what is local is removed at the end.

    Workers on other machines cannot see this one's disk: with `--temp_location`
    results are gathered there and batches travel through the engine's own shuffle.

    Raises:
      UsageError: The options name a runner that picks its engine by itself.
    """
    options = Options(list(beam_options))
    name = options.view_as(StandardOptions).runner
    if name in REFUSED_RUNNERS:
        raise UsageError(f"--runner={name} picks an engine by itself; name {LOCAL_RUNNER}, PrismRunner or FlinkRunner")
    shared = options.view_as(GoogleCloudOptions).temp_location
    folder = Path(tempfile.mkdtemp(prefix="makegood-"))
    spill = folder / "spill"
    spill.mkdir()
    local = name in {None, LOCAL_RUNNER}
    try:
        yield Plan(
            parts_folder=f"{shared.rstrip('/')}/{folder.name}" if shared else str(folder / "parts"),
            partitions=partitions(sources),
            threads=(os.cpu_count() or 1) if local else 1,
            spill=Spill(str(spill)) if local else None,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def partitions(sources: Sequence[Source]) -> int:
    """How many partitions keep each small enough for memory, from the files' sizes and first bytes."""
    events = sum(source.bytes // _bytes_per_event(source) for source in sources)
    return min(MAX_PARTITIONS, 1 + events // EVENTS_PER_PARTITION)


def _bytes_per_event(source: Source) -> int:
    with open_source(source.path) as stream:
        return BYTES_PER_EVENT[sniff(stream.read(4))]
