"""Text of others, made safe to print inside a sentence of ours: titles and order numbers."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from remediation.notices.locales import subtags

MAX_LENGTH: Final = 120
"""Characters of a title that are shown: longer than any title of a film, shorter than a page."""

_JOINERS: Final = "\u200c\u200d"
"""Zero-width joiners are invisible too, but Persian, Hindi and emoji are spelt with them."""

Direction = Literal["ltr", "rtl"]


def legible(text: str, limit: int = MAX_LENGTH) -> str:
    """The text on one line, without invisible characters, at most `limit` characters long.

    Controls, bidi overrides and marks, tags and lone surrogates are taken out,
    white space collapses, a cut shows as an ellipsis. May be empty.
    """
    visible = "".join(_without_invisible(text))
    line = " ".join(visible.split())
    if len(line) <= limit:
        return line
    return _whole_characters(line, limit - 1).rstrip() + "…"


def titles_for(title: str | Mapping[str, str], tag: str) -> Iterator[str]:
    """The texts of a title from the best to the worst for a customer of locale `tag`.

    The exact locale, its language, that language of other countries, English,
    then whatever there is in the order of the locales' names.
    """
    if isinstance(title, str):
        yield title
        return
    by_tag = {subtags(name)[0]: text for name, text in sorted(title.items(), reverse=True)}
    wanted = (*subtags(tag), "en")
    for name in wanted:
        if name in by_tag:
            yield by_tag[name]
        yield from (by_tag[other] for other in sorted(by_tag) if other.startswith(f"{name}_"))
    yield from (by_tag[name] for name in sorted(by_tag))


def isolated(text: str, direction: Direction) -> str:
    """The text between bidi isolates where it runs against the `direction` of its surroundings, else as it is.

    Our digits (`EN`) do so among Arabic letters: `4417-205` would be shown as
    `205-4417`. Isolates show as boxes in some old mail programs, so they stand
    only where they are needed.
    """
    against = {"ltr": {"R", "AL"}, "rtl": {"L", "EN"}}[direction]
    if any(unicodedata.bidirectional(character) in against for character in text):
        return f"\u2068{text}\u2069"
    return text


def _without_invisible(text: str) -> Iterator[str]:
    for character in text:
        if character.isspace():
            yield " "
        elif character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn"):
            yield character


def _whole_characters(text: str, length: int) -> str:
    """At most `length` characters, not cut between a letter and its accents or within a joined emoji."""
    while length and (unicodedata.combining(text[length]) or text[length] in _JOINERS or text[length - 1] in _JOINERS):
        length -= 1
    return text[:length]
