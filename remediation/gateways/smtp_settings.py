"""How a mail server is reached."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from remediation.gateways.targets import Target, TargetError, target

_SAFE_LOGIN: Final = re.compile(r"[ -~]+")


class Security(StrEnum):
    """How a connection is protected, by the scheme that asks for it. None ever takes the place of another."""

    STARTTLS = "smtp"
    IMPLICIT_TLS = "smtps"
    PLAIN = "smtp+plain"


_PORTS: Final = {Security.STARTTLS.value: 587, Security.IMPLICIT_TLS.value: 465, Security.PLAIN.value: 25}


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to the mail server. Neither part shows in a text of this object.

    Raises:
      TargetError: A part is empty or beyond ASCII, which SMTP logins cannot carry.
    """

    user: str = field(repr=False)
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not (_SAFE_LOGIN.fullmatch(self.user) and _SAFE_LOGIN.fullmatch(self.password)):
            raise TargetError("User and password of the mail server must both be set, in printable ASCII.")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A mail server and how it is talked to.

    `bounce_address` is where failures are reported to, the sender's own address
    where it is None; `ca_file` holds the authorities to trust instead of the
    machine's. `timeout_ms` is how long each answer may take; the last one, to
    the whole mail, gets `acceptance_timeout_ms`: giving up on it leaves a mail
    that nobody can tell of, and a server may well scan for minutes first
    (RFC 5321, 4.5.3.2.6, asks for ten).
    """

    target: Target
    bounce_address: str | None = None
    ca_file: Path | None = None
    timeout_ms: int = 60_000
    acceptance_timeout_ms: int = 600_000
    mails_per_connection: int = 100

    @property
    def security(self) -> Security:
        """As its URL asks."""
        return Security(self.target.scheme)


def smtp_target(url: str) -> Target:
    """A mail server by its URL: `smtp://host:587` (STARTTLS), `smtps://host:465` (TLS), `smtp+plain://host:25`.

    Raises:
      TargetError: It is no such URL, or it holds a login or a path.
    """
    server = target(url, "mail server", _PORTS)
    if server.path not in ("", "/"):
        raise TargetError("The URL of the mail server ends with its port; take out what follows.")
    return server
