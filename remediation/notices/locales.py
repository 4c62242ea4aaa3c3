"""Which language a customer reads, and whose conventions write the figures in it."""

from collections.abc import Collection

from babel import Locale
from babel.localedata import exists


def subtags(tag: str) -> tuple[str, ...]:
    """A locale tag in the order of looking it up: `ja-jp` gives `ja_JP`, `ja`. Case and separator do not matter."""
    first, *others = tag.replace("-", "_").split("_")
    parts = [first.lower(), *(_cased(part) for part in others)]
    return tuple("_".join(parts[:length]) for length in range(len(parts), 0, -1))


def language_of(tag: str, available: Collection[str], default: str) -> str:
    """The closest of the `available` languages to the customer's locale, else `default`."""
    return next((name for name in subtags(tag) if name in available), default)


def conventions(language: str, tag: str) -> Locale:
    """How figures are written in a mail of `language` to a customer of locale `tag`.

    As in the customer's country, but only where the mail speaks the
    customer's language: in an English sentence the `2,990 KWD` of a German
    reader would be a thousand times too much.
    """
    own = (name for name in subtags(tag) if name == language or name.startswith(f"{language}_"))
    return Locale.parse(next(filter(exists, own), language))


def _cased(part: str) -> str:
    """BCP 47 writes scripts as Hant and territories as TW; the rest is lower case."""
    script_length = 4
    if len(part) == script_length and part.isalpha():
        return part.title()
    return part.upper() if len(part) in (2, 3) else part.lower()
