"""The survey as it reads, in every language."""

import re
from typing import Final

import pytest

from remediation.loyalty.asking import ask
from remediation.loyalty.links import PAGE, RATE, UNSUBSCRIBE
from remediation.notices.catalogues import languages
from remediation.notices.errors import NoticeError
from remediation.orders import OrderLine

SURVEY: Final = "5e1a3d2c-0f5b-5c7e-9a51-0c2a4b6d8e10"
WROTE_AT: Final = 1_795_338_000_000  # 2026-11-22T09:00:00Z
TAGS: Final = {"en": "en-GB", "ja": "ja-JP", "de": "de-AT", "es": "es-MX", "ar": "ar-EG"}
SUBJECTS: Final = {
    "en": "How likely are you to recommend us?",
    "ja": "当サービスをお薦めいただけますか",
    "de": "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?",
    "es": "¿Qué probabilidad hay de que nos recomiende?",
    "ar": "ما مدى احتمال أن توصوا بنا؟",
}
DAYS: Final = {
    "en": "Sunday, 22 November 2026",
    "ja": "2026年11月22日日曜日",
    "de": "Sonntag, 22. November 2026",
    "es": "domingo, 22 de noviembre de 2026",
    "ar": "الأحد، ٢٢ نوفمبر ٢٠٢٦",
}
SCALES: Final = {"ar": ("\u0660", "\u0661\u0660")}


def an_order(**fields: object) -> OrderLine:
    usual: dict[str, object] = {
        "order_line_id": "line-1",
        "order_id": "O-17",
        "customer_id": "C-1",
        "kind": "rental",
        "item_id": "film",
        "title": {"en": "Casablanca", "ja": "カサブランカ"},
        "amount_minor": 299,
        "currency": "USD",
        "purchased_at": WROTE_AT,
    }
    return OrderLine.model_validate({**usual, **fields})


@pytest.mark.parametrize("language", sorted(TAGS))
def test_each_language_asks_the_same_question(language: str) -> None:
    mail = ask(SURVEY, an_order(), TAGS[language], "Europe/Paris", WROTE_AT)
    assert (mail.language, mail.subject) == (language, SUBJECTS[language])
    title = "カサブランカ" if language == "ja" else "Casablanca"
    least, most = SCALES.get(language, ("0", "10"))
    for body in (mail.text, mail.html):
        assert {word for word in (title, "O-17", DAYS[language], least, most) if word not in body} == set()
        assert body.count(PAGE) >= 1
        assert body.count(UNSUBSCRIBE) == 1
    assert [mail.html.count(f'href="{url}"') for url in RATE.values()] == [1] * 11
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in mail.html


def test_every_language_that_mails_speak_is_tried_here() -> None:
    assert languages() == set(TAGS)


def test_nothing_in_it_says_what_was_given() -> None:
    mail = ask(SURVEY, an_order(), "en", "UTC", WROTE_AT)
    assert "Coordinated Universal Time" in mail.text
    page = re.sub("<style.*?</style>", "", mail.html, flags=re.DOTALL)
    assert not re.search(r"refund|credit|\$|2\.99|replace|sorry|apolog", mail.text + page, re.IGNORECASE)


def test_a_title_is_no_markup() -> None:
    mail = ask(SURVEY, an_order(title="<a href=x>&\r\nBcc: x"), "en", "UTC", WROTE_AT)
    assert "<a href=x>" not in mail.html
    assert "&lt;a href=x&gt;" in mail.html
    assert "<a href=x>& Bcc: x" in mail.text


def test_without_a_title_there_is_nothing_to_ask_about() -> None:
    with pytest.raises(NoticeError, match="its title is empty"):
        ask(SURVEY, an_order(title=""), "en", "UTC", WROTE_AT)
