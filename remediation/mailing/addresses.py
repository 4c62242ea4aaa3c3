"""Addresses as they are compared: one spelling each, and a digest where the address itself may not be kept."""

import hashlib
import hmac
from typing import Final

from email_validator import EmailNotValidError, validate_email

MAX_ADDRESS_CHARACTERS: Final = 320
"""64 before the @ and 255 after it (RFC 5321, 4.5.3.1). A library that first parses a megabyte takes seconds."""

MIN_SALT_BYTES: Final = 16
"""A digest under a short salt is undone by trying salts and common addresses."""


class AddressError(ValueError):
    """A text is not one plain mailbox. The sentence does not repeat it."""


def mailbox(text: str) -> str:
    """The one mailbox that `text` names, in ASCII: its domain in lower case and IDNA.

    A local part beyond ASCII is refused, as it is when a mail is addressed: it
    needs SMTPUTF8 on every server on the way.

    Raises:
      AddressError: It is not exactly one plain mailbox.
    """
    address = _checked(text) if len(text) <= MAX_ADDRESS_CHARACTERS else None
    if address is None:
        # Raised outside the handler, so that no chained error shows the address.
        raise AddressError("This is not one plain address such as name@example.com; correct it where it is kept.")
    return address


def comparable(address: str) -> str:
    """The spelling under which two addresses of one mailbox are equal.

    RFC 5321 would let a server tell `Rick` from `rick`; none that matters does,
    and a customer who complained as the one must not be written to as the
    other. Dots and `+tags` stay: what they mean differs from server to server.

    Raises:
      AddressError: It is not exactly one plain mailbox.
    """
    return mailbox(address).lower()


def address_digest(address: str, salt: bytes) -> str:
    """What a suppression list keeps instead of an address: HMAC-SHA256 of `comparable(address)`, in hexadecimal.

    Addresses can be guessed, so that whoever has both digests and salt can test
    guesses: a digest hides an address from a reader, not from a search.

    Raises:
      AddressError: It is not exactly one plain mailbox.
      ValueError: The salt is shorter than `MIN_SALT_BYTES`.
    """
    if len(salt) < MIN_SALT_BYTES:
        raise ValueError(f"The salt of address digests needs at least {MIN_SALT_BYTES} bytes; make a longer one.")
    return hmac.new(salt, comparable(address).encode("ascii"), hashlib.sha256).hexdigest()


def _checked(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        return None
