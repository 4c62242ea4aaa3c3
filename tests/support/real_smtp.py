"""A mail server in this process that keeps the rules, with TLS and logins."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from remediation.gateways.smtp_settings import Login, Security

LOGIN: Final = Login("makegood", "correct horse")


@dataclass(frozen=True, slots=True)
class Received:
    """One mail as the server took it, over the connection of `client`."""

    bounce_address: str
    recipients: tuple[str, ...]
    content: bytes
    client: object
    hostname: str
    encrypted: bool
    authenticated: bool


@dataclass
class Handler:
    """What the server keeps of its mails. aiosmtpd finds the methods by their names."""

    needs_login: bool
    mails: list[Received] = field(default_factory=list)
    senders_named: int = 0

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, given: object
    ) -> AuthResult:
        right = LoginPassword(LOGIN.user.encode(), LOGIN.password.encode())
        return AuthResult(success=given == right, handled=False)

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.senders_named += 1
        if self.needs_login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 2.1.0 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(
            Received(
                str(envelope.mail_from),
                tuple(str(address) for address in envelope.rcpt_tos),
                envelope.original_content or b"",
                session.peer,
                str(session.host_name),
                encrypted=server.transport is not None and server.transport.get_extra_info("sslcontext") is not None,
                authenticated=bool(session.authenticated),
            )
        )
        return "250 2.0.0 taken"


class _AnyPort(Controller):
    """Listens where the system likes; the library would knock at port 0 to see whether it listens."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class RealServer:
    """A running server and what it has seen."""

    port: int
    handler: Handler

    @property
    def mails(self) -> list[Received]:
        return self.handler.mails


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the tests' own; `file` is its certificate."""

    issuer: trustme.CA
    file: Path

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        authority = cls(trustme.CA(), folder / "ca.pem")
        authority.issuer.cert_pem.write_to_path(str(authority.file))
        return authority

    def server_context(self, host: str = "localhost") -> ssl.SSLContext:
        """How a server of that name shows who it is."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.issuer.issue_cert(host).configure_cert(context)
        return context


@contextmanager
def real_server(
    security: Security = Security.PLAIN, context: ssl.SSLContext | None = None, *, needs_login: bool = False
) -> Iterator[RealServer]:
    """A listening server, protected as asked."""
    handler = Handler(needs_login)
    controller = _AnyPort(
        handler,
        hostname="127.0.0.1",
        server_hostname="mail.example",
        ssl_context=context if security is Security.IMPLICIT_TLS else None,
        tls_context=context if security is Security.STARTTLS else None,
        authenticator=handler.authenticate,
        auth_require_tls=security is Security.STARTTLS,
        port=0,
    )
    controller.start()
    try:
        yield RealServer(controller.port, handler)
    finally:
        controller.stop()
