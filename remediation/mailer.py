"""Sends the mails of remedies whose money and goods are out, each at most once.

A mail that was handed over cannot be taken back and must not come twice. So one
whose sending broke off is sent again only when the mailer knows for certain that
it never left; otherwise a person decides.
"""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, Engine, Row, Table, select

from remediation.gateways.errors import DeferredError, RefusedError, RejectedMailError
from remediation.gateways.mails import Mailer
from remediation.ledger.audit import Author
from remediation.ledger.tables import CUSTOMERS, MAILS, REMEDIES
from remediation.mail import Mail
from remediation.mailing.hours import hours
from remediation.mailing.suppressed import suppress, suppression
from remediation.mailing.suppression import address_is_gone
from remediation.outbox.claims import Item
from remediation.outbox.worker import Clock, Done
from remediation.policy.quiet_hours import UnknownTimezoneError, next_allowed


@dataclass(frozen=True, slots=True)
class Addressed:
    """A mail with its customer's present address and zone, null where we no longer know the customer."""

    mail: Mail
    email: str | None
    timezone: str | None
    policy_sha256: str


@dataclass(frozen=True, slots=True)
class PostMails:
    """The errand of mails."""

    engine: Engine
    through: Mailer
    clock: Clock

    kind: ClassVar[str] = "mail"
    gateway: ClassVar[str] = "mails"
    actor: ClassVar[str] = "mailer"
    repeat_is_safe_ms: ClassVar[int | None] = None
    can_ask: ClassVar[bool] = False
    settles_later: ClassVar[bool] = False

    def find(self, item: Item) -> Done | None:
        """The mailer's own trace of it, if it can tell."""
        with self.engine.connect() as connection:
            reference = self.through.find(self.addressed(connection, item).mail)
        return Done(reference) if reference is not None else None

    def do(self, item: Item) -> Done:
        """Sends it to the customer's present address, in the hours in which mails may go out there.

        The ledger holds the mail as it was reviewed; only the address is looked up now.

        Raises:
          RefusedError: The customer is not known any more, does not want mails, or the
        server will not have it: an address that is gone for good gets no other.
          DeferredError: It is night at the customer's.
        """
        with self.engine.connect() as connection:
            row = self.addressed(connection, item)
            if row.email is None or row.timezone is None:
                raise RefusedError("the customer's address is not known any more")
            if reason := suppression(connection, row.email):
                raise RefusedError(f"no mail goes to this address ({reason}): tell the customer in another way")
            allowed = hours(connection, row.policy_sha256)
        now = self.clock()
        try:
            wait_ms = next_allowed(now, row.timezone, allowed.start, allowed.end) - now
        except UnknownTimezoneError as error:
            raise RefusedError(str(error)) from None
        if wait_ms > 0:
            raise DeferredError("mails do not go out at this hour of the customer's day", wait_ms)
        try:
            return Done(self.through.send(row.mail, row.email))
        except RejectedMailError as error:
            if address_is_gone(error.status):
                suppress(self.engine, row.email, "bounce", Author(self.actor, now))
            raise

    def done(self, connection: Connection, item: Item, at: int) -> None:
        """Nothing more: a mail moves no money."""

    def addressed(self, connection: Connection, item: Item) -> Addressed:
        """The stored mail of an item."""
        row = stored(connection, MAILS, item.remedy_id)
        mail = Mail(row.remedy_id, row.message_id, row.language, row.subject, row.text, row.html)
        return Addressed(mail, row.email, row.timezone, row.policy_sha256)


def stored(connection: Connection, table: Table, remedy_id: str) -> Row[tuple[object, ...]]:
    """The row of a remedy in a table of mails, with the customer's present address, zone and the remedy's policy."""
    query = (
        select(table, CUSTOMERS.c.email, CUSTOMERS.c.timezone, REMEDIES.c.policy_sha256)
        .join(REMEDIES, REMEDIES.c.remedy_id == table.c.remedy_id)
        .outerjoin(CUSTOMERS, CUSTOMERS.c.customer_id == REMEDIES.c.customer_id)
        .where(table.c.remedy_id == remedy_id)
    )
    return connection.execute(query).one()
