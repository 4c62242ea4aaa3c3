"""A mailer that speaks SMTP."""

import contextlib
import ssl
from types import TracebackType
from typing import Final, Self

from remediation.gateways.errors import RefusedError, SilentError
from remediation.gateways.smtp_opening import open_session
from remediation.gateways.smtp_session import Session
from remediation.gateways.smtp_settings import Login, Security, SmtpSettings
from remediation.gateways.smtp_transaction import hand_over
from remediation.gateways.targets import TargetError, tls_context
from remediation.mail import Mail
from remediation.mailing.addresses import AddressError, mailbox
from remediation.notices.envelope import Sender, address
from remediation.notices.errors import NoticeError

_OK: Final = 250
_ENCRYPTION: Final = {Security.STARTTLS: "STARTTLS", Security.IMPLICIT_TLS: "TLS"}


class SmtpMailer:
    """Hands mails to one mail server, many over one connection.

    Messages are seven bits and addresses ASCII, so that every server can take
    them whatever it offers. A connection that the server has closed meanwhile is
    opened anew; no mail is ever tried twice by itself.

    Raises:
      TargetError: A password would travel unencrypted, the bounce address is
        none, or the CA file cannot be used.
    """

    def __init__(self, settings: SmtpSettings, sender: Sender, login: Login | None = None) -> None:
        if login and settings.security is Security.PLAIN and not settings.target.loopback:
            raise TargetError("A password is not sent unencrypted to another machine: use smtp:// or smtps://.")
        self._settings = settings
        self._context = _context(settings)
        self._sender = sender
        self._login = login
        self._bounce_address = _bounce_address(settings.bounce_address or sender.address)
        self._session: Session | None = None
        self._begun_count = 0

    def __enter__(self) -> Self:
        """The first mail opens the connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Takes leave of the server; where something broke, without waiting for its answer."""
        self._close(politely=error is None)

    def send(self, mail: Mail, recipient: str) -> str:
        """Hands the mail over and returns its Message-ID, which the server's log knows, too.

        Raises:
          RejectedMailError: The server will not have it; `status` says why.
          RefusedError: It cannot be addressed to this recipient.
          DeferredError: It was not taken, perhaps later.
          SilentError: It may have been taken or not.
          UnusableError: The server can take no mail from us.
        """
        try:
            message = address(mail, recipient, self._sender)
        except NoticeError as error:
            raise RefusedError(str(error)) from None
        session = self._ready()
        self._begun_count += 1
        [to] = message["To"].addresses
        hand_over(session, self._settings, self._bounce_address, to.addr_spec, bytes(message))
        return str(message["Message-ID"])

    def find(self, mail: Mail) -> str | None:
        """SMTP knows no such question.

        Raises:
          SilentError: Always.
        """
        raise SilentError(f"SMTP cannot be asked for the mail of remedy {mail.remedy_id}: look into the server's log.")

    def try_out(self) -> str:
        """Says that the server takes us as a sender of mails: greets, protects, logs in, and gets none.

        Raises:
          DeferredError: It has no time for us now.
          UnusableError: It could take no mail from us.
        """
        server, security = self._settings.target, self._settings.security
        self._ready()
        self._close(politely=True)
        protected = "unencrypted" if security is Security.PLAIN else f"encrypted by {_ENCRYPTION[security]}"
        login = "with the login" if self._login else "without a login"
        return f"{server.host}:{server.port} takes us, {protected}, {login}"

    def _ready(self) -> Session:
        """The open connection if the server still answers on it, else a new one."""
        spent = self._begun_count >= self._settings.mails_per_connection
        if self._session is not None and not spent and _in_step(self._session):
            return self._session
        self._close(politely=True)
        self._session = open_session(self._settings, self._context, self._sender.domain, self._login)
        self._begun_count = 0
        return self._session

    def _close(self, *, politely: bool) -> None:
        session, self._session = self._session, None
        if session is not None:
            if politely:
                session.ask("QUIT")
            with contextlib.suppress(OSError):
                session.close()


def _in_step(session: Session) -> bool:
    """Whether the server is there and has forgotten the mail before; it may have closed an idle connection.

    A reply too many would be taken for the answer to the next command, and so on.
    """
    reply = session.ask("RSET") if session.idle() else None
    return reply is not None and reply.code == _OK


def _context(settings: SmtpSettings) -> ssl.SSLContext:
    if settings.security is Security.PLAIN:
        # Unused, and it trusts nobody; reading the machine's authorities takes longer than ten mails.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return tls_context(settings.ca_file)


def _bounce_address(text: str) -> str:
    try:
        return mailbox(text)
    except AddressError:
        pass
    raise TargetError("The bounce address is not one plain address such as bounces@example.com.")
