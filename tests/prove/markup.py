"""Pages as a browser meets them, held against what our templates may write: anything else came from outside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_PLAIN: Final = frozenset({"class", "lang", "dir", "style"})
_TABLE: Final = _PLAIN | {"role", "width", "cellpadding", "cellspacing", "border", "align"}

MAIL: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("html", "head", "title", "body", "p", "div", "bdi", "strong", "style"), _PLAIN),
    **dict.fromkeys(("table", "tbody", "tr", "td"), _TABLE),
    "meta": frozenset({"charset", "name", "content"}),
}
REPORT: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(
        ("html", "head", "title", "style", "body", "header", "main", "footer", "div", "span", "br"), _PLAIN
    ),
    **dict.fromkeys(("h1", "h3", "h4", "b", "bdi", "code", "pre", "dl", "dt", "dd", "details", "summary"), _PLAIN),
    **dict.fromkeys(("table", "thead", "tbody", "tr", "caption", "article"), _PLAIN),
    **dict.fromkeys(("th", "td"), _PLAIN | {"scope"}),
    "p": _PLAIN | {"role"},
    "section": _PLAIN | {"aria-labelledby"},
    "h2": _PLAIN | {"id"},
    "meta": frozenset({"charset", "name", "content", "http-equiv"}),
}
"""Elements and their attributes: no script, no form, no link, nothing that is fetched."""

_VOID: Final = frozenset({"meta", "br"})
_FETCHING: Final = re.compile(r"url\(|@import|expression\(|javascript:|behavior:", re.IGNORECASE)
_META: Final = frozenset(
    {"viewport", "color-scheme", "supported-color-schemes", "format-detection", "robots", "Content-Security-Policy"}
)


@dataclass
class Page(HTMLParser):
    """A page of which every element and attribute is on the list, and closed where it should be."""

    allowed: Mapping[str, frozenset[str]]
    text: str = ""
    styles: str = ""
    marks: int = 0
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.marks += 1
        assert tag in self.allowed, f"<{tag}> is no element of ours"
        for name, value in attrs:
            assert name in self.allowed[tag], f"<{tag} {name}> is no attribute of ours"
            assert not _FETCHING.search(value or ""), f"<{tag} {name}> fetches something"
        given = dict(attrs)
        if tag == "meta" and "charset" not in given:
            assert (given.get("name") or given.get("http-equiv")) in _META, "a <meta> that is not ours"
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.marks += 1
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.styles += data
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment, which we do not write: {data[:40]!r}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction, which we do not write: {data[:40]!r}")

    def handle_decl(self, decl: str) -> None:
        self.marks += 1
        assert decl.lower() == "doctype html"

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration, which we do not write: {data[:40]!r}")


def page(html: str, allowed: Mapping[str, frozenset[str]]) -> Page:
    """The page, parsed; whatever is not ours fails.

    A parser that forgives more than this one sees no more elements: every `<` of
    the page begins one that was seen.
    """
    parsed = Page(allowed)
    parsed.feed(html)
    parsed.close()
    assert not parsed._open, f"left open: {parsed._open}"  # noqa: SLF001 - of this module
    assert html.count("<") == parsed.marks, "a < that begins no element of ours"
    assert not _FETCHING.search(parsed.styles), "a style that fetches something"
    return parsed
