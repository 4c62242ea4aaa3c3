"""A page read strictly, and what every page of ours must be: whole, in order, and legible."""

import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from typing import Final

_VOID: Final = {"meta", "br", "link", "img", "hr"}


class Page(HTMLParser):
    """A parsed page; refuses what is not well formed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.ids: Counter[str] = Counter()
        self.references: list[str] = []
        self.named: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.ids.update(value for name, value in attrs if name == "id" and value)
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "action", "srcset"}]
        self.named += [each for name, value in attrs if name == "aria-labelledby" for each in (value or "").split()]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        """Everything a reader sees or hears, with single spaces."""
        return " ".join(" ".join(self.words).split())


def demand_order(html: str) -> Page:
    """The page, which any tool can read: one heading of the first level, none left out, tables and charts named."""
    page = Page(html)
    names = [tag for tag, _ in page.tags]
    assert html.startswith('<!doctype html>\n<html lang="en" dir="ltr">')
    assert all(count == 1 for count in page.ids.values()), page.ids.most_common(1)
    assert set(page.named) <= page.ids.keys()
    assert all(reference[:1] == "#" and reference[1:] in page.ids for reference in page.references)
    assert names.count("h1") == names.count("main") == 1
    assert names.count("table") == names.count("caption")
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert all({"role", "aria-labelledby"} <= set(attributes) for tag, attributes in page.tags if tag == "svg")
    levels = [int(name[1]) for name in names if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    return page


def demand_whole(html: str) -> None:
    """The page needs nothing from elsewhere, runs nothing, and forbids both."""
    assert not re.search(r"url\(|@import|<script|\bon\w+=|https?://", html)
    assert "default-src 'none'" in html


def contrast(first: str, second: str) -> float:
    """The contrast of two colours (`#rgb` or `#rrggbb`) by WCAG 2.2, 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def palette(css: str, scheme: str) -> dict[str, str]:
    """The colours in force by name: dark and print change some of the light ones."""
    light, dark, printed = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    parts = {"light": [light], "dark": [light, dark], "print": [light, printed]}[scheme]
    return {name: value for part in parts for name, value in re.findall(r"--([\w-]+): (#\w+);", part)}


def _luminance(colour: str) -> float:
    digits = colour[1:]
    pairs = [digit * 2 for digit in digits] if len(digits) == 3 else re.findall("..", digits)
    shares = [int(pair, 16) / 255 for pair in pairs]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
