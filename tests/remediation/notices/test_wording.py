# ruff: noqa: RUF001 - other scripts have letters that look like Latin ones
"""What no mail may ever say, in any language, about any failure."""

import re
from typing import Final

import pytest

from remediation.mail import Mail
from remediation.notices.catalogues import languages
from remediation.remedy import Action
from tests.remediation.notices.letters import VOICES, a_finding, a_mail, every_finding
from tests.remediation.notices.pages import Page, contrast

FORBIDDEN: Final = {
    "en": (
        *("coupon", "voucher", "discount", "offer", "survey", "feedback", "rate us"),  # no promotion, no question
        *("promise", "guarantee", "never again", "in future", "in the future", "going forward", "will", "hope"),
        *("click", "log in", "sign in", "call us", "phone", "contact", "visit", "please"),  # no call to action
        *("because", "due to", "caused by", "however", "unfortunately", "your connection"),  # no cause, no excuse
    ),
    "ja": (
        *("クーポン", "割引", "キャンペーン", "アンケート", "特典"),
        *("約束", "今後", "再発", "防止", "努め", "二度と", "いたします", "予定", "保証"),
        *("クリック", "ログイン", "電話", "お問い合わせ", "ください", "こちら"),
        *("原因", "のため", "しかし", "やむを得", "お使いの回線"),
    ),
}
"""No promotion, no promise, no call to action, no cause that nobody knows, no excuse."""

TERMS: Final = {"en": "promised for", "ja": "お届け予定日"}
"""What was promised is a fact. Only these words say it, and they promise nothing."""

PAST: Final = {
    "en": re.compile(
        r"We have (also )?(refunded|added|ordered|found)|There is nothing you need to do\.|The refund shows"
    ),
    "ja": re.compile(r"(返金|付与|手配|訂正)いたしました。|不要でございます。"),
}
ADDRESS: Final = re.compile(r"https?:|www\.|mailto:|\w@\w|\b\w+\.(com|net|org|jp)\b")
PHONE: Final = re.compile(r"\+\d|\(0\d|\b0\d{1,3}-\d")

MONEY: Final = (Action("refund", 299), Action("shipping_refund", 100), Action("credit", 50))
GOODS: Final = (
    Action("replacement", service_level="standard"),
    Action("replacement", service_level="next_day"),
    Action("exchange"),
)

EVERY_MAIL: Final = [
    pytest.param(a_mail(finding, locale=language, actions=MONEY, voice=voice), id=f"{name}-{language}-{voice}")
    for name, finding in every_finding().items()
    for language in sorted(languages())
    for voice in VOICES
] + [
    pytest.param(
        a_mail(a_finding("wrong_item"), locale=language, actions=(action,), corrected=True),
        id=f"{action.kind}-{action.service_level or 'alone'}-{language}",
    )
    for action in (*MONEY, *GOODS)
    for language in sorted(languages())
]


def test_every_language_has_its_list_of_words_that_no_mail_says() -> None:
    assert set(FORBIDDEN) == set(TERMS) == set(PAST) == languages()


@pytest.mark.parametrize("mail", EVERY_MAIL)
def test_no_promotion_promise_excuse_or_call_to_action(mail: Mail) -> None:
    words = f"{mail.subject}\n{mail.text}".lower().replace(TERMS[mail.language], "")

    said = [word for word in FORBIDDEN[mail.language] if _says(words, word)]
    assert not said
    assert "!" not in words
    assert "！" not in words


@pytest.mark.parametrize("mail", EVERY_MAIL)
def test_what_was_done_is_told_in_the_past_tense(mail: Mail) -> None:
    _, _, _, done, _ = mail.text.strip().split("\n\n")

    assert all(PAST[mail.language].search(line) for line in done.splitlines())


@pytest.mark.parametrize("mail", EVERY_MAIL)
def test_a_mail_says_sorry_and_no_more_than_four_parts_with_one_fact(mail: Mail) -> None:
    noticed, fact, sorry, _, close = mail.text.strip().split("\n\n")

    assert len(fact.splitlines()) == 2
    assert {"en": "sorry", "ja": "申し訳ございません"}[mail.language] in sorry
    assert len(noticed.splitlines()) == len(sorry.splitlines()) == len(close.splitlines()) == 1


@pytest.mark.parametrize("mail", EVERY_MAIL)
def test_no_link_no_phone_number_nothing_loaded_nothing_run(mail: Mail) -> None:
    page = Page(mail.html)
    attributes = {name for element in page.elements for name in element.attributes}

    assert not ADDRESS.search(mail.subject + mail.text)
    assert not PHONE.search(mail.text)
    assert {"html", "body"} <= {element.tag for element in page.elements}
    assert not {"a", "img", "link", "script", "form", "iframe", "input"} & {element.tag for element in page.elements}
    assert not {name for name in attributes if name in ("href", "src", "background") or name.startswith("on")}
    assert "url(" not in mail.html
    assert "@import" not in mail.html


@pytest.mark.parametrize("mail", EVERY_MAIL)
def test_every_word_is_readable_by_day_and_by_night(mail: Mail) -> None:
    page = Page(mail.html)

    assert page.words
    for words in page.words:
        assert contrast(words.light) >= 4.5, words
        assert contrast(words.dark) >= 4.5, words
        assert words.light != words.dark, words


@pytest.mark.parametrize("mail", EVERY_MAIL)
def test_a_mail_is_small_and_every_style_is_inlined(mail: Mail) -> None:
    assert len(mail.html.encode()) + len(mail.text.encode()) < 10_000  # mail programs cut at 100 kB
    assert mail.html.count("<style>") == 1
    assert mail.html.index("charset") < 1024  # where a reader of HTML stops looking for it
    assert max(len(line.encode()) for line in mail.html.splitlines()) < 998  # of RFC 5322
    for tag in ("p", "div", "td"):
        assert f"<{tag}>" not in mail.html


@pytest.mark.parametrize(
    ("colours", "ratio"),
    [(("#ffffff", "#000000"), 21.0), (("#777777", "#ffffff"), 4.48), (("#0000ff", "#0000ff"), 1.0)],
)
def test_the_contrast_is_that_of_wcag(colours: tuple[str, str], ratio: float) -> None:
    assert contrast(colours) == pytest.approx(ratio, abs=0.01)


def _says(words: str, word: str) -> bool:
    return bool(re.search(rf"\b{word}\b", words)) if word.isascii() else word in words
