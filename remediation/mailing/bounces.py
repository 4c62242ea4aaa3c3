"""What mail servers report of our mails: failures (RFC 3464) and complaints of recipients (RFC 5965).

Anybody can send such a report. It can do no more than keep mails from an
address, and only names a mail of ours by an id that its recipient alone has
seen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from remediation.mailing.addresses import AddressError, mailbox
from remediation.mailing.parts import Part, blocks_of, lines_of
from remediation.mailing.suppression import address_is_gone

MAX_REPORT_BYTES: Final = 1_048_576
"""Ten times the largest mail of ours, which a report may return whole."""

_STATUS_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
_COMPLAINT_TYPE: Final = "message/feedback-report"
_RETURNED_TYPES: Final = frozenset(
    {"message/rfc822", "message/rfc822-headers", "text/rfc822-headers", "message/global", "message/global-headers"}
)
_COMPLAINTS: Final = frozenset({"abuse", "fraud", "virus", "other", "opt-out", "opt-out-list"})
"""Feedback types by which somebody wants no more of it; `not-spam` says the opposite, `auth-failure` neither."""

_SEVERITY: Final = {"delivered": 0, "relayed": 0, "expanded": 0, "delayed": 1, "failed": 2}
_STATUS: Final = re.compile(r"(?<![0-9.])([245])\.[0-9]{1,3}\.[0-9]{1,3}(?!\.?[0-9])")
_OUR_MESSAGE_ID: Final = re.compile(r"<([a-z2-7]{26})@[A-Za-z0-9.-]{1,253}>")


class UnreadableBounceError(ValueError):
    """A report that cannot be read; a person must look. The sentence holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """What became of one mail after it was handed over.

    `message_id` is the mail's own, as `Mail.message_id`, where the report returns
    it: it names the customer also where the failing address is one that their
    mails are forwarded to. `recipient` is the address that the report names,
    where it is one; it is personal and does not show in a text of this object.
    `status` is an enhanced status code (RFC 3463).
    """

    kind: Literal["failed", "delayed", "complaint"]
    status: str | None
    message_id: str | None
    recipient: str | None = field(repr=False)

    @property
    def suppresses(self) -> bool:
        """Whether no further mail may go to that customer's address. Anything else is only noted."""
        return self.kind == "complaint" or (self.kind == "failed" and address_is_gone(self.status))


def parse_bounce(raw: bytes) -> Bounce | None:
    """The failure or complaint that a received mail reports; None where it reports none, for a person to read.

    Raises:
      UnreadableBounceError: It is a report, but longer than `MAX_REPORT_BYTES` or
        not as the standards have it.
    """
    if len(raw) > MAX_REPORT_BYTES:
        raise UnreadableBounceError(f"The report is longer than {MAX_REPORT_BYTES} bytes; look at it.")
    report = Part.read(lines_of(raw))
    if report.media_type != "multipart/report":
        return None
    parts = report.parts()
    if not parts:
        raise UnreadableBounceError("The report names no parts, or has none; look at it.")
    message_id = _message_id(parts)
    for part in parts:
        if part.media_type in _STATUS_TYPES:
            return _failure(blocks_of(part.text), message_id)
        if part.media_type == _COMPLAINT_TYPE:
            return _complaint(blocks_of(part.text), message_id)
    return None


def _failure(blocks: list[Mapping[str, str]], message_id: str | None) -> Bounce | None:
    """The mildest outcome: a mail that reached one of the addresses it was forwarded to has arrived."""
    outcomes = [block for block in blocks if "action" in block]
    if not outcomes or any(_action(block) not in _SEVERITY for block in outcomes):
        raise UnreadableBounceError("The report does not say what became of the mail; look at it.")
    mildest = min(outcomes, key=lambda block: _SEVERITY[_action(block)])
    recipient = _address(mildest.get("original-recipient")) or _address(mildest.get("final-recipient"))
    match _action(mildest):
        case "failed":
            return Bounce("failed", _status(mildest), message_id, recipient)
        case "delayed":
            return Bounce("delayed", _status(mildest), message_id, recipient)
        case _:
            return None


def _complaint(blocks: list[Mapping[str, str]], message_id: str | None) -> Bounce | None:
    complaint = next((block for block in blocks if "feedback-type" in block), None)
    if complaint is None:
        raise UnreadableBounceError("The report does not say what the recipient complained of; look at it.")
    if complaint["feedback-type"].lower() not in _COMPLAINTS:
        return None
    return Bounce("complaint", None, message_id, _address(complaint.get("original-rcpt-to")))


def _action(block: Mapping[str, str]) -> str:
    return block["action"].lower()


def _status(block: Mapping[str, str]) -> str | None:
    """The status, or the remote server's own where the reporting one only says that it failed, as some always do."""
    status = _STATUS.match(block.get("status", ""))
    if status is None or not status[0].endswith(".0.0"):
        return status and status[0]
    told = _STATUS.search(block.get("diagnostic-code", ""))
    return told[0] if told and told[1] == status[1] else status[0]


def _address(text: str | None) -> str | None:
    """The mailbox in `rfc822; name@example.com` or `<name@example.com>`; None where it is none, or made unreadable."""
    if text is None:
        return None
    try:
        return mailbox(text.rpartition(";")[2].strip().removeprefix("<").removesuffix(">"))
    except AddressError:
        return None


def _message_id(parts: list[Part]) -> str | None:
    for part in parts:
        if part.media_type in _RETURNED_TYPES:
            found = _OUR_MESSAGE_ID.fullmatch(Part.read(part.text).fields.get("message-id", ""))
            return found and found[1]
    return None
