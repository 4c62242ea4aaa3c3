"""The audit log: every change of state, with who made it and why, each row sealed with the digest of the one before.

Rows are only ever added (triggers see to that), and always inside the transaction
of the change itself, under the ledger's write lock: there is no change without its
row, no row without its change, and one order. Whoever alters a row afterwards, by
whatever means, breaks the chain from there on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Final, Literal

from sqlalchemy import Connection, insert, select

from remediation.canonical import sha256_of
from remediation.ledger.control_tables import AUDIT

GENESIS: Final = "0" * 64
"""What stands before the first row."""

Entity = Literal[
    "remedy", "outbox", "run", "control", "ticket", "customer", "suppression", "block", "declined", "survey"
]


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something, and when (milliseconds since the epoch): a part of this program, or a person by name."""

    actor: str
    at: int


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that passes from one state to another; `before` is null where it is new."""

    entity: Entity
    entity_id: str
    before: str | None
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log."""

    number: int
    at: int
    actor: str
    entity: str
    entity_id: str
    before: str | None
    after: str
    reason: str
    previous_sha256: str
    sha256: str

    @property
    def is_sealed(self) -> bool:
        """Whether the digest is that of the row."""
        return self.sha256 == _seal({name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Head:
    """The last row's number and digest: kept elsewhere, it proves later that nothing before it was altered."""

    number: int
    sha256: str


def note(connection: Connection, author: Author, changes: Sequence[Change]) -> None:
    """Adds the changes, in this order, to the log. The connection's transaction must be one that `writing` began."""
    if not changes:
        return
    last = head(connection)
    number, previous, rows = last.number, last.sha256, []
    for change in changes:
        number += 1
        row = {"number": number, "at": author.at, "actor": author.actor, **asdict(change), "previous_sha256": previous}
        previous = _seal(row)
        rows.append({**row, "sha256": previous})
    connection.execute(insert(AUDIT), rows)


def head(connection: Connection) -> Head:
    """The end of the log; number 0 where it is empty."""
    last = connection.execute(select(AUDIT.c.number, AUDIT.c.sha256).order_by(AUDIT.c.number.desc()).limit(1)).first()
    return Head(last.number, last.sha256) if last else Head(0, GENESIS)


def entries(connection: Connection) -> Iterator[Entry]:
    """The whole log, oldest first."""
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.number)).yield_per(10_000):
        yield Entry(*row)


def history(connection: Connection, entity: Entity, entity_id: str) -> tuple[Entry, ...]:
    """What became of one thing, oldest first."""
    of_it = (AUDIT.c.entity == entity, AUDIT.c.entity_id == entity_id)
    rows = connection.execute(select(AUDIT).where(*of_it).order_by(AUDIT.c.number))
    return tuple(Entry(**row._asdict()) for row in rows)


def first_break(log: Iterator[Entry]) -> str | None:
    """What is wrong with the chain, in words, at the first row where something is; None where all of it holds."""
    before = Entry(0, 0, "", "", "", None, "", "", "", GENESIS)
    for previous, entry in pairwise(_from(before, log)):
        if entry.number != previous.number + 1:
            return f"audit row {previous.number + 1} is missing"
        if entry.previous_sha256 != previous.sha256:
            return f"audit row {entry.number} does not follow row {previous.number}: one of them was exchanged"
        if not entry.is_sealed:
            return f"audit row {entry.number} was altered after it was written"
    return None


def _from(first: Entry, rest: Iterator[Entry]) -> Iterator[Entry]:
    yield first
    yield from rest


def _seal(row: dict[str, object]) -> str:
    return sha256_of({name: value for name, value in row.items() if name != "sha256"})
