"""Whom not to write to: the ledger's list, as digests, since addresses stand in the customer table alone."""

from typing import Final, Literal

from sqlalchemy import Connection, Engine, delete, select

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.control import control
from remediation.ledger.control_tables import SUPPRESSIONS
from remediation.ledger.sql import insert_new
from remediation.ledger.tables import CUSTOMERS
from remediation.mailing.addresses import AddressError, address_digest

Reason = Literal["bounce", "complaint", "request"]

_FREE: Final = "free"
_SUPPRESSED: Final = "suppressed"


def suppression(connection: Connection, address: str) -> str | None:
    """Why no mail goes to this address; None where one may. What is no address is left to the mailer to refuse."""
    try:
        key = _key(connection, address)
    except AddressError:
        return None
    reason = connection.execute(select(SUPPRESSIONS.c.reason).where(SUPPRESSIONS.c.address_sha256 == key)).scalar()
    return None if reason is None else str(reason)


def suppress(engine: Engine, address: str, reason: Reason, author: Author) -> bool:
    """Puts the address on the list; False where it stands there already, with the reason of the first time.

    Raises:
      AddressError: It is not one plain mailbox.
    """
    with writing(engine) as connection:
        return suppress_within(connection, address, reason, author)


def suppress_within(connection: Connection, address: str, reason: Reason, author: Author) -> bool:
    """As `suppress`, within the caller's transaction."""
    key = _key(connection, address)
    row = {"address_sha256": key, "reason": reason, "since": author.at}
    if not insert_new(connection, SUPPRESSIONS, [row]):
        return False
    note(connection, author, [Change("suppression", key, _FREE, _SUPPRESSED, reason)])
    return True


def allow(engine: Engine, address: str, why: str, author: Author) -> bool:
    """Takes the address off the list; False where it was not on it.

    Raises:
      AddressError: It is not one plain mailbox.
    """
    with writing(engine) as connection:
        key = _key(connection, address)
        gone = connection.execute(
            delete(SUPPRESSIONS).where(SUPPRESSIONS.c.address_sha256 == key).returning(SUPPRESSIONS.c.reason)
        ).first()
        if gone is None:
            return False
        note(connection, author, [Change("suppression", key, _SUPPRESSED, _FREE, why)])
    return True


def address_of(engine: Engine, customer_id: str) -> str:
    """The customer's present address.

    Raises:
      AddressError: The ledger does not know the customer.
    """
    known = CUSTOMERS.c.customer_id == customer_id
    with engine.connect() as connection:
        address = connection.execute(select(CUSTOMERS.c.email).where(known)).scalar()
    if address is None:
        raise AddressError(f"there is no customer {customer_id} in the ledger: name the customer's id")
    return str(address)


def _key(connection: Connection, address: str) -> str:
    return address_digest(address, control(connection).salt.encode())
