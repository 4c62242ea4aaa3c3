"""Mailers of the tests, and what they say of a mail."""

from pathlib import Path
from typing import Final, Literal

from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError
from remediation.gateways.mails import Mailer
from remediation.gateways.smtp_mails import SmtpMailer
from remediation.gateways.smtp_settings import Login, Security, SmtpSettings, smtp_target
from remediation.mail import Mail
from tests.remediation.notices.letters import SENDER, a_mail

RECIPIENT: Final = "rick@example.com"
MAIL: Final = a_mail()

Outcome = Literal["sent", "rejected", "deferred", "silent", "unusable"]


def a_mailer(  # noqa: PLR0913 - a test names one or two of them
    port: int,
    security: Security = Security.PLAIN,
    *,
    host: str = "localhost",
    login: Login | None = None,
    ca_file: Path | None = None,
    bounce_address: str | None = None,
    mails_per_connection: int = 100,
    timeout_ms: int = 5_000,
    acceptance_timeout_ms: int | None = None,
) -> SmtpMailer:
    settings = SmtpSettings(
        target=smtp_target(f"{security}://{host}:{port}"),
        bounce_address=bounce_address,
        ca_file=ca_file,
        timeout_ms=timeout_ms,
        acceptance_timeout_ms=acceptance_timeout_ms or timeout_ms,
        mails_per_connection=mails_per_connection,
    )
    return SmtpMailer(settings, SENDER, login)


def outcome(mailer: Mailer, mail: Mail = MAIL) -> tuple[Outcome, Exception | None]:
    """What the mailer says of a mail, and the error it says it by."""
    try:
        mailer.send(mail, RECIPIENT)
    except RefusedError as error:
        return "rejected", error
    except DeferredError as error:
        return "deferred", error
    except SilentError as error:
        return "silent", error
    except UnusableError as error:
        return "unusable", error
    return "sent", None


def whole_text(error: BaseException | None) -> str:
    """Everything that a traceback would show of an error, or a careless log."""
    texts: list[str] = []
    while error is not None:
        texts.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    return " ".join(texts)
