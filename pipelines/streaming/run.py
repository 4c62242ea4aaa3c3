"""One stream from settings to its end, which for most streams is that somebody stops it."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import apache_beam as beam

from pipelines.metering import serving
from pipelines.streaming import graph
from pipelines.streaming.engines import running
from pipelines.streaming.reading import ReadBlocks, StreamOptions, stream_source
from pipelines.streaming.settings import StreamSettings, prepare
from pipelines.streaming.watching import watched
from remediation.database import open_database, open_ledger
from remediation.ledger.measures import Runs
from remediation.locks import Right, held
from remediation.report.formats import one_line

_KEYS: Final = 0x73747265 << 32
"""Of the rights to read a source, each with the source's checksum below it."""


def run_stream(
    settings: StreamSettings,
    beam_options: Sequence[str],
    tell: Callable[[str], None],
    *,
    drain: bool,
    metrics: tuple[str, int] | None = None,
) -> bool:
    """Reads, decides and records for as long as telemetry comes; with `drain`, up to what is there now.

    `tell` hears what comes into the ledger; at `metrics` Prometheus is answered. Returns whether the source came to its
    end: False says that somebody stopped the stream.

    Raises:
      As `stream_source` and `prepare`; BusyError where another stream reads this source into this ledger; and
        EngineError where the engine cannot be started or breaks off.
    """
    stream_source(settings.source)  # What names no source is refused before a ledger is made or an engine looked for.
    with alone(settings):
        return _run(settings, beam_options, tell, drain=drain, metrics=metrics)


@contextmanager
def alone(settings: StreamSettings) -> Iterator[None]:
    """Two streams of one source would each judge a slice by what it had seen when the other had written half of it."""
    checksum = zlib.crc32(settings.source.encode())
    engine = open_database(settings.ledger_url)
    name, advice = f"stream-{checksum:08x}", "let it go on, or end it first"
    try:
        with held(engine, Right(name, _KEYS | checksum, "another stream of this source runs on this ledger", advice)):
            yield
    finally:
        engine.dispose()


def _run(
    settings: StreamSettings,
    beam_options: Sequence[str],
    tell: Callable[[str], None],
    *,
    drain: bool,
    metrics: tuple[str, int] | None,
) -> bool:
    prepared = prepare(settings)
    for reject in prepared.rejects:
        tell(one_line(f"{reject.source}:{reject.line}: {reject.reason}"))
    options = StreamOptions(
        # The allowed lateness is all the tolerance there is: a second one would only add to the waiting.
        disorder_ms=0,
        until_end=drain,
        since_ms=prepared.since,
        beacon_keys=settings.beacon_keys,
    )

    def build(pipeline: beam.Pipeline) -> None:
        blocks = pipeline | "ReadBlocks" >> ReadBlocks(settings.source, options)
        graph.stream(blocks, prepared.stream)

    settled = prepared.stream.settled
    with _measured(settings.ledger_url, settled, metrics, tell), watched(settings.ledger_url, settled, tell):
        return running(build, beam_options, ends=drain)


@contextmanager
def _measured(
    ledger_url: str, settled: int, address: tuple[str, int] | None, tell: Callable[[str], None]
) -> Iterator[None]:
    """Counts begin with this process, as Prometheus expects of counters."""
    if address is None:
        yield
        return
    engine = open_ledger(ledger_url)
    try:
        with serving(address, engine, Runs("stream", settled)) as url:
            tell(f"metrics at {url}")
            yield
    finally:
        engine.dispose()
