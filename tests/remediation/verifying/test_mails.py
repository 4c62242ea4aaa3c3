"""An amount is found however a country writes it, and no other figure is taken for it."""

import pytest

from remediation.remedy import Action
from remediation.verifying.mails import says
from tests.remediation.notices.letters import a_mail

AMOUNTS = {"USD": 123_456_789, "JPY": 1_234_567, "KWD": 2_990, "EUR": 5}


@pytest.mark.parametrize(
    "locale", ["en-US", "en-IN", "en-ZA", "en-CH", "ja-JP", "sv-SE", "de-CH", "es-ES", "ar-EG", "ar-AE", "ar-MA"]
)
@pytest.mark.parametrize("currency", AMOUNTS)
def test_a_real_mail_names_its_amount_in_every_part(locale: str, currency: str) -> None:
    minor = AMOUNTS[currency]
    mail = a_mail(locale=locale, currency=currency, actions=(Action("refund", minor),))
    assert says(mail.subject, minor, currency)
    assert says(mail.text, minor, currency)
    assert says(mail.html, minor, currency, page=True)
    for other in (minor + 1, minor * 10, minor // 10 + 1):
        assert not says(mail.subject, other, currency)


@pytest.mark.parametrize(
    ("text", "minor", "currency", "is_there"),
    [
        ("We have refunded $2.99.", 299, "USD", True),
        ("We have refunded 2,99 €, at once.", 299, "EUR", True),
        ("¥299を返金", 299, "JPY", True),
        ("We have refunded $12.99.", 299, "USD", False),
        ("We have refunded $1,002.99.", 299, "USD", False),
        ("We have refunded 1 002,99 €.", 299, "EUR", False),
        ("We have refunded $2.991.", 299, "USD", False),
        ("We have refunded $299.", 299, "USD", False),
        ("We have refunded ¥2.99", 299, "JPY", False),
        ("We have refunded ¥299,000.", 299, "JPY", False),
        ("“Me < You”: $2.99", 299, "USD", True),
    ],
)
def test_only_the_whole_amount_counts(text: str, minor: int, currency: str, *, is_there: bool) -> None:
    assert says(text, minor, currency) is is_there


@pytest.mark.parametrize(
    ("page", "is_there"),
    [
        ("<style>p{width:2.99px}</style><body><p>$2.99</p>", True),
        ("<style>p{width:2.99px}</style><body><p>Sorry</p>", False),
        ('<body><p title="2.99">Sorry</p>', False),
    ],
)
def test_a_page_says_what_its_reader_sees(page: str, *, is_there: bool) -> None:
    assert says(page, 299, "USD", page=True) is is_there
