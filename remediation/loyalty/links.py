"""The links of a survey: where they lead, and the token in them, which names no customer and cannot be guessed.

A survey is written, reviewed and kept with placeholders. What they stand for is
filled in when the mail is sent, so that whoever reads the ledger cannot answer for
a customer. The first key makes tokens; all of them are known again, so that an
answer to last month's mail still counts while one key takes the place of another.
"""

import base64
import binascii
import hmac
import html
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from remediation.gateways.targets import TargetError, target
from remediation.mail import Invitation, Mail

SCORES: Final = range(11)
"""From not at all likely to extremely likely."""

PAGE: Final = "https://page.survey.invalid/"
UNSUBSCRIBE: Final = "https://unsubscribe.survey.invalid/"
RATE: Final[Mapping[int, str]] = {score: f"https://rate-{score:02d}.survey.invalid/" for score in SCORES}
"""What stands for the links until the mail is sent; names under .invalid lead nowhere (RFC 2606)."""

_HEX_KEY: Final = re.compile(r"[0-9a-fA-F]{64,256}")
_ID_BYTES: Final = 16
_MARK_BYTES: Final = 16
_MOST_CHARACTERS: Final = 300
"""Of a URL: with the token it stays far below the longest line of a mail (RFC 5322: 998)."""


class SurveyKeyError(ValueError):
    """A key that cannot be used; the sentence does not repeat it."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes tokens and knows them again."""

    keys: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Self:
        """The keys in `text`, separated by blanks, the one that makes new tokens first.

        Raises:
          SurveyKeyError: There is none, or one of them is not 32 to 128 bytes in hexadecimal digits.
        """
        keys = text.split()
        if not keys or not all(map(_HEX_KEY.fullmatch, keys)):
            raise SurveyKeyError(
                "must hold keys of 64 to 256 hexadecimal digits, as `openssl rand -hex 32` prints them"
            )
        return cls(tuple(map(bytes.fromhex, keys)))

    def token(self, survey_id: str) -> str:
        """43 characters that a URL takes as they are: the survey's id, and 128 bits of its HMAC-SHA256."""
        return _token(self.keys[0], uuid.UUID(survey_id).bytes)

    def survey_id(self, token: str) -> str | None:
        """The survey that a token is for; null where no key of ours made it."""
        try:
            named = base64.b64decode(f"{token}=", altchars=b"-_", validate=True)[:_ID_BYTES]
        except (binascii.Error, ValueError):
            return None
        given = token.encode("ascii", "replace")
        is_ours = [hmac.compare_digest(given, _token(key, named).encode()) for key in self.keys]
        return str(uuid.UUID(bytes=named)) if len(named) == _ID_BYTES and any(is_ours) else None


@dataclass(frozen=True, slots=True)
class Links:
    """Where the links of a survey lead: the page that takes the answer, and what takes a one-click unsubscription."""

    page: str
    unsubscribe: str
    tokens: Tokens

    @classmethod
    def of(cls, page: str, unsubscribe: str, tokens: Tokens) -> Self:
        """Checks both URLs.

        Raises:
          TargetError: One of them is no https URL that a mail can hold.
        """
        for url, role in ((page, "survey page"), (unsubscribe, "unsubscription")):
            target(url, role, {"https": 443})  # RFC 8058 wants https, and an answer is nobody else's business
            if len(url) > _MOST_CHARACTERS:
                raise TargetError(
                    f"The URL of the {role} is longer than {_MOST_CHARACTERS} characters; use a shorter one."
                )
        return cls(page, unsubscribe, tokens)

    def filled(self, mail: Mail) -> Invitation:
        """The survey as it is sent: every placeholder is a link of this survey's own."""
        token = self.tokens.token(mail.remedy_id)
        unsubscribe = _with(self.unsubscribe, token)
        leads = {PAGE: _with(self.page, token), UNSUBSCRIBE: unsubscribe}
        leads |= {RATE[score]: _with(self.page, token, f"&score={score}") for score in SCORES}
        text, page = mail.text, mail.html
        for placeholder, url in leads.items():
            text, page = text.replace(placeholder, url), page.replace(placeholder, html.escape(url))
        return Invitation(mail.remedy_id, mail.message_id, mail.language, mail.subject, text, page, unsubscribe)


def _token(key: bytes, survey_id: bytes) -> str:
    mark = hmac.digest(key, b"survey" + survey_id, "sha256")[:_MARK_BYTES]
    return base64.urlsafe_b64encode(survey_id + mark).decode().rstrip("=")


def _with(url: str, token: str, more: str = "") -> str:
    return f"{url}{'&' if '?' in url else '?'}token={token}{more}"
