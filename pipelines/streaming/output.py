"""Tables beside the ledger: a Parquet file a block or tick, the same file again where an engine repeats itself."""

import io

import apache_beam as beam
import polars as pl

from pipelines.parts import WriteParts


class WriteTables(beam.PTransform[beam.PCollection, beam.PCollection]):
    """(name, packed table) to `folder/kind/name.parquet`."""

    def __init__(self, folder: str, kind: str) -> None:
        super().__init__()
        self._folder = folder
        self._kind = kind

    def expand(self, named: beam.PCollection) -> beam.PCollection:
        """Yields nothing of use: the files are the result."""
        return named | "ToParquet" >> beam.MapTuple(_parquet) | "Write" >> WriteParts(self._folder, self._kind)


def _parquet(name: str, payload: bytes) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    pl.read_ipc_stream(io.BytesIO(payload)).write_parquet(buffer)
    return f"{name}.parquet", buffer.getvalue()
