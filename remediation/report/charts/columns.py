"""One column a night, tonight the last: how a figure stands against the nights before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remediation.report.charts.drawing import Spec

WIDTH: Final = 300
_HEIGHT: Final = 72
_PADDING: Final = {"left": 2, "right": 2, "top": 20, "bottom": 20}
_TONES: Final = {
    # fill and outline: a night that was held is hollow, so that nobody needs the colour to know it
    "earlier": ("var(--past)", "var(--past)"),
    "held": ("transparent", "var(--past)"),
    "tonight": ("var(--mark)", "var(--mark)"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One night: how long ago, its figure, and whether it was held."""

    nights_ago: int
    value: float
    held: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """What is written around the columns: the end of the scale in words, the usual figure, first and last day."""

    end: float
    end_text: str
    usual: float | None
    first: str
    last: str


def columns(nights: Sequence[Column], most_nights: int, scale: Scale) -> Spec:
    """The nights by date, the earliest at the left; a night without a figure leaves its place empty."""
    values = [{"ago": night.nights_ago, "value": night.value, "tone": _tone(night)} for night in nights]
    up = {"type": "quantitative", "axis": None, "scale": {"domain": [0, max(scale.end, 1e-9)], "nice": False}}
    return {
        "width": WIDTH,
        "height": _HEIGHT,
        "padding": _PADDING,
        "data": {"values": values},
        "layer": [
            _rule({"y": {"datum": max(scale.end, 1e-9), **up}}, "var(--line)"),
            {
                "mark": {"type": "bar", "strokeWidth": 1},
                "encoding": {
                    "x": {
                        "field": "ago",
                        "type": "ordinal",
                        "axis": None,
                        "scale": {"domain": list(range(most_nights, -1, -1)), "paddingInner": 0.3, "paddingOuter": 0.1},
                    },
                    "y": {"field": "value", **up},
                    "fill": _by_tone(0),
                    "stroke": _by_tone(1),
                },
            },
            _rule({"y": {"datum": 0, **up}}, "var(--quiet)"),
            *([] if scale.usual is None else [_rule({"y": {"datum": scale.usual, **up}}, "var(--ink)", dash=[4, 3])]),
            _text(scale.end_text, "left", 0, -5),
            _text(scale.first, "left", 0, _HEIGHT + 15),
            _text(scale.last, "right", WIDTH, _HEIGHT + 15),
        ],
    }


def _tone(night: Column) -> str:
    if night.held and night.nights_ago:
        return "held"
    return "earlier" if night.nights_ago else "tonight"


def _by_tone(part: int) -> Spec:
    scale = {"domain": list(_TONES), "range": [pair[part] for pair in _TONES.values()]}
    return {"field": "tone", "type": "nominal", "scale": scale, "legend": None}


def _rule(place: Spec, colour: str, dash: Sequence[int] = ()) -> Spec:
    mark = {"type": "rule", "strokeWidth": 1, **({"strokeDash": list(dash)} if dash else {})}
    return {"data": {"values": [{}]}, "mark": mark, "encoding": {**place, "color": {"value": colour}}}


def _text(text: str, align: str, across: int, down: int) -> Spec:
    return {
        "data": {"values": [{"text": text}]},
        "mark": {"type": "text", "align": align, "baseline": "alphabetic", "limit": 0},
        "encoding": {
            "x": {"value": across},
            "y": {"value": down},
            "text": {"field": "text", "type": "nominal"},
            "color": {"value": "var(--quiet)"},
        },
    }
