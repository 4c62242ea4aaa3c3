"""The sentences in every language: one gettext catalogue a language, read as it is written."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from remediation.orders import Voice

SOURCE_LANGUAGE: Final = "en"
"""The language of the sentences in the templates, and of customers whose own has no catalogue."""

SOBERER: Final[Mapping[Voice, tuple[Voice, ...]]] = {
    "plain": (),
    "warm": ("warm",),
    "playful": ("playful", "warm"),
}
"""The voices that are asked for a sentence, one after the other, before it is said plainly."""


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language in one voice.

    The plain voice is the entries without a context. Another voice is a set of
    entries whose `msgctxt` is its name; what it does not say anew is said in
    the next voice of `SOBERER`, at last plainly, so that a voice can grow
    sentence by sentence.
    """

    voice: Voice
    translations: GNUTranslations

    def gettext(self, message: str) -> str:
        """The sentence in this language, in the first voice that has its own words for it."""
        for voice in SOBERER[self.voice]:
            spoken = self.translations.pgettext(voice, message)
            if spoken != message:
                return spoken
        return self.translations.gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The sentence in the plural form that `count` asks for in this language."""
        for voice in SOBERER[self.voice]:
            spoken = self.translations.npgettext(voice, singular, plural, count)
            if spoken not in (singular, plural):
                return spoken
        return self.translations.ngettext(singular, plural, count)


@cache
def languages() -> frozenset[str]:
    """The languages that have a catalogue, such as `ja` or `zh_Hant`."""
    return frozenset(folder.name for folder in _locale_root().iterdir() if _catalogue_file(folder.name).is_file())


@cache
def catalogue(language: str) -> Catalog:
    """The catalogue of one of `languages()`, parsed strictly: a fresh clone needs no build step."""
    source = io.BytesIO(_catalogue_file(language).read_bytes())
    return read_po(source, locale=language, abort_invalid=True)


@cache
def words(language: str, voice: Voice) -> Words:
    """The sentences of one of `languages()` in `voice`. Entries marked fuzzy count as untranslated."""
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Words(voice, GNUTranslations(compiled))


def _catalogue_file(language: str) -> Traversable:
    return _locale_root() / language / "LC_MESSAGES" / "mails.po"


def _locale_root() -> Traversable:
    return files("templates") / "locale"
