"""Every language says everything, says nothing that nobody asks for, and keeps the figures."""

import io
import re
from dataclasses import replace
from gettext import GNUTranslations
from pathlib import Path
from typing import Final

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from remediation.notices import catalogues
from remediation.notices.catalogues import Words, catalogue, languages, words
from remediation.notices.coverage import coverage, messages

EMAIL: Final = Path(__file__).parents[2] / "templates" / "email"
PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")


def test_english_and_japanese_are_there() -> None:
    assert languages() >= {"en", "ja"}


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_language_is_complete_and_has_no_stale_entry(language: str) -> None:
    covered = coverage(language)

    assert covered.missing == frozenset()
    assert covered.stale == frozenset()


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_translation_keeps_every_figure_and_has_every_plural_form(language: str) -> None:
    entries = catalogue(language)
    for entry in entries:
        if not entry.id:
            continue
        originals = (entry.id,) if isinstance(entry.id, str) else tuple(entry.id)
        translations = (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())
        assert len(translations) == (1 if len(originals) == 1 else entries.num_plurals), entry.id
        for translation in translations:
            assert set(PLACEHOLDER.findall(translation)) == set(PLACEHOLDER.findall(originals[-1])), entry.id
            assert translation.count("%") == len(PLACEHOLDER.findall(translation)), entry.id


def test_what_the_mails_say_is_found_in_templates_and_code() -> None:
    assert ("Playback failed",) in messages()
    assert ("%(count)s stall, %(total)s in all", "%(count)s stalls, %(total)s in all") in messages()
    assert ("%(minutes)s min %(seconds)s s",) in messages()


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
