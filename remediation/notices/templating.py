"""The Jinja environment of the mails: escaped, strict, and only from the package's own files."""

from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Final

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.runtime import Context

from remediation.notices.catalogues import Words
from remediation.notices.display import Display


class _Compiled(BytecodeCache):
    """Templates compiled once for all languages, voices and locales: an environment of each would compile its own."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = _Compiled()


@cache
def environment(words: Words, locale: Locale) -> Environment:
    """The environment that speaks `words` and writes figures as in `locale`.

    Templates are files of the package `templates` and never data. HTML is
    escaped by a rule of our own: Jinja's `select_autoescape()` leaves
    `.html.j2` unescaped. An unknown name is an error, not an empty string.
    """
    jinja = Environment(
        loader=PackageLoader("templates", "email"),
        autoescape=_is_html,  # noqa: S701 - it is on for HTML, and off for plain text alone
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    jinja.install_gettext_callables(words.gettext, _strict(words.ngettext), newstyle=True)  # type: ignore[attr-defined]
    display = Display(words, locale)
    figures = {"duration": display.duration, "distance": display.distance, "figure": display.figure}
    jinja.filters |= {name: _when_rendered(told) for name, told in figures.items()}
    return jinja


def _when_rendered(told: Callable[[int], str]) -> Callable[[Context, int], str]:
    """A filter of the context: Jinja would put a constant into words while compiling, in one language for all."""

    @pass_context
    def tell(_context: Context, figure: int) -> str:
        return told(figure)

    return tell


def _strict(ngettext: Callable[[str, str, int], str]) -> Callable[[str, str, int], str]:
    """Plural rules call an undefined count a `TypeError`; the plus sign makes it the error of every other name."""
    return lambda singular, plural, count: ngettext(singular, plural, +count)


def _is_html(template: str | None) -> bool:
    return template is None or template.endswith(".html.j2")
