"""One connection to a mail server, whose replies are believed only whole."""

import re
import smtplib
import ssl
from dataclasses import dataclass
from typing import BinaryIO, Final, Self

MAX_LINE_BYTES: Final = 2_048
MAX_REPLY_LINES: Final = 128
"""RFC 5321 allows 512 bytes a line; EHLO lists extensions by the dozen."""

_REPLY_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\n]*))?\r?\n")
_STATUS: Final = re.compile(rb"([245])\.[0-9]{1,3}\.[0-9]{1,3}(?!\.?[0-9])")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply in figures alone, since servers repeat addresses in their texts.

    `status` is the enhanced status code at the head of the text (RFC 2034),
    where there is one of the same class.
    """

    code: int
    status: str | None

    @classmethod
    def of(cls, code: int, text: bytes) -> Self:
        """The reply that the standard library has read."""
        found = _STATUS.match(text)
        return cls(code, found[0].decode("ascii") if found and int(found[1]) == code // 100 else None)

    def __str__(self) -> str:
        return f"{self.code} {self.status}" if self.status else str(self.code)


class Session(smtplib.SMTP):
    """A connection whose every reply is either whole and in order, or the end of the connection.

    The standard library takes `25` for a code, `500` for an overlong line and
    the last of several codes that disagree. After the final dot each of them
    would turn "nobody can tell" into a certainty.
    """

    def getreply(self) -> tuple[int, bytes]:
        """The next reply.

        Raises:
          smtplib.SMTPServerDisconnected: There is none, or what came is not one.
            The connection is closed.
        """
        if self.file is None and self.sock is not None:
            self.file = self.sock.makefile("rb")
        try:
            reply = _whole_reply(self.file) if self.file is not None else None
        except OSError:
            reply = None
        if reply is None:
            self.close()
            raise smtplib.SMTPServerDisconnected("no whole reply")
        return reply

    def ask(self, command: str) -> Reply | None:
        """The reply to a command; None where the connection broke instead."""
        try:
            return Reply.of(*self.docmd(command))
        except smtplib.SMTPServerDisconnected:
            return None

    def idle(self) -> bool:
        """Whether the server is still there and has said nothing unasked; otherwise the connection is closed."""
        if self.sock is None or self.file is None:
            return False
        timeout_s = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            unasked = self.file.read(1)  # None where nothing has come, nothing where the server has hung up
        except ssl.SSLWantReadError:
            unasked = None
        except OSError:
            unasked = b""
        self.sock.settimeout(timeout_s)
        if unasked is not None:
            self.close()
        return unasked is None

    def wait(self, timeout_ms: int) -> None:
        """How long each answer from now on may take."""
        if self.sock is not None:
            self.sock.settimeout(timeout_ms / 1_000)


class TlsSession(Session, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


def _whole_reply(lines: BinaryIO) -> tuple[int, bytes] | None:
    codes: set[int] = set()
    texts: list[bytes] = []
    while len(texts) < MAX_REPLY_LINES:
        line = _REPLY_LINE.fullmatch(lines.readline(MAX_LINE_BYTES))
        if line is None:
            return None
        codes.add(int(line[1]))
        texts.append((line[3] or b"").strip())
        if line[2] != b"-":
            return (codes.pop(), b"\n".join(texts)) if len(codes) == 1 else None
    return None
