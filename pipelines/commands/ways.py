"""The ways out as the command line names them: targets and secrets come from options and the environment alone."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.commands.shared import clock, secret
from pipelines.settings import UsageError, folder_of, sender_parts

if TYPE_CHECKING:
    from remediation.gateways.file_goods import FileDesk
    from remediation.gateways.file_mails import FileMailer
    from remediation.gateways.file_refunds import FileGateway
    from remediation.gateways.smtp_mails import SmtpMailer
    from remediation.gateways.stripe_refunds import StripeGateway
    from remediation.gateways.webhook_goods import WebhookDesk
    from remediation.loyalty.links import Links, Tokens
    from remediation.notices.envelope import Sender

STRIPE: Final = "stripe"
WEBHOOK: Final = "webhook"
SURVEY_URL: Final = "MAKEGOOD_SURVEY_URL"
UNSUBSCRIBE_URL: Final = "MAKEGOOD_UNSUBSCRIBE_URL"
SURVEY_KEYS: Final = "MAKEGOOD_SURVEY_KEYS"
_MAIL_SCHEMES: Final = ("smtp:", "smtps:", "smtp+plain:")


def refund_gateway(name: str) -> "StripeGateway | FileGateway":
    """`file:DIR`, or `stripe` with MAKEGOOD_STRIPE_KEY; MAKEGOOD_STRIPE_URL names a test server.

    Raises:
      UsageError: It is neither, or the key is not set.
    """
    if name == STRIPE:
        from remediation.gateways.stripe_refunds import StripeGateway

        return StripeGateway(secret("MAKEGOOD_STRIPE_KEY", "--gateway stripe"), os.environ.get("MAKEGOOD_STRIPE_URL"))
    from remediation.gateways.file_refunds import FileGateway

    return FileGateway(folder_of(name, "--gateway", f"file:DIR or {STRIPE}"))


def mail_server(name: str) -> "SmtpMailer | FileMailer":
    """`file:DIR`, or `smtp://HOST`, `smtps://HOST`, `smtp+plain://HOST`, with MAKEGOOD_SMTP_USER and its password.

    Raises:
      UsageError: It is none of these, or a variable is missing.
      TargetError: The URL cannot be used.
    """
    sender = _sender()
    if not name.startswith(_MAIL_SCHEMES):
        from remediation.gateways.file_mails import FileMailer

        return FileMailer(folder_of(name, "--mailer", "file:DIR or smtp://HOST"), sender)
    from remediation.gateways.smtp_mails import SmtpMailer
    from remediation.gateways.smtp_settings import Login, SmtpSettings, smtp_target

    trusted = os.environ.get("MAKEGOOD_SMTP_CA")
    settings = SmtpSettings(
        smtp_target(name), os.environ.get("MAKEGOOD_BOUNCES_TO"), Path(trusted) if trusted else None
    )
    user = os.environ.get("MAKEGOOD_SMTP_USER")
    login = Login(user, secret("MAKEGOOD_SMTP_PASSWORD", "MAKEGOOD_SMTP_USER")) if user else None
    return SmtpMailer(settings, sender, login)


def survey_links() -> "Links | None":
    """Where a survey leads: MAKEGOOD_SURVEY_URL, MAKEGOOD_UNSUBSCRIBE_URL, MAKEGOOD_SURVEY_KEYS; null without URLs.

    Raises:
      UsageError: Only some of the three are set, or the keys cannot be used.
      TargetError: A URL cannot be used.
    """
    if not any(map(os.environ.get, (SURVEY_URL, UNSUBSCRIBE_URL))):
        return None  # the keys alone serve whoever only reads replies
    from remediation.loyalty.links import Links

    page, unsubscribe = (secret(name, "a survey") for name in (SURVEY_URL, UNSUBSCRIBE_URL))
    return Links.of(page, unsubscribe, survey_tokens())


def survey_tokens() -> "Tokens":
    """What makes tokens of surveys and knows them again, from MAKEGOOD_SURVEY_KEYS.

    Raises:
      UsageError: It is not set, or holds no keys.
    """
    from remediation.loyalty.links import SurveyKeyError, Tokens

    try:
        return Tokens.of(secret(SURVEY_KEYS, "a survey"))
    except SurveyKeyError as error:
        raise UsageError(f"{SURVEY_KEYS} {error}") from None


def _sender() -> "Sender":
    """Who writes, tried on a mail to nobody: else every mail of the pass would fail by itself.

    Raises:
      UsageError: No mail could be written in this name.
    """
    from remediation.mail import Mail
    from remediation.notices.envelope import Sender, address
    from remediation.notices.errors import NoticeError

    sender = Sender(*sender_parts())
    try:
        address(Mail("trial", "a" * 26, "en", "trial", "trial", "<p>trial</p>"), "nobody@example.com", sender)
    except NoticeError as error:
        raise UsageError(f"MAKEGOOD_MAIL_FROM or MAKEGOOD_MAIL_REPLY_TO cannot be used: {error}") from None
    return sender


def goods_desk(name: str) -> "WebhookDesk | FileDesk":
    """`file:DIR`, or `webhook` with MAKEGOOD_GOODS_URL and MAKEGOOD_GOODS_SECRETS.

    Raises:
      UsageError: It is neither, or a variable is missing.
      TargetError: The URL or a secret cannot be used.
    """
    if name == WEBHOOK:
        from remediation.gateways.signatures import Secret
        from remediation.gateways.webhook_goods import WebhookDesk, WebhookSettings, webhook_target

        receiver = webhook_target(secret("MAKEGOOD_GOODS_URL", "--goods webhook"))
        secrets = secret("MAKEGOOD_GOODS_SECRETS", "--goods webhook").split()
        trusted = os.environ.get("MAKEGOOD_GOODS_CA")
        return WebhookDesk(
            WebhookSettings(receiver, tuple(map(Secret.parse, secrets)), Path(trusted) if trusted else None), clock
        )
    from remediation.gateways.file_goods import FileDesk

    return FileDesk(folder_of(name, "--goods", f"file:DIR or {WEBHOOK}"))
