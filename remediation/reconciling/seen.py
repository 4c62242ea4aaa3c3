"""Which refunds the provider has listed: on disk, since a list may hold millions and only what differs matters."""

import sqlite3
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Self


class Seen:
    """References of refunds, in a scratch file that is gone with this object."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # an empty name is a file that nobody else can open
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (reference TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> Self:
        """The empty collection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Throws the file away."""
        self._database.close()

    def add(self, references: Iterable[str]) -> None:
        """Remembers these."""
        rows = [(reference,) for reference in references]
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?)", rows)
        self._database.execute("COMMIT")

    def lacks(self, references: Collection[str]) -> set[str]:
        """Those of the references that were not listed; at most as many as a query may have parameters."""
        marks = ", ".join("?" * len(references))
        query = f"SELECT reference FROM seen WHERE reference IN ({marks})"  # noqa: S608 - marks alone
        return set(references) - {found for (found,) in self._database.execute(query, tuple(references))}
