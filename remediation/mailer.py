"""Sends the mails of remedies whose money is out, each at most once.

A mail that was handed over cannot be taken back and must not come twice. So one
whose sending broke off is sent again only when the mailer knows for certain that
it never left; otherwise a person decides.
"""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine, select

from remediation.database import writing
from remediation.ledger.tables import CUSTOMERS, MAILS, REMEDIES
from remediation.mail import Mail
from remediation.outbox.claims import Item, advance, claim, in_states, waiting
from remediation.outbox.states import State


class MailRefusedError(Exception):
    """The mail was certainly not accepted, and trying again would not help; the text holds no address."""


class MailUntraceableError(Exception):
    """Whether a mail was handed over cannot be told."""


class Mailer(Protocol):
    """Hands mails over to whoever delivers them."""

    def send(self, mail: Mail, recipient: str) -> str:
        """Hands the mail over and returns a reference to it.

        Raises:
          MailRefusedError: It was certainly not accepted.
        """
        ...

    def find(self, mail: Mail) -> str | None:
        """The reference of this mail if it was handed over, None if it certainly was not.

        Raises:
          MailUntraceableError: Nobody can tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of mails in one pass; `waiting` wait for their hour or for the money of their remedy."""

    sent: int = 0
    failed: int = 0
    manual: int = 0
    waiting: int = 0


def post_mails(engine: Engine, mailer: Mailer, now_ms: int) -> Posted:
    """Clears up what an earlier pass left open, then sends every mail that is due at `now_ms` (ms since the epoch).

    Raises:
      StateChangedError: Another process works on the same mail.
    """
    outcomes = [_resume(engine, mailer, item) for item in in_states(engine, "mail", State.SENDING)]
    while item := claim(engine, "mail", now_ms):
        outcomes.append(_send(engine, mailer, item))
    return Posted(
        sent=outcomes.count(State.SENT),
        failed=outcomes.count(State.FAILED),
        manual=outcomes.count(State.MANUAL),
        waiting=waiting(engine, "mail"),
    )


def _resume(engine: Engine, mailer: Mailer, item: Item) -> State:
    mail, _ = _letter(engine, item)
    try:
        reference = mailer.find(mail)
    except MailUntraceableError:
        return _move(engine, item, State.MANUAL)
    if reference is None:
        return _send(engine, mailer, item)
    return _move(engine, item, State.SENT, reference)


def _send(engine: Engine, mailer: Mailer, item: Item) -> State:
    mail, recipient = _letter(engine, item)
    if recipient is None:
        return _move(engine, item, State.MANUAL)
    try:
        reference = mailer.send(mail, recipient)
    except MailRefusedError:
        return _move(engine, item, State.FAILED)
    return _move(engine, item, State.SENT, reference)


def _letter(engine: Engine, item: Item) -> tuple[Mail, str | None]:
    """The stored mail and the customer's present address; None where we no longer know the customer."""
    query = (
        select(MAILS, CUSTOMERS.c.email)
        .join(REMEDIES, REMEDIES.c.remedy_id == MAILS.c.remedy_id)
        .outerjoin(CUSTOMERS, CUSTOMERS.c.customer_id == REMEDIES.c.customer_id)
        .where(MAILS.c.remedy_id == item.remedy_id)
    )
    with engine.connect() as connection:
        row = connection.execute(query).one()
    return Mail(row.remedy_id, row.message_id, row.language, row.subject, row.text, row.html), row.email


def _move(engine: Engine, item: Item, state: State, reference: str | None = None) -> State:
    values = {} if reference is None else {"provider_reference": reference}
    with writing(engine) as connection:
        return advance(connection, item, state, **values).state
