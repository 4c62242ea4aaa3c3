"""The mail that tells one customer of one remedy."""

from dataclasses import dataclass
from typing import Final

ERASED: Final = "The text of this mail was erased."
"""What stands for subject and bodies whose time is over, or whose customer is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered notice, as it is reviewed and as it is sent; it holds no name and no address.

    `message_id` is what stands before the @ of the Message-ID: the same remedy
    always has the same one. `language` is a BCP 47 tag, `subject` one line,
    `text` and `html` are whole bodies that state the same facts.
    """

    remedy_id: str
    message_id: str
    language: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Invitation(Mail):
    """A mail that nobody needs, so that it can be unsubscribed from with one click at the URL `unsubscribe`.

    It is sent under the id of its survey, which is what `remedy_id` then holds.
    """

    unsubscribe: str
