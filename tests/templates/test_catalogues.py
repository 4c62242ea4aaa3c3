"""Every language says everything, says nothing that nobody asks for, and keeps the figures."""

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from gettext import GNUTranslations, c2py
from pathlib import Path
from typing import Final

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from remediation.notices import catalogues
from remediation.notices.catalogues import Words, catalogue, languages, words
from remediation.notices.coverage import coverage, messages

EMAIL: Final = Path(__file__).parents[2] / "templates" / "email"
PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
WORD: Final = re.compile(r"[^\W\d_]+")
COUNTS: Final = range(1_001)
"""More days and stalls than any mail will ever tell of."""

ALSO_OURS: Final[Mapping[str, frozenset[str]]] = {
    "de": frozenset({"start", "in", "was", "min", "s", "h"}),
    "es": frozenset({"original", "a", "no", "min", "s", "h"}),
}
"""Words of a language that English spells alike. A language in another script has none."""


def test_five_languages_are_there() -> None:
    assert languages() >= {"en", "ja", "de", "es", "ar"}


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_language_is_complete_and_has_no_stale_entry(language: str) -> None:
    covered = coverage(language)

    assert covered.missing == frozenset()
    assert covered.stale == frozenset()


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_translation_keeps_every_figure_and_has_every_plural_form(language: str) -> None:
    entries = catalogue(language)
    meant = _numbers_by_form(entries)
    for entry in entries:
        if not entry.id:
            continue
        originals = (entry.id,) if isinstance(entry.id, str) else tuple(entry.id)
        translations = (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())
        assert len(translations) == (1 if len(originals) == 1 else entries.num_plurals), entry.id
        for form, translation in enumerate(translations):
            # Who says "two days" in one word need not write the two.
            implied = {"count"} if len(originals) > 1 and len(meant[form]) == 1 else set()
            kept = set(PLACEHOLDER.findall(translation))
            assert kept <= set(PLACEHOLDER.findall(originals[-1])) <= kept | implied, entry.id
            assert translation.count("%") == len(PLACEHOLDER.findall(translation)), entry.id


@pytest.mark.parametrize("language", sorted(languages()))
def test_the_plural_forms_are_those_of_the_language(language: str) -> None:
    rule = Locale.parse(language).plural_form
    by_form = list(_numbers_by_form(catalogue(language)).values())

    assert all(by_form), "a form that no number asks for"
    assert sorted(by_form) == sorted(
        [count for count in COUNTS if rule(count) == category] for category in {rule(count) for count in COUNTS}
    )


@pytest.mark.parametrize("language", sorted(languages() - {"en"}))
def test_no_english_is_left_over(language: str) -> None:
    english = {word.lower() for message in messages() for form in message for word in _words(form)}
    for entry in catalogue(language):
        translations = (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())
        for translation in translations if entry.id else ():
            left = {word.lower() for word in _words(translation)} & english
            assert left <= ALSO_OURS.get(language, frozenset()), entry.id


@pytest.mark.parametrize("language", sorted(languages() - {"en"}))
def test_every_voice_has_its_own_words_where_the_english_one_has(language: str) -> None:
    assert _voiced(catalogue(language)) == _voiced(catalogue("en"))


def _numbers_by_form(entries: Catalog) -> Mapping[int, list[int]]:
    """Which numbers ask for each plural form, by the formula in the catalogue's own head."""
    form = c2py(entries.plural_expr)
    numbers: dict[int, list[int]] = {number: [] for number in range(entries.num_plurals)}
    for count in COUNTS:
        numbers[form(count)].append(count)
    return numbers


def _words(text: str) -> list[str]:
    return WORD.findall(PLACEHOLDER.sub(" ", text))


def _voiced(entries: Catalog) -> set[tuple[str, str]]:
    return {(entry.context, str(entry.id)) for entry in entries if entry.context}


def test_what_the_mails_say_is_found_in_templates_and_code() -> None:
    assert ("Playback failed",) in messages()
    assert ("%(count)s stall, %(total)s in all", "%(count)s stalls, %(total)s in all") in messages()
    assert ("%(count)s min", "%(count)s min") in messages()


