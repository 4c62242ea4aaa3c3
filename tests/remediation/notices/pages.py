"""The HTML of a mail as a reader meets it: its words, its elements, and the colours behind each word."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

VOID: Final = frozenset({"meta", "br", "hr", "img", "link", "input"})
UNSEEN: Final = frozenset({"style", "title", "script"})
DARK_RULES: Final = re.compile(r"@media \(prefers-color-scheme: dark\) \{(.*)\}\s*</style>", re.DOTALL)


@dataclass(frozen=True)
class Element:
    tag: str
    attributes: dict[str, str]
    light: dict[str, str]
    dark: dict[str, str]


@dataclass(frozen=True)
class Words:
    text: str
    light: tuple[str, str]
    """Colour of the text and of what is behind it."""
    dark: tuple[str, str]


class Page(HTMLParser):
    """Reads a page strictly: a tag that closes another than the open one is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.words: list[Words] = []
        self.text = ""
        self._open: list[Element] = []
        self._dark = _rules_by_class(html)
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {[element.tag for element in self._open]}"

    @property
    def tags(self) -> set[str]:
        return {element.tag for element in self.elements}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        light = _declarations(attributes.get("style", ""))
        dark = dict(light)
        for name in attributes.get("class", "").split():
            dark |= self._dark.get(name, {})
        element = Element(tag, attributes, light, dark)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        if any(element.tag in UNSEEN for element in self._open):
            return
        self.text += data
        if data.strip():
            light = [element.light for element in self._open]
            dark = [element.dark for element in self._open]
            self.words.append(Words(data, _colours(light), _colours(dark)))


def contrast(colours: tuple[str, str]) -> float:
    """The ratio of WCAG 2.2, from 1 to 21."""
    lighter, darker = sorted((_luminance(colour) for colour in colours), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colours(styles: list[dict[str, str]]) -> tuple[str, str]:
    def nearest(name: str) -> str:
        return next(style[name] for style in reversed(styles) if name in style)

    return nearest("color"), nearest("background-color")


def _rules_by_class(html: str) -> dict[str, dict[str, str]]:
    block = DARK_RULES.search(html)
    assert block, "no rules for dark mode were kept"
    rules: dict[str, dict[str, str]] = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", block[1]):
        for selector in selectors.split(","):
            assert "!important" in body, "a rule for dark mode loses against the inlined style"
            rules.setdefault(selector.strip().removeprefix("."), {}).update(
                _declarations(body.replace("!important", ""))
            )
    return rules


def _declarations(style: str) -> dict[str, str]:
    pairs = (declaration.split(":", 1) for declaration in style.split(";") if ":" in declaration)
    return {name.strip(): value.strip() for name, value in pairs}
