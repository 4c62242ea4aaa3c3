"""One mail over an open connection, and what is certain of it when that goes wrong.

A server has taken a mail when it has answered the dot that ends it, and cannot
have taken it before the dot was sent. So the dot goes out by itself: what
breaks earlier certainly did not send the mail, and between dot and answer
nobody can tell.
"""

import contextlib
import re
import smtplib
from typing import Final

from remediation.gateways.errors import DeferredError, RejectedMailError, SilentError, UnusableError
from remediation.gateways.smtp_session import Reply, Session
from remediation.gateways.smtp_settings import SmtpSettings

UNAUTHORISED: Final = frozenset({530, 534, 535, 538})
"""Replies that speak of our login and not of the mail (RFC 4954), whatever they answer."""

_SHUTTING_DOWN: Final = 421
_DONE, _GO_ON, _LATER, _NEVER = 2, 3, 4, 5
_LINE_WITH_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


def hand_over(session: Session, settings: SmtpSettings, bounce_address: str, recipient: str, wire: bytes) -> None:
    """Gives one mail to the server; returning means that the server has taken it.

    After an error the connection is closed, unless the server is still in step
    with us and can take the next mail.

    Args:
      session: Ready, with no mail begun.
      settings: For its two time-outs.
      bounce_address: Whom the servers on the way report failures to.
      recipient: One bare address in ASCII.
      wire: The whole message in seven bits, every line ending in CRLF.

    Raises:
      RejectedMailError: Not taken, and never will be.
      DeferredError: Not taken, perhaps later.
      UnusableError: Not taken, and no other mail would be.
      SilentError: Taken or not, nobody can tell.
    """
    _ask(session, f"MAIL FROM:<{bounce_address}>", _DONE)
    _ask(session, f"RCPT TO:<{recipient}>", _DONE)
    _ask(session, "DATA", _GO_ON)
    _send_body(session, wire)
    session.wait(settings.acceptance_timeout_ms)
    _end(session)
    session.wait(settings.timeout_ms)


def _ask(session: Session, command: str, wanted: int) -> None:
    verb = command[:4]
    reply = session.ask(command)
    if reply is None:
        raise DeferredError(f"The connection to the mail server broke at {verb}, before the mail was sent.")
    if reply.code // 100 != wanted:
        raise _refusal(session, verb, reply)


def _send_body(session: Session, wire: bytes) -> None:
    # The error of a connection that breaks here says no more than idle() does.
    with contextlib.suppress(smtplib.SMTPServerDisconnected):
        # A line that is one dot would end the mail early (RFC 5321, 4.5.2).
        session.send(_LINE_WITH_DOT.sub(b"..", wire))
    if not session.idle():
        raise DeferredError("The mail server hung up, or spoke out of turn, before the end of the mail was sent.")


def _end(session: Session) -> None:
    reply = session.ask(".")
    if reply is None:
        raise SilentError("The connection to the mail server broke before it answered the whole mail.")
    match reply.code // 100:
        case 2:
            return
        case 3:
            session.close()
            raise SilentError(f"The mail server answered the whole mail out of turn ({reply}).")
        case _:
            raise _refusal(session, "the whole mail", reply)


def _refusal(session: Session, verb: str, reply: Reply) -> DeferredError | RejectedMailError | UnusableError:
    """What an answer other than the wanted one means, where it is certain that the mail was not taken."""
    kind = reply.code // 100
    if reply.code == _SHUTTING_DOWN or kind not in (_LATER, _NEVER):
        session.close()
    if reply.code in UNAUTHORISED or (verb == "MAIL" and kind == _NEVER):
        return UnusableError(f"The mail server takes no mail from us ({reply} to {verb}): check login and sender.")
    if kind == _NEVER:
        return RejectedMailError(f"The mail server answered {reply} to {verb}: the mail was not sent.", reply.status)
    return DeferredError(f"The mail server answered {reply} to {verb}: the mail was not sent yet.")
