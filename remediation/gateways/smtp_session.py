"""One connection to a mail server, ready to take mails."""

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import BinaryIO, Final, Self

from remediation.gateways.errors import DeferredError, UnusableError
from remediation.gateways.smtp_settings import Login, Security, SmtpSettings

MAX_LINE_BYTES: Final = 2_048
MAX_REPLY_LINES: Final = 128
"""RFC 5321 allows 512 bytes a line; EHLO lists extensions by the dozen."""

_REPLY_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\n]*))?\r?\n")
_STATUS: Final = re.compile(rb"([245])\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")


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
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        if self.file is None:
            self.file = self.sock.makefile("rb")
        try:
            reply = _whole_reply(self.file)
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


def open_session(settings: SmtpSettings, context: ssl.SSLContext, hostname: str, login: Login | None) -> Session:
    """A connection that is protected as asked and logged in where there is a login.

    Args:
      settings: Which server, and how.
      context: What its certificate is checked by.
      hostname: Who we say we are. Given, so that no name is looked up for it.
      login: None where the server takes mails from us without.

    Raises:
      DeferredError: The server has no time for us now.
      UnusableError: It cannot be reached, is not who it should be, offers no
        TLS, or refuses us.
    """
    try:
        session = _connect(settings, hostname, context)
        try:
            _prepare(session, settings.security, context, login)
        except BaseException:
            session.close()
            raise
    except (OSError, ValueError) as error:  # ValueError: a challenge that is no base64
        failure = _failure(error)
    else:
        return session
    # Raised outside the handler: the chained error holds the server's text.
    raise failure


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


def _connect(settings: SmtpSettings, hostname: str, context: ssl.SSLContext) -> Session:
    server, timeout_s = settings.target, settings.timeout_ms / 1_000
    if settings.security is Security.IMPLICIT_TLS:
        session: Session = TlsSession(
            server.host, server.port, local_hostname=hostname, timeout=timeout_s, context=context
        )
    else:
        session = Session(server.host, server.port, local_hostname=hostname, timeout=timeout_s)
    if session.sock is not None:
        # The final dot is a small packet of its own. Without this it would wait 40 ms for the acknowledgement of the
        # body, which the server in turn delays.
        session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return session


def _prepare(session: Session, security: Security, context: ssl.SSLContext, login: Login | None) -> None:
    session.ehlo_or_helo_if_needed()
    if security is Security.STARTTLS:
        if not session.has_extn("starttls"):
            raise UnusableError("The mail server offers no STARTTLS: use smtps://, or mend the server.")
        session.starttls(context=context)
        session.ehlo_or_helo_if_needed()
    if login is not None:
        if not session.has_extn("auth"):
            raise UnusableError("The mail server offers no login here: take the login out, or name another port.")
        session.login(login.user, login.password)


def _failure(error: OSError | ValueError) -> DeferredError | UnusableError:
    """What a connection that could not be made ready means; all of this happens before any mail."""
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return DeferredError("The mail server hung up, or answered no SMTP, before it was given a mail.")
    if isinstance(error, smtplib.SMTPResponseException):
        return _refusal(error)
    return UnusableError(_what_to_mend(error))


def _what_to_mend(error: OSError | ValueError) -> str:
    match error:
        case smtplib.SMTPException():
            return "The mail server offers no way to log in that is known here: name another port."
        case ssl.SSLCertVerificationError():
            return f"The certificate of the mail server is not to be trusted: {error.verify_message}."
        case ssl.SSLError():
            return "No TLS can be agreed with the mail server: check port and scheme of its URL."
        case OSError():
            return f"The mail server cannot be reached ({type(error).__name__}): check its URL."
        case _:
            return "The mail server asks for a login in a way that cannot be understood: name another port."


def _refusal(error: smtplib.SMTPResponseException) -> DeferredError | UnusableError:
    text = error.smtp_error
    reply = Reply.of(error.smtp_code, text if isinstance(text, bytes) else text.encode())
    if reply.code // 100 == 4:  # noqa: PLR2004 - the class of replies that ask us to come again
        return DeferredError(f"The mail server has no time for us now ({reply}).")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return UnusableError(f"The mail server refused the login ({reply}): check user and password.")
    return UnusableError(f"The mail server does not serve us ({reply}): ask who runs it.")
