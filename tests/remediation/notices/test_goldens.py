"""The mails as a person reads them, kept beside this file.

To write them anew after a change of words or layout, and then to read the
difference: `MAKEGOOD_WRITE_GOLDENS=1 .venv/bin/python -m pytest tests/remediation/notices/test_goldens.py`.

The wire carries base64 and quoted-printable. A golden is the same message in
eight bits, so that it opens in a mail program and in an editor alike. Where the
layout is the same again, one message is kept, and the words of all in one text.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import pytest

from detectors.finding import Finding
from remediation.mail import Mail
from remediation.notices.envelope import address
from remediation.orders import Voice
from remediation.preview.samples import BOOK, DECAF, FILM, PLAYBACK, every_failure
from remediation.remedy import Action
from tests.remediation.notices.letters import SENDER, a_finding, a_mail

GOLDEN: Final = Path(__file__).parent / "golden"
LOCALES: Final = {"en": "en-US", "ja": "ja-JP"}
IN_ONE_TEXT: Final = {"de": "de-DE", "es": "es-MX", "ar": "ar-EG"}

PRICE: Final = Action("refund", 1_899)
SHIPPING: Final = Action("shipping_refund", 499)
AGAIN: Final = Action("replacement", service_level="standard")
NEXT_DAY: Final = Action("replacement", service_level="next_day")
EXCHANGE: Final = Action("exchange")

TOLD: Final = every_failure()


@dataclass(frozen=True)
class Story:
    finding: Finding
    actions: tuple[Action, ...] = (Action("refund", 299),)
    title: Mapping[str, str] | None = None
    currency: str = "USD"
    voice: Voice = "plain"
    corrected: bool = False

    def mail(self, locale: str) -> Mail:
        return a_mail(
            self.finding,
            locale=locale,
            title=self.title or (DECAF if self.finding.kind == "wrong_item" else BOOK),
            actions=self.actions,
            currency=self.currency,
            voice=self.voice,
            corrected=self.corrected,
        )


STORIES: Final[Mapping[str, Story]] = {
    **{kind: Story(a_finding(kind), title=FILM) for kind in PLAYBACK},
    "casablanca_warm": Story(a_finding(), title=FILM, voice="warm"),
    "in_JPY": Story(a_finding(), title=FILM, currency="JPY"),
    "in_EUR": Story(a_finding(), (Action("refund", 1_299),), FILM, "EUR"),
    "in_KWD": Story(a_finding(), (Action("refund", 2_990),), FILM, "KWD"),
    "late": Story(TOLD["late"], (SHIPPING, Action("refund", 190))),
    "late_playful": Story(TOLD["late"], (SHIPPING,), voice="playful"),
    "late_missing": Story(TOLD["late_missing"], (SHIPPING,)),
    "lost": Story(TOLD["lost"], (AGAIN,)),
    "lost_playful": Story(TOLD["lost"], (PRICE, NEXT_DAY), voice="playful"),
    "lost_declared": Story(TOLD["lost_declared"], (PRICE, SHIPPING)),
    "lost_never_scanned": Story(TOLD["lost_never_scanned"], (PRICE,)),
    "damaged": Story(TOLD["damaged"], (AGAIN,)),
    "damaged_told": Story(TOLD["damaged_told"], (NEXT_DAY, Action("credit", 300))),
    "returned": Story(TOLD["returned"], (PRICE, SHIPPING)),
    "misdelivered": Story(TOLD["misdelivered"], (NEXT_DAY,)),
    "delivered_not_received": Story(TOLD["delivered_not_received"], (PRICE, NEXT_DAY)),
    "thor_playful": Story(TOLD["delivered_not_received"], (PRICE, NEXT_DAY), voice="playful"),
    "thor_warm": Story(TOLD["delivered_not_received"], (PRICE, NEXT_DAY), voice="warm"),
    "wrong_item": Story(TOLD["wrong_item"], (EXCHANGE,)),
    "decaf_playful": Story(TOLD["wrong_item"], (EXCHANGE,), voice="playful"),
    "decaf_warm": Story(TOLD["wrong_item"], (EXCHANGE,), voice="warm"),
    "wrong_item_again": Story(TOLD["wrong_item_again"], (EXCHANGE, PRICE)),
    "decaf_twice_corrected": Story(TOLD["wrong_item_again"], (EXCHANGE, PRICE), corrected=True),
    "decaf_twice_playful": Story(TOLD["wrong_item_again"], (EXCHANGE, PRICE), voice="playful", corrected=True),
    "decaf_twice_warm": Story(TOLD["wrong_item_again"], (EXCHANGE, PRICE), voice="warm", corrected=True),
}

MAILS: Final = {
    f"{name}.{language}": story.mail(locale) for name, story in STORIES.items() for language, locale in LOCALES.items()
} | {f"playback_stalls.{language}": STORIES["playback_stalls"].mail(locale) for language, locale in IN_ONE_TEXT.items()}


@pytest.mark.parametrize("name", MAILS)
def test_the_mail_is_the_golden_one(name: str) -> None:
    demand_golden(f"{name}.eml", readable(MAILS[name]))


@pytest.mark.parametrize("language", IN_ONE_TEXT)
def test_the_words_of_a_language_are_the_golden_ones(language: str) -> None:
    mails = {name: story.mail(IN_ONE_TEXT[language]) for name, story in STORIES.items()}

    demand_golden(
        f"{language}.txt", "\n".join(f"== {name}\n\n{mail.subject}\n\n{mail.text}" for name, mail in mails.items())
    )


def test_no_golden_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.eml" for name in MAILS} | {
        f"{language}.txt" for language in IN_ONE_TEXT
    }


def demand_golden(name: str, written: str) -> None:
    golden = GOLDEN / name
    if os.environ.get("MAKEGOOD_WRITE_GOLDENS"):
        golden.write_text(written, encoding="utf-8", newline="\n")

    assert written == golden.read_text(encoding="utf-8")


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
