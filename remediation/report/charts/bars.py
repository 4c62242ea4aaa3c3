"""Rows of a label, a figure in words and a bar below them: what can be compared down a list.

Playback stalled                    8
▇▇▇▇▇▇▇▇▇▇▇▇▇│▇▇▇                          │ a mark, such as what is usual
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from remediation.report.charts.drawing import Spec

Tone = Literal["plain", "quiet", "alert"]

WIDTH: Final = 380
_ROW: Final = 42
_THICK: Final = 8
_DOWN: Final = 7
_MARGIN: Final = 2
_COLUMNS: Final = 49
"""Letters of usual width that stand side by side in a row."""
_FILLS: Final = {"plain": "var(--mark)", "quiet": "var(--past)", "alert": "var(--alert)"}


_BAR: Final = {"type": "bar", "height": _THICK, "yOffset": _DOWN}


@dataclass(frozen=True, slots=True)
class Bar:
    """One row. `value` is not negative; `mark` is in its unit, and none is drawn at null or 0."""

    label: str
    value: float
    text: str
    mark: float | None = None
    tone: Tone = "plain"


def bars(rows: Sequence[Bar], end: float | None = None) -> Spec:
    """The rows from above; `end` is where the scale ends, by default at the largest figure or mark."""
    largest = max([*(row.value for row in rows), *(row.mark or 0 for row in rows)], default=0)
    most = max(end or largest, 1e-9)
    values = [
        {
            "place": place,
            "label": _fitted(row.label, _COLUMNS - len(row.text)),
            "text": row.text,
            "value": min(row.value, most),
            "mark": row.mark,
            "tone": row.tone,
        }
        for place, row in enumerate(rows)
    ]
    across = {"type": "quantitative", "axis": None, "scale": {"domain": [0, most], "nice": False}}
    return {
        "width": WIDTH,
        "height": _ROW * len(rows),
        "padding": _MARGIN,
        "data": {"values": values},
        "encoding": {"y": {"field": "place", "type": "ordinal", "axis": None, "scale": {"padding": 0}}},
        "layer": [
            _words("label", "left", 0, "var(--ink)"),
            _words("text", "right", WIDTH, "var(--quiet)"),
            {
                "mark": _BAR,
                "encoding": {"x": {"datum": 0, **across}, "x2": {"datum": most}, "fill": {"value": "var(--track)"}},
            },
            {
                "mark": _BAR,
                "encoding": {
                    "x": {"field": "value", **across},
                    "fill": {
                        "field": "tone",
                        "type": "nominal",
                        "scale": {"domain": list(_FILLS), "range": list(_FILLS.values())},
                        "legend": None,
                    },
                },
            },
            {
                "transform": [{"filter": "datum.mark > 0"}],
                "mark": {"type": "tick", "orient": "vertical", "size": _THICK + 6, "thickness": 2.5, "yOffset": _DOWN},
                "encoding": {"x": {"field": "mark", **across}, "color": {"value": "var(--ink)"}},
            },
        ],
    }


def _words(field: str, align: str, place: int, colour: str) -> Spec:
    return {
        "mark": {"type": "text", "align": align, "baseline": "alphabetic", "dy": -5, "fontSize": 13.5, "limit": 0},
        "encoding": {"x": {"value": place}, "text": {"field": field, "type": "nominal"}, "color": {"value": colour}},
    }


def _fitted(text: str, columns: int) -> str:
    """As much of a label as certainly leaves room for its figures, whatever the font."""
    width = 0.0
    for place, letter in enumerate(text):
        width += _width(letter)
        if width > columns:
            return f"{text[: max(place - 1, 0)]}…"
    return text


def _width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 2
    return 1.6 if letter in "mwMW@%" else 1.3 if letter.isupper() else 1
