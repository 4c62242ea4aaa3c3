"""From whatever a customer record says to a language that we write and a convention that exists."""

import pytest

from remediation.notices.locales import conventions, language_of, subtags


@pytest.mark.parametrize(
    ("tag", "looked_up"),
    [
        ("ja-JP", ("ja_JP", "ja")),
        ("JA_jp", ("ja_JP", "ja")),
        ("zh-hant-tw", ("zh_Hant_TW", "zh_Hant", "zh")),
        ("es-419", ("es_419", "es")),
        ("en", ("en",)),
        ("", ("",)),
    ],
)
def test_a_tag_is_looked_up_from_the_whole_to_the_language(tag: str, looked_up: tuple[str, ...]) -> None:
    assert subtags(tag) == looked_up


@pytest.mark.parametrize(
    ("tag", "language"), [("ja-JP", "ja"), ("zh-Hant-TW", "zh_Hant"), ("zh-CN", "en"), ("de", "en"), ("", "en")]
)
def test_the_closest_language_is_taken_and_else_the_default(tag: str, language: str) -> None:
    assert language_of(tag, {"en", "ja", "zh_Hant"}, "en") == language


@pytest.mark.parametrize(
    ("language", "tag", "convention"),
    [
        ("ja", "ja-JP", "ja_JP"),
        ("en", "en-GB", "en_GB"),
        ("en", "de-DE", "en"),
        ("en", "en-XX", "en"),
        ("en", "xx-nowhere", "en"),
        ("en", "../../etc", "en"),
    ],
)
def test_figures_follow_the_customers_country_only_in_the_customers_language(
    language: str, tag: str, convention: str
) -> None:
    assert str(conventions(language, tag)) == convention