def test_a_sentence_without_translation_and_one_that_nobody_says_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    patchy = read_po(
        io.BytesIO(
            b'msgid "Playback failed"\nmsgstr ""\n\n'
            b'#, fuzzy\nmsgid "Thank you for choosing us."\nmsgstr "?"\n\n'
            b'msgctxt "warm"\nmsgid "%(seconds)s s"\nmsgstr "%(seconds)s!"\n\n'
            b'msgid "Have a nice day"\nmsgstr "x"\n'
        ),
        locale="ja",
    )
    monkeypatch.setattr("remediation.notices.coverage.catalogue", lambda _: patchy)

    covered = coverage("ja")

    assert {("Playback failed",), ("Thank you for choosing us.",), ("%(seconds)s s",)} <= covered.missing
    assert covered.stale == {("Have a nice day",)}


def a_voice_with(source: str) -> Words:
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.encode()), locale="en"))
    compiled.seek(0)
    return Words("warm", GNUTranslations(compiled))


def test_a_voice_says_what_it_has_words_for_and_the_rest_plainly() -> None:
    warm = a_voice_with(
        'msgid "Sorry."\nmsgstr "We apologise."\n\n'
        'msgctxt "warm"\nmsgid "Sorry."\nmsgstr "We are truly sorry."\n\n'
        'msgid "Thanks."\nmsgstr "Thank you."\n\n'
        'msgctxt "warm"\nmsgid "%(n)s stall"\nmsgid_plural "%(n)s stalls"\n'
        'msgstr[0] "one hitch"\nmsgstr[1] "%(n)s hitches"\n'
    )

    assert warm.gettext("Sorry.") == "We are truly sorry."
    assert warm.gettext("Thanks.") == "Thank you."
    assert warm.gettext("Bye.") == "Bye."
    assert (warm.ngettext("%(n)s stall", "%(n)s stalls", 1), warm.ngettext("%(n)s stall", "%(n)s stalls", 2)) == (
        "one hitch",
        "%(n)s hitches",
    )
    plain = replace(warm, voice="plain")
    assert plain.gettext("Sorry.") == "We apologise."
    assert plain.ngettext("%(n)s stall", "%(n)s stalls", 2) == "%(n)s stalls"


def test_playful_words_fall_back_to_warm_ones_and_those_to_plain_ones() -> None:
    warm = a_voice_with(
        'msgctxt "playful"\nmsgid "Sorry."\nmsgstr "By the ravens, sorry."\n\n'
        'msgctxt "warm"\nmsgid "Sorry."\nmsgstr "We are truly sorry."\n\n'
        'msgctxt "warm"\nmsgid "Thanks."\nmsgstr "Our warmest thanks."\n\n'
        'msgctxt "warm"\nmsgid "%(n)s day"\nmsgid_plural "%(n)s days"\n'
        'msgstr[0] "one long day"\nmsgstr[1] "%(n)s long days"\n'
    )
    playful = replace(warm, voice="playful")

    assert [playful.gettext(said) for said in ("Sorry.", "Thanks.", "Bye.")] == [
        "By the ravens, sorry.",
        "Our warmest thanks.",
        "Bye.",
    ]
    assert playful.ngettext("%(n)s day", "%(n)s days", 2) == "%(n)s long days"
    assert warm.gettext("Sorry.") == "We are truly sorry."


@pytest.mark.parametrize("language", sorted(languages()))
def test_money_goods_and_facts_are_said_in_the_same_words_in_every_voice(language: str) -> None:
    voiced = {entry.id for entry in catalogue(language) if entry.context}

    assert voiced
    assert voiced <= {sentence for block in ("noticed", "sorry", "close") for sentence in said_in(block)}


def said_in(block: str) -> set[str]:
    """The sentences of one block of the mails, as a catalogue writes them."""
    block_source = re.compile(rf"{{% block {block} %}}{{% trans %}}(.*?){{% endtrans %}}")
    return {
        re.sub(r"{{ (\w+) }}", r"%(\1)s", sentence)
        for path in EMAIL.rglob("*.txt.j2")
        for sentence in block_source.findall(path.read_text(encoding="utf-8"))
    }


def test_a_catalogue_is_read_once() -> None:
    assert words("ja", "plain") is words("ja", "plain")
    assert catalogues.catalogue("ja") is catalogues.catalogue("ja")
