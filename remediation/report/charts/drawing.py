"""From a Vega-Lite specification to an SVG that is part of a page: without a colour, font, id or script of its own.

Colours are the page's own (`var(--…)`), so that one chart serves light, dark and
print. Nothing is placed by the width of a text, which would depend on the fonts of
the machine: the same figures give the same bytes everywhere.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

Spec = Mapping[str, object]

_VEGA_LITE: Final = "6.1"
_CONFIG: Final[Spec] = {"aria": False, "view": {"stroke": None}, "text": {"fontSize": 12}}
_ELEMENTS: Final = frozenset({"svg", "g", "path", "line", "rect", "text"})
_ATTRIBUTES: Final = frozenset(
    {"d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "viewBox", "transform"}
    | {"fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "text-anchor", "font-size", "font-weight"}
)
_WHOLE: Final = Markup(
    '{opening} class="chart" role="img" aria-labelledby="{key}-title {key}-text">'
    '<title id="{key}-title">{title}</title><desc id="{key}-text">{text}</desc>{rest}'
)
_LONG_FRACTION: Final = re.compile(r"(\.\d\d)\d+")
_NAMESPACE: Final = re.compile(r"^\{[^}]*\}")


def draw(key: str, title: str, description: str, spec: Spec) -> Markup:
    """The chart as an `svg` element that names and describes itself.

    Args:
      key: What its ids begin with; unique in the page.
      title: What it shows, in a few words.
      description: What there is to see, in words, for who cannot see it.
      spec: Vega-Lite, with its own width, height and padding.
    """
    picture = drawn(
        json.dumps({"config": _CONFIG, "background": None, "autosize": {"type": "none"}, **spec}, ensure_ascii=False)
    )
    opening, rest = picture.split(">", 1)
    return _WHOLE.format(opening=Markup(opening), key=key, title=title, text=description, rest=Markup(rest))  # noqa: S704 our own


@lru_cache(maxsize=256)
def drawn(spec: str) -> str:
    """The bare picture. Late import: it starts an engine for JavaScript, half a second that others need not wait."""
    from vl_convert import vegalite_to_svg  # noqa: PLC0415 see above

    picture = vegalite_to_svg(spec, vl_version=_VEGA_LITE, allowed_base_urls=[])
    root = ET.fromstring(picture)  # noqa: S314 not foreign: the line before made it
    _strip(root)
    return ET.tostring(root, encoding="unicode")


def _strip(element: ET.Element) -> None:
    """Leaves of an element only what draws, with two decimals: a hundredth of a pixel is enough."""
    element.tag = _NAMESPACE.sub("", element.tag)
    for name, value in tuple(element.attrib.items()):
        if name in _ATTRIBUTES:
            element.set(name, _LONG_FRACTION.sub(r"\1", value))
        else:
            del element.attrib[name]
    for child in tuple(element):
        _strip(child)
        if child.tag not in _ELEMENTS or not (child.text or child.attrib or len(child)) or child.get("d") in {"", _DOT}:
            element.remove(child)


_DOT: Final = "M0,0h0v0h0Z"
