"""Results that leave the graph: one file an element in a work folder, gathered after the run.

An element names its file itself, so that a bundle which runs twice writes the
same file twice. The folder may be on any filesystem that Beam opens.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import apache_beam as beam
import msgspec
import polars as pl
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from detectors.finding import Finding

COUNTS: Final = "counts"


class WriteParts(beam.PTransform[beam.PCollection, beam.PCollection]):
    """Writes each (name, bytes) to `folder/kind/name`."""

    def __init__(self, folder: str, kind: str) -> None:
        super().__init__()
        self._target = f"{folder}/{kind}"

    def expand(self, named: beam.PCollection) -> beam.PCollection:
        """Yields nothing of use: the files are the result."""
        return named | "WriteFile" >> beam.Map(_write, folder=self._target)


class WriteCounts(beam.PTransform[beam.PCollection, beam.PCollection]):
    """Sums (name, number) pairs over the whole run and writes the sums."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def expand(self, counts: beam.PCollection) -> beam.PCollection:
        """One file, `counts/<name>`, a name."""
        return (
            counts
            | "SumByName" >> beam.CombinePerKey(sum)
            | "Encode" >> beam.MapTuple(lambda name, number: (name, json.dumps(number).encode()))
            | "Write" >> WriteParts(self._folder, COUNTS)
        )


@dataclass(frozen=True)
class Parts:
    """The work folder as the command line reads it after the run."""

    folder: str

    def counts(self) -> Mapping[str, int]:
        """The sums by name."""
        return {name: int(json.loads(payload)) for name, payload in self._files(COUNTS)}

    def frames(self, kind: str, prefix: str = "") -> Iterator[pl.DataFrame]:
        """The Arrow parts of one kind whose names begin with `prefix`, by name."""
        for name, payload in self._files(kind):
            if name.startswith(prefix):
                yield pl.read_ipc_stream(io.BytesIO(payload))

    def findings(self) -> Iterator[Finding]:
        """The findings of the night, bound where they could be."""
        for _, payload in self._files("findings"):
            yield from msgspec.json.decode(payload, type=tuple[Finding, ...])

    def _files(self, kind: str) -> Iterator[tuple[str, bytes]]:
        (result,) = FileSystems.match([f"{self.folder}/{kind}/*"])
        for path in sorted(item.path for item in result.metadata_list):
            with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
                yield path.rsplit("/", 1)[-1], stream.read()


def _write(named: tuple[str, bytes], folder: str) -> str:
    name, payload = named
    path = f"{folder}/{name}"
    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
        stream.write(payload)
    return path
