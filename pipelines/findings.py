"""The session table becomes findings: few, and therefore objects."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import apache_beam as beam
import polars as pl
from apache_beam.pvalue import TaggedOutput

from detectors.incidents import playback_tally
from detectors.playback.failures import findings
from detectors.playback.rules import PlaybackRules
from detectors.schemas import SESSIONS_WITH_EVIDENCE, complete
from pipelines.tallies import TALLIES, tally_outputs

FINDINGS: Final = "findings"


class Found(NamedTuple):
    """(name, findings that belong together), and (name, packed tally)."""

    findings: beam.PCollection
    tallies: beam.PCollection


@dataclass
class FindPlaybackFailures(beam.PTransform[beam.PCollection, Found]):
    """(name, packed sessions) to the findings of these sessions."""

    rules: PlaybackRules

    def expand(self, sessions: beam.PCollection) -> Found:
        """The findings of a partition stay together, so that look-ups come in batches."""
        judged = sessions | "Judge" >> beam.ParDo(_Judge(self.rules)).with_outputs(FINDINGS, TALLIES)
        return Found(judged[FINDINGS], judged[TALLIES])


class _Judge(beam.DoFn):
    def __init__(self, rules: PlaybackRules) -> None:
        self._rules = rules

    def process(self, named: tuple[str, bytes]) -> Iterator[TaggedOutput]:
        name, payload = named
        sessions = complete(pl.read_ipc_stream(io.BytesIO(payload)), SESSIONS_WITH_EVIDENCE)
        found = tuple(findings(sessions, self._rules))
        if found:
            yield TaggedOutput(FINDINGS, (name, found))
        yield from tally_outputs(name, playback_tally(sessions, found))
