"""The mails as a person reads them, kept beside this file.

To write them anew after a change of words or layout, and then to read the
difference: `MAKEGOOD_WRITE_GOLDENS=1 .venv/bin/python -m pytest tests/remediation/notices/test_goldens.py`.

The wire carries base64 and quoted-printable. A golden is the same message in
eight bits, so that it opens in a mail program and in an editor alike.
"""

import os
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import pytest

from remediation.mail import Mail
from remediation.notices import address
from remediation.remedy import Action
from tests.remediation.notices.letters import EVIDENCE, SENDER, a_finding, a_mail

GOLDEN: Final = Path(__file__).parent / "golden"
LOCALES: Final = {"en": "en-US", "ja": "ja-JP"}

MAILS: Final = {
    f"{kind}.{language}": a_mail(a_finding(kind), locale=locale)
    for kind in EVIDENCE
    for language, locale in LOCALES.items()
} | {
    f"in_{currency}.{language}": a_mail(locale=locale, currency=currency, actions=(Action("refund", minor),))
    for currency, minor in (("JPY", 299), ("EUR", 1_299), ("KWD", 2_990))
    for language, locale in LOCALES.items()
}


@pytest.mark.parametrize("name", MAILS)
def test_the_mail_is_the_golden_one(name: str) -> None:
    golden = GOLDEN / f"{name}.eml"
    written = readable(MAILS[name])
    if os.environ.get("MAKEGOOD_WRITE_GOLDENS"):
        golden.write_text(written, encoding="utf-8", newline="\n")

    assert written == golden.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(MAILS)


def readable(mail: Mail) -> str:
    """What arrived, taken off the wire and written down again in eight bits."""
    wire = message_from_bytes(bytes(address(mail, "rick@example.com", SENDER)), policy=policy.default)
    assert isinstance(wire, EmailMessage)
    plain, page = (part.get_content().replace("\r\n", "\n") for part in wire.iter_parts())
    message = EmailMessage(policy=policy.default.clone(utf8=True, cte_type="8bit", max_line_length=998))
    for name in ("From", "To", "Reply-To", "Subject", "Message-ID", "Auto-Submitted"):
        message[name] = wire[name]
    message.set_content(plain, cte="8bit")
    message.add_alternative(page, subtype="html", cte="8bit")
    message["Content-Language"] = wire["Content-Language"]
    message.set_boundary(wire.get_boundary() or "")
    return bytes(message).decode()
