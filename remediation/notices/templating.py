"""The Jinja environment of the mails: escaped, strict, and only from the package's own files."""

from collections.abc import Callable
from functools import cache

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined

from remediation.notices.catalogues import Words
from remediation.notices.display import Display


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
    )
    jinja.install_gettext_callables(words.gettext, _strict(words.ngettext), newstyle=True)  # type: ignore[attr-defined]
    display = Display(words, locale)
    jinja.filters |= {"duration": display.duration, "distance": display.distance, "figure": display.figure}
    return jinja


def _strict(ngettext: Callable[[str, str, int], str]) -> Callable[[str, str, int], str]:
    """Plural rules call an undefined count a `TypeError`; the plus sign makes it the error of every other name."""
    return lambda singular, plural, count: ngettext(singular, plural, +count)


def _is_html(template: str | None) -> bool:
    return template is None or template.endswith(".html.j2")
