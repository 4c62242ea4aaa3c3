"""The message around a mail: its one recipient, its sender and its headers."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Final

from email_validator import EmailNotValidError, validate_email

from remediation.mail import Invitation, Mail
from remediation.notices.errors import NoticeError

MAX_MESSAGE_ID: Final = 60
"""Characters; Python 3.11 mangles the folded `References` of replies to longer ones."""

_MESSAGE_ID: Final = re.compile(r"<[a-z0-9]+@[a-z0-9-]+(\.[a-z0-9-]+)+>")


class _Unfolded(UnstructuredHeader, BaseHeader):
    """A field whose value stays one word: folded, a long URL would become encoded words, which nobody can click on."""

    def fold(self, *, policy: Policy) -> str:
        """The field as one line; the length of a URL is bounded where it is configured."""
        return f"{self.name}: {self}{policy.linesep}"


def _headers() -> HeaderRegistry:
    registry = HeaderRegistry()
    registry.map_to_type("list-unsubscribe", _Unfolded)
    return registry


_POLICY: Final = SMTP.clone(cte_type="7bit", header_factory=_headers())
"""CRLF and seven bits: every server on the way may pass it on as it is, and no signature breaks."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes. A person reads `reply_to`; `domain` completes the Message-ID."""

    name: str
    address: str
    reply_to: str
    domain: str


def address(mail: Mail, recipient: str, sender: Sender, sent_at: int | None = None) -> EmailMessage:
    """The message to the one recipient; `bytes(message)` is what goes over the wire, the same on every call.

    Args:
      mail: The rendered notice.
      recipient: One bare address, such as `rick@example.com`.
      sender: Who writes.
      sent_at: Milliseconds since the epoch, for the Date header. Without it
        there is no Date, and the submitting server adds its own.

    Raises:
      NoticeError: An address is not exactly one plain mailbox, or a header
        would break. The sentence does not hold the address.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(
        _one_line(sender.name, "name of the sender"), addr_spec=_mailbox(sender.address, "sender")
    )
    message["To"] = Address(addr_spec=_mailbox(recipient, f"recipient of remedy {mail.remedy_id}"))
    message["Reply-To"] = Address(addr_spec=_mailbox(sender.reply_to, "reply_to of the sender"))
    message["Subject"] = _literal(_one_line(mail.subject, f"subject of remedy {mail.remedy_id}"))
    if sent_at is not None:
        message["Date"] = format_datetime(datetime.fromtimestamp(sent_at // 1000, UTC))
    message["Message-ID"] = _message_id(mail, sender)
    message["Auto-Submitted"] = "auto-generated"
    if isinstance(mail, Invitation):
        message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"  # RFC 2369
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    # Set after the parts: making the message multipart moves every Content- header into the first part.
    message["Content-Language"] = mail.language
    # A random boundary would make every flattening another sequence of bytes.
    message.set_boundary(f"=_{mail.message_id}")
    if recipients(bytes(message)) != (message["To"].addresses[0].addr_spec,):
        raise NoticeError(
            f"The message of remedy {mail.remedy_id} does not read back with its one recipient; report it."
        )
    return message


def recipients(wire: bytes) -> tuple[str, ...]:
    """Every address that a message goes to, read as a server would read it."""
    received = message_from_bytes(wire, policy=_POLICY)
    return tuple(
        recipient.addr_spec
        for name in ("To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc")
        for header in received.get_all(name, [])
        for recipient in header.addresses
    )


def _mailbox(text: str, role: str) -> str:
    """The address in ASCII, its domain in IDNA.

    A local part beyond ASCII needs SMTPUTF8 on every server on the way, and
    has no header form without it.
    """
    try:
        mailbox = validate_email(text, check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        mailbox = None
    if mailbox is None:
        # Raised outside the handler, so that no chained error shows the address.
        raise NoticeError(f"The {role} is not one plain address such as name@example.com; correct it where it is kept.")
    return mailbox


def _one_line(text: str, role: str) -> str:
    """The text if a header can hold it; `EmailMessage` itself refuses CR and LF, but not NUL."""
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise NoticeError(f"The {role} holds a line break or another control character; take it out.")
    return text


def _literal(text: str) -> str:
    """The text without the mark of an encoded word (RFC 2047), which a title may hold.

    `EmailMessage` decodes such a word and folds what was in it as it is, line
    breaks and further headers among it.
    """
    return text.replace("=?", "= ?")


def _message_id(mail: Mail, sender: Sender) -> str:
    message_id = f"<{mail.message_id}@{sender.domain}>"
    if not _MESSAGE_ID.fullmatch(message_id) or len(message_id) > MAX_MESSAGE_ID:
        room = MAX_MESSAGE_ID - len(f"<{mail.message_id}@>")
        raise NoticeError(
            f"The domain of the sender is not a plain host name of at most {room} characters; set another."
        )
    return message_id
