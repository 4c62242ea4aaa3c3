"""The folder of a night, written part by part, so that no file need be in memory."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.synth.jsontext import json_lines
from pipelines.synth.recipe import Recipe
from pipelines.synth.truth import FILE

_ROW_GROUP: Final = 500_000
_WAITING: Final = 4
"""So many frames may wait to be written while others are made."""


class Folder:
    """Where a night is written to; a context, at whose end all files are whole.

    One thread writes, in the order of the calls, while the next part is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._texts: dict[str, IO[bytes]] = {}
        self._tables: dict[str, pq.ParquetWriter] = {}
        self._hand = ThreadPoolExecutor(max_workers=1)
        self._under_way: list[Future[None]] = []

    def __enter__(self) -> Self:
        """Makes the folder."""
        (self.path / "telemetry").mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Closes every file, once everything is written."""
        try:
            self._await(0)
        finally:
            self._hand.shutdown()
            for text in self._texts.values():
                text.close()
            for table in self._tables.values():
                table.close()

    def lines(self, name: str, frame: pl.DataFrame) -> None:
        """Appends the rows to a file of JSON Lines."""
        self._submit(lambda: self._append(name, json_lines(frame)))

    def text(self, name: str, content: bytes) -> None:
        """Appends to a text file."""
        self._submit(lambda: self._append(name, content))

    def table(self, name: str, frame: pl.DataFrame) -> None:
        """Appends the rows to a Parquet file."""
        self._submit(lambda: self._extend(name, frame.to_arrow()))

    def truth(self, frame: pl.DataFrame) -> None:
        """Appends to the truth."""
        self.table(FILE, frame)

    def as_of(self, recipe: Recipe) -> None:
        """Writes the moment of the decision."""
        self.text("as_of", f"{recipe.as_of_text}\n".encode())

    def _submit(self, write: Callable[[], None]) -> None:
        self._await(_WAITING)
        self._under_way.append(self._hand.submit(write))

    def _await(self, most: int) -> None:
        """Waits until no more than so many frames wait; what went wrong in writing is raised here."""
        while len(self._under_way) > most:
            self._under_way.pop(0).result()

    def _append(self, name: str, content: bytes) -> None:
        if name not in self._texts:
            self._texts[name] = (self.path / name).open("wb")
        self._texts[name].write(content)

    def _extend(self, name: str, content: pa.Table) -> None:
        if name not in self._tables:
            texts = [field.name for field in content.schema if not pa.types.is_integer(field.type)]
            self._tables[name] = pq.ParquetWriter(
                self.path / name,
                content.schema,
                compression="zstd",
                use_dictionary=texts,  # type: ignore[arg-type]  # its stubs know all or nothing, it takes names
                store_schema=False,
            )
        self._tables[name].write_table(content, row_group_size=_ROW_GROUP)
