# ruff: noqa: RUF001 - other scripts have letters that look like Latin ones
"""Titles and order numbers come from elsewhere: they may hold anything, and stay words in our sentence."""

import unicodedata
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from remediation.notices.legible import isolated, legible, titles_for
from tests.remediation.notices.letters import a_mail
from tests.remediation.notices.pages import Page
from tests.support.examples import examples

HOSTILE = {
    "markup": "<script>alert(1)</script>",
    "attribute": "\" onmouseover='x'",
    "entity": "&lt;b&gt; &amp;",
    "closing tags": "</bdi></p></td></table>",
    "jinja": "{{ 7 * 7 }}{% raw %}",
    "gettext placeholder": "%(amount)s %s 100 %",
    "style": "</style><style>*{display:none}</style>",
    "header": "Film\r\nBcc: evil@example.com",
    "line separators": "Film\u2028Bcc:\u2029x\x85y\x0bz",
    "bidi override": "\u202etxt.exe\u202c\u2066x\u2069",
    "nul": "Fi\x00lm",
    "tags": "Film \U000e0041\U000e0042",
}


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_title_is_only_words(title: str) -> None:
    mail = a_mail(title=title)
    page = Page(mail.html)

    shown = legible(title)
    assert f"“{shown}”" in page.text
    assert f"“{shown}”" in mail.text
    assert f"“{shown}”" in mail.subject
    assert [element.tag for element in page.elements] == [element.tag for element in Page(a_mail().html).elements]
    assert mail.html.isprintable() or set(filter(lambda c: not c.isprintable(), mail.html)) == {"\n"}


def test_half_a_character_is_no_title() -> None:
    with pytest.raises(ValidationError, match="string_unicode"):
        a_mail(title="Film \udcff")


@pytest.mark.parametrize("name", ["markup", "attribute", "entity", "jinja", "gettext placeholder", "bidi override"])
def test_a_hostile_order_number_is_only_words(name: str) -> None:
    order_id = HOSTILE[name]
    mail = a_mail(order_id=order_id)

    assert f"your order {legible(order_id)} to" in mail.text
    assert f"your order {legible(order_id)} to" in Page(mail.html).text


@examples(80)
@given(title=st.text(max_size=400).map("A{}".format))
def test_any_title_leaves_one_line_and_a_whole_page(title: str) -> None:
    mail = a_mail(title=title)

    assert len(mail.subject.splitlines()) == 1
    assert (
        "".join(mail.text.split()) == "".join(Page(mail.html).text.split()).replace("\u2068", "")
        or "\u2068" in mail.text
    )


@given(text=st.text(max_size=400), limit=st.integers(min_value=1, max_value=200))
def test_legible_text_is_short_visible_and_settled(text: str, limit: int) -> None:
    shown = legible(text, limit)

    assert len(shown) <= limit
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert legible(shown, limit) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Casablanca", "Casablanca"),
        ("  Les\u00a0\n\tEnfants ", "Les Enfants"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("\u200f\u2067שלום\u2069", "שלום"),
        ("\ufeff\u00ad\u200b", ""),
    ],
    ids=ascii,
)
def test_what_is_visible_stays_and_what_is_not_goes(text: str, shown: str) -> None:
    assert legible(text) == shown


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("a" * 11, "aaaaaaaaa…"),
        ("a" * 10, "a" * 10),
        ("aaaaaaaa bbbb", "aaaaaaaa…"),
        ("aaaaaaaae\u0301bb", "aaaaaaaa…"),
    ],
    ids=ascii,
)
def test_a_cut_keeps_letters_whole_and_shows(text: str, cut: str) -> None:
    assert legible(text, 10) == cut


@pytest.mark.parametrize(
    ("title", "locale", "chosen"),
    [
        ("Casablanca", "ja-JP", "Casablanca"),
        ({"en": "Casablanca", "ja": "カサブランカ"}, "ja-JP", "カサブランカ"),
        ({"pt": "A", "pt-BR": "B", "pt-PT": "C"}, "pt-BR", "B"),
        ({"pt": "A", "pt-PT": "C"}, "pt-BR", "A"),
        ({"pt_PT": "C", "en": "E"}, "pt-BR", "C"),
        ({"zh-Hant": "Z", "zh": "Y"}, "ZH_hant_tw", "Z"),
        ({"fr": "F", "en": "E"}, "de-DE", "E"),
        ({"fr": "F", "en-GB": "E"}, "de-DE", "E"),
        ({"fr": "F", "es": "S"}, "de-DE", "S"),
    ],
)
def test_the_title_is_the_customers_then_english_then_any(
    title: str | Mapping[str, str], locale: str, chosen: str
) -> None:
    assert next(titles_for(title, locale)) == chosen


def test_an_empty_title_gives_way_to_the_next() -> None:
    assert "“Casablanca”" in a_mail(title={"fr": " ", "en": "Casablanca"}, locale="fr").text


def test_a_title_against_the_direction_of_the_mail_is_isolated() -> None:
    mail = a_mail(title="كازابلانكا")

    assert "“\u2068كازابلانكا\u2069”" in mail.text
    assert "“\u2068كازابلانكا\u2069”" in mail.subject
    assert "“<bdi>كازابلانكا</bdi>”" in mail.html


def test_a_title_along_the_direction_of_the_mail_is_left_alone() -> None:
    assert isolated("Casablanca 1942", "ltr") == "Casablanca 1942"
    assert isolated("كازابلانكا", "rtl") == "كازابلانكا"
    assert isolated("Casablanca", "rtl") == "\u2068Casablanca\u2069"


def test_a_number_keeps_its_order_among_arabic_letters() -> None:
    assert isolated("4417-205", "rtl") == "\u20684417-205\u2069"
