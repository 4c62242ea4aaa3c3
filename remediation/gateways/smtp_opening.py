"""Connections to a mail server: protected as asked, logged in, and ready to take mails."""

import smtplib
import socket
import ssl

from remediation.gateways.errors import DeferredError, UnusableError
from remediation.gateways.smtp_session import Reply, Session, TlsSession
from remediation.gateways.smtp_settings import Login, Security, SmtpSettings


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
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionResetError):
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
