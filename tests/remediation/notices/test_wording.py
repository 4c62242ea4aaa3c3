# ruff: noqa: RUF001 - other scripts have letters that look like Latin ones
"""What no mail may ever say, in any language, about any failure."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

import pytest

from remediation.mail import Mail
from remediation.notices.catalogues import languages
from remediation.preview.stories import stories
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
    "de": (
        *("gutschein", "rabatt", "angebot", "aktion", "umfrage", "feedback", "bewertung", "bewerten"),
        *("versprechen", "versprochen", "zugesagt", "garantie", "garantieren", "nie wieder", "künftig", "zukünftig"),
        *("zukunft", "wird", "werden", "hoffen", "hoffentlich"),
        *("klicken", "anmelden", "einloggen", "anrufen", "telefon", "kontakt", "besuchen", "bitte"),
        *("weil", "wegen", "aufgrund", "verursacht", "jedoch", "allerdings", "leider", "verbindung", "leitung"),
    ),
    "es": (
        *("cupón", "vale", "descuento", "oferta", "promoción", "encuesta", "opinión", "valora", "valore"),
        *("promesa", "prometemos", "prevista", "garantía", "garantizamos", "nunca más", "futuro", "en adelante"),
        *("esperamos", "haremos", "volverá"),
        *("haga clic", "pulse", "inicie sesión", "llame", "teléfono", "contacto", "visite", "por favor"),
        *("porque", "debido a", "a causa de", "sin embargo", "lamentablemente", "conexión"),
    ),
    "ar": (
        *("قسيمة", "خصم", "تخفيض", "عرض خاص", "استبيان", "تقييم", "رأيكم", "رأيك"),
        *("نعد", "وعد", "موعد", "نضمن", "ضمان", "لن", "سوف", "مستقبل", "نأمل", "نرجو"),
        *("انقر", "اضغط", "تسجيل الدخول", "اتصل", "هاتف", "تواصل", "زيارة", "يرجى", "الرجاء"),
        *("بسبب", "لأن", "نتيجة", "لكن", "للأسف", "اتصالكم", "اتصالك"),
    ),
}
"""No promotion, no promise, no call to action, no cause that nobody knows, no excuse."""

TERMS: Final = {
    "en": "promised for",
    "ja": "お届け予定日",
    "de": "zugesagt für",
    "es": "entrega prevista para",
    "ar": "الموعد المحدد",
}
"""What was promised is a fact. Only these words say it, and they promise nothing."""

PAST: Final = {
    "en": re.compile(
        r"We have (also )?(refunded|added|ordered|found)|There is nothing you need to do\.|The refund shows"
    ),
    "ja": re.compile(r"(返金|付与|手配|訂正)いたしました。|不要でございます。"),
    "de": re.compile(r"Wir haben .*(erstattet|gutgeschrieben|bestellt|berichtigt)\.|Es ist nichts weiter zu tun\."),
    "es": re.compile(r"Hemos (reembolsado|añadido|encargado|encontrado)|No hay que hacer nada más\."),
    "ar": re.compile(r"^(أعدنا|أضفنا|أنشأنا|وجدنا)|لا يلزم اتخاذ أي إجراء\."),
}

SORRY: Final = {
    "en": re.compile("sorry"),
    "ja": re.compile("申し訳ございません"),
    "de": re.compile("Wir bitten um Entschuldigung|tut uns (aufrichtig )?leid"),
    "es": re.compile("Le pedimos disculpas|(Lo s|S)entimos"),
    "ar": re.compile("نعتذر إليك"),
}

NEAR: Final = {
    "de": re.compile(r"\b(du|dir|dich|dein\w*)\b", re.IGNORECASE),
    "es": re.compile(r"\b(tú|te|ti|tus?|contigo|\w+(?:aste|iste|abas)|(?!días)\w+ías)\b", re.IGNORECASE),
    "ar": re.compile(r"\w+ك\b"),
}
DISTANT: Final = {
    "de": re.compile(r"\b(Sie|Ihnen|Ihr\w*)\b"),
    "es": re.compile(r"\b(usted|les?|sus?)\b", re.IGNORECASE),
    "ar": re.compile(r"\w+كم\b"),
}
"""The two ways to say *you*. No sentence that is the same in every voice says it at all."""

NEAR_VOICES: Final = {"de": {"playful"}, "es": {"warm", "playful"}, "ar": {"warm", "playful"}}

ADDRESS: Final = re.compile(r"https?:|www\.|mailto:|\w@\w|\b\w+\.(com|net|org|jp)\b")
PHONE: Final = re.compile(r"\+\d|\(0\d|\b0\d{1,3}-\d")

LANGUAGES: Final = sorted(languages())


@cache
def mails(language: str) -> Mapping[str, Mail]:
    """Every apology of the gallery, but for the titles of others; a name ends in the voice. A survey is no apology."""
    return {
        f"{story.name}-{voice}": story.mail(language, voice)
        for story in stories(language)
        for voice in story.voices
        if story.section not in {"titles", "survey"}
    }


def test_every_language_has_its_list_of_words_that_no_mail_says() -> None:
    assert set(FORBIDDEN) == set(TERMS) == set(PAST) == set(SORRY) == languages()
    assert set(NEAR) == set(DISTANT) == set(NEAR_VOICES) == languages() - {"en", "ja"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_promotion_promise_excuse_or_call_to_action(language: str) -> None:
    for name, mail in mails(language).items():
        words = f"{mail.subject}\n{mail.text}".lower().replace(TERMS[language], "")

        said = [word for word in FORBIDDEN[language] if _says(words, word, language)]
        assert not said, name
        assert not set(words) & set("!！¡"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_done_is_told_in_the_past_tense(language: str) -> None:
    for name, mail in mails(language).items():
        _, _, _, done, _ = mail.text.strip().split("\n\n")

        assert all(PAST[language].search(line) for line in done.splitlines()), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_says_sorry_and_no_more_than_four_parts_with_one_fact(language: str) -> None:
    for name, mail in mails(language).items():
        noticed, fact, sorry, _, close = mail.text.strip().split("\n\n")

        assert len(fact.splitlines()) == 2, name
        assert SORRY[language].search(sorry), name
        assert len(noticed.splitlines()) == len(sorry.splitlines()) == len(close.splitlines()) == 1, name


@pytest.mark.parametrize("language", sorted(NEAR))
def test_a_mail_addresses_the_customer_in_one_way_from_beginning_to_end(language: str) -> None:
    for name, mail in mails(language).items():
        other = DISTANT if name.rpartition("-")[2] in NEAR_VOICES[language] else NEAR

        assert not other[language].search(f"{mail.subject}\n{mail.text}"), name


@pytest.mark.parametrize("language", sorted(NEAR))
def test_facts_money_and_goods_address_nobody(language: str) -> None:
    for name, mail in mails(language).items():
        _, fact, _, done, _ = mail.text.strip().split("\n\n")

        for way in (NEAR, DISTANT):
            assert not way[language].search(f"{mail.subject}\n{fact}\n{done}"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_link_no_phone_number_nothing_loaded_nothing_run(language: str) -> None:
    for name, mail in mails(language).items():
        page = Page(mail.html)
        attributes = {each for element in page.elements for each in element.attributes}

        assert not ADDRESS.search(mail.subject + mail.text), name
        assert not PHONE.search(mail.text), name
        assert {"html", "body"} <= page.tags, name
        assert not {"a", "img", "link", "script", "form", "iframe", "input"} & page.tags, name
        assert not {each for each in attributes if each in ("href", "src", "background") or each.startswith("on")}, name
        assert "url(" not in mail.html, name
        assert "@import" not in mail.html, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_readable_by_day_and_by_night(language: str) -> None:
    for name, mail in mails(language).items():
        page = Page(mail.html)

        assert page.words, name
        for words in page.words:
            assert contrast(words.light) >= 4.5, (name, words)
            assert contrast(words.dark) >= 4.5, (name, words)
            assert words.light != words.dark, (name, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_is_small_and_every_style_is_inlined(language: str) -> None:
    for name, mail in mails(language).items():
        assert len(mail.html.encode()) + len(mail.text.encode()) < 10_000, name  # mail programs cut at 100 kB
        assert mail.html.count("<style") == 1, name
        assert mail.html.index("charset") < 1024, name  # where a reader of HTML stops looking for it
        assert max(len(line.encode()) for line in mail.html.splitlines()) < 998, name  # of RFC 5322
        assert not [tag for tag in ("p", "div", "td") if f"<{tag}>" in mail.html], name


@pytest.mark.parametrize(
    ("colours", "ratio"),
    [(("#ffffff", "#000000"), 21.0), (("#777777", "#ffffff"), 4.48), (("#0000ff", "#0000ff"), 1.0)],
)
def test_the_contrast_is_that_of_wcag(colours: tuple[str, str], ratio: float) -> None:
    assert contrast(colours) == pytest.approx(ratio, abs=0.01)


def _says(words: str, word: str, language: str) -> bool:
    """Whether a word is said: Japanese has no spaces between words, Arabic joins small ones to their front."""
    if language == "ja":
        return word in words
    joined = "[وفبلك]?(?:ال)?" if language == "ar" else ""
    return bool(re.search(rf"\b{joined}{word}\b", words))
