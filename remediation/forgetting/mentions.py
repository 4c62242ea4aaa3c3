"""Where a person's name or address stands in words that somebody wrote, though it should not."""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, ColumnElement, Connection, false, func, or_, select, update

from remediation.ledger.control_tables import AUDIT, BLOCKS, REVIEWS
from remediation.ledger.tables import DECLINED, OUTBOX, REMEDIES, TICKET_CHANGES, TICKETS

BLOT: Final = "[erased]"

_WORDS: Final = (
    REMEDIES.c.reason,
    DECLINED.c.reason,
    OUTBOX.c.problem,
    REVIEWS.c.reason,
    BLOCKS.c.reason,
    TICKETS.c.claim,
    TICKETS.c.suggested_action,
    TICKET_CHANGES.c.reason,
)


@dataclass(frozen=True, slots=True)
class Person:
    """A customer's address and name, null where the ledger does not know them any more."""

    email: str | None
    name: str | None

    @property
    def words(self) -> tuple[str, ...]:
        """What names this person and nothing else: a name of one word may be any word."""
        name = self.name if self.name and " " in self.name.strip() else None
        return tuple(word for word in (self.email, name) if word)


def names_the_person(person: Person, text: str) -> bool:
    """Whether the text holds the person's address or name, in whatever letters."""
    return any(word.lower() in text.lower() for word in person.words)


def blot_out(connection: Connection, person: Person) -> int:
    """Takes name and address out of reasons and tickets; returns in how many of them they stood."""
    count = 0
    for word in person.words:
        pattern = re.compile(re.escape(word), re.IGNORECASE)
        for column in _WORDS:
            keys = tuple(column.table.primary_key.columns)
            for row in connection.execute(select(*keys, column).where(_holds(column, word))).all():
                *key, said = row
                this = (of_key == value for of_key, value in zip(keys, key, strict=True))
                connection.execute(update(column.table).where(*this).values({column.name: pattern.sub(BLOT, said)}))
                count += 1
    return count


def logged(connection: Connection, person: Person) -> tuple[int, ...]:
    """The rows of the audit log that hold the person's name or address."""
    holds = [_holds(column, word) for column in (AUDIT.c.reason, AUDIT.c.actor) for word in person.words]
    query = select(AUDIT.c.number).where(or_(false(), *holds)).order_by(AUDIT.c.number)
    return tuple(connection.scalars(query))


def _holds(column: Column[str], word: str) -> ColumnElement[bool]:
    # SQLite knows small letters of English alone.
    return or_(column.contains(word, autoescape=True), func.lower(column).contains(word.lower(), autoescape=True))
