"""The session table becomes findings: few, and therefore objects."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import polars as pl

from detectors.finding import Finding
from detectors.playback.failures import findings
from detectors.playback.rules import PlaybackRules
from detectors.schemas import SESSIONS_WITH_EVIDENCE, complete


@dataclass
class FindFailures(beam.PTransform[beam.PCollection, beam.PCollection]):
    """(name, packed sessions) to (name, the findings of these sessions)."""

    rules: PlaybackRules

    def expand(self, sessions: beam.PCollection) -> beam.PCollection:
        """The findings of a partition stay together, so that look-ups come in batches."""
        return sessions | "Judge" >> beam.FlatMap(_find, rules=self.rules)


def _find(named: tuple[str, bytes], rules: PlaybackRules) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    name, payload = named
    sessions = complete(pl.read_ipc_stream(io.BytesIO(payload)), SESSIONS_WITH_EVIDENCE)
    found = tuple(findings(sessions, rules))
    if found:
        yield name, found
