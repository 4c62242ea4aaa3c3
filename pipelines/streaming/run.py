"""One stream from settings to its end, which for most streams is that somebody stops it."""

from collections.abc import Callable, Sequence

import apache_beam as beam

from pipelines.streaming import graph
from pipelines.streaming.engines import running
from pipelines.streaming.reading import ReadBlocks, StreamOptions, stream_source
from pipelines.streaming.settings import StreamSettings, prepare
from pipelines.streaming.watching import watched
from remediation.report.formats import one_line


def run_stream(
    settings: StreamSettings, beam_options: Sequence[str], tell: Callable[[str], None], *, drain: bool
) -> bool:
    """Reads, decides and records for as long as telemetry comes; with `drain`, up to what is there now.

    `tell` hears what comes into the ledger. Returns whether the source came to its
    end: False says that somebody stopped the stream.

    Raises:
      As `stream_source` and `prepare`; and EngineError where the engine cannot be started or breaks off.
    """
    stream_source(settings.source)  # What names no source is refused before a ledger is made or an engine looked for.
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

    with watched(settings.ledger_url, prepared.stream.settled, tell):
        return running(build, beam_options, ends=drain)
