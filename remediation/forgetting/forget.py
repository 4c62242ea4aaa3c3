"""One customer is forgotten, in one transaction.

What stays are ids that name nobody, what was sold, what it cost and what was
given back for it, and when: the books must show that for years. What is still owed
is paid through the payment's own number, for which no name is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, exists, or_, select

from remediation.database import writing
from remediation.forgetting.erasing import erase
from remediation.forgetting.mentions import Person, blot_out, logged, names_the_person
from remediation.forgetting.unsent import call_off_mails
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.control_tables import FORGOTTEN, SESSION_PRINTS
from remediation.ledger.sql import insert_new
from remediation.ledger.tables import CONTACTS, CUSTOMERS, DECLINED, FINDINGS, GRANTS, ORDER_LINES, REMEDIES

_OF_CUSTOMERS: Final = (
    CUSTOMERS,
    ORDER_LINES,
    REMEDIES,
    GRANTS,
    CONTACTS,
    FINDINGS,
    DECLINED,
    SESSION_PRINTS,
    FORGOTTEN,
)


class UnknownCustomerError(LookupError):
    """The ledger has nothing under this customer id."""


class ForgettingError(ValueError):
    """A customer cannot be forgotten for this reason, or in these words; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased: rows by what they were, none where all of it was gone before.

    `mails_called_off` are mails and letters that nobody will send any more. `logged`
    are the numbers of rows of the audit log that name the person: that log is never
    altered, so that somebody has to know of them.
    """

    erased: Mapping[str, int]
    mails_called_off: int
    logged: tuple[int, ...]


def forget(engine: Engine, customer_id: str, author: Author, reason: str) -> Forgotten:
    """Erases what identifies a customer; the same customer again finds nothing left to erase, and writes nothing.

    Mails that were not sent are called off. Refunds, credits and goods go on.

    Raises:
      UnknownCustomerError: There is no such customer.
      ForgettingError: No reason is given, or the reason or the actor names the person.
    """
    why = " ".join(reason.split())
    if not why:
        raise ForgettingError("a customer is forgotten for a reason: name it, such as the number of their request")
    with writing(engine) as connection:
        if not _is_known(connection, customer_id):
            raise UnknownCustomerError(
                f"the ledger knows no customer {customer_id!r}: check the id; nothing was erased"
            )
        person = _person(connection, customer_id)
        if names_the_person(person, f"{why} {author.actor}"):
            raise ForgettingError("the reason names the person, and would stand in the log for ever: say it without")
        called_off = call_off_mails(connection, customer_id, author)
        in_log = logged(connection, person)
        erased = {"words": blot_out(connection, person), **erase(connection, customer_id)}
        is_new = insert_new(connection, FORGOTTEN, [{"customer_id": customer_id, "forgotten_at": author.at}])
        if is_new or called_off or any(erased.values()):
            before = "known" if is_new else "forgotten"
            note(connection, author, [Change("customer", customer_id, before, "forgotten", why)])
    return Forgotten({what: count for what, count in erased.items() if count}, called_off, in_log)


def _is_known(connection: Connection, customer_id: str) -> bool:
    about = (exists().where(table.c.customer_id == customer_id) for table in _OF_CUSTOMERS)
    return connection.scalar(select(or_(*about))) is True


def _person(connection: Connection, customer_id: str) -> Person:
    row = connection.execute(select(CUSTOMERS).where(CUSTOMERS.c.customer_id == customer_id)).first()
    return Person(row.email, row.name) if row else Person(None, None)
