import re
from xml.etree import ElementTree as ET

from markupsafe import Markup

from remediation.report.charts.bars import Bar, bars
from remediation.report.charts.columns import Column, Scale, columns
from remediation.report.charts.drawing import draw

SCALE = Scale(end=10, end_text="10.00 USD", usual=4, first="25 Oct", last="22 Nov")
TEXTS = ["<script>\"&'", "東京物語", "a\\nb", "{{ datum.value }}", "datum['x']", "javascript:0", "null", "\ufffd" * 3]


def drawn(picture: Markup) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 our own


def filled(picture: Markup, colour: str) -> list[str]:
    """The outlines of what has this colour."""
    return [each.attrib["d"] for each in drawn(picture).iter("path") if each.get("fill") == f"var(--{colour})"]


def widths(outlines: list[str]) -> list[float]:
    return [float(width) for outline in outlines for width in re.findall(r"^M[\d.]+,[\d.]+h([\d.]+)", outline)]


def test_bars_are_as_long_as_their_figures_and_marked_at_what_is_usual() -> None:
    rows = [Bar("stalls", 100, "100", mark=50), Bar("failed", 50, "50"), Bar("far too many", 25, "25", tone="alert")]
    picture = draw("kinds", "Kinds", "Three.", bars(rows))
    full, half = widths(filled(picture, "mark"))
    (quarter,) = widths(filled(picture, "alert"))
    assert (half, quarter) == (full / 2, full / 4)
    (mark,) = filled(picture, "ink")
    assert float(mark.split(",")[0][1:]) + 1.25 == full / 2


def test_a_bar_never_leaves_its_scale() -> None:
    (track,) = widths(filled(draw("a", "t", "d", bars([Bar("x", 9, "9", mark=1)], end=1.25)), "track"))
    assert widths(filled(draw("a", "t", "d", bars([Bar("x", 9, "9", mark=1)], end=1.25)), "mark")) == [track]


def test_a_label_leaves_room_for_its_figures() -> None:
    names = ["w" * 60, "東" * 60, "short", "i" * 60]
    labels = [bar["label"] for bar in bars([Bar(name, 1, "12 of 1,009 · 1.2 %") for name in names])["data"]["values"]]  # type: ignore[index]
    assert [len(label) for label in labels] == [18, 15, 5, 30]
    assert [label[-1] for label in labels] == ["…", "…", "t", "…"]


def test_any_text_is_shown_as_it_is() -> None:
    picture = draw("k", TEXTS[0], " ".join(TEXTS), bars([Bar(text, 1, text) for text in TEXTS]))
    assert [each.text for each in drawn(picture).iter("text")] == TEXTS * 2
    title, description = drawn(picture)[:2]
    assert (title.tag, title.text, description.tag, description.text) == ("title", TEXTS[0], "desc", " ".join(TEXTS))
    assert {each.tag for each in drawn(picture).iter()} <= {"svg", "title", "desc", "g", "path", "line", "text", "rect"}


def test_a_night_that_was_held_is_hollow_and_tonight_has_its_own_colour() -> None:
    nights = [Column(3, 5), Column(2, 8, held=True), Column(0, 10, held=True)]
    picture = draw("n", "t", "d", columns(nights, 28, SCALE))
    outlined = [each for each in drawn(picture).iter("path") if each.get("stroke") == "var(--past)"]
    assert [each.get("fill") for each in outlined] == ["var(--past)", None]
    assert len(filled(picture, "mark")) == 1
    assert [each.text for each in drawn(picture).iter("text")] == ["10.00 USD", "25 Oct", "22 Nov"]
    assert sum(each.get("stroke-dasharray") is not None for each in drawn(picture).iter("line")) == 1


def test_nights_stand_where_their_dates_are() -> None:
    def left_of(nights_ago: int) -> float:
        (outline,) = filled(draw("n", "t", "d", columns([Column(nights_ago, 5)], 28, SCALE)), "past")
        return float(outline[1:].split(",")[0])

    assert left_of(28) < 2
    assert abs(left_of(14) - left_of(28) - (left_of(1) - left_of(15))) < 0.1


def test_a_chart_brings_nothing_but_shapes_in_the_colours_of_the_page() -> None:
    picture = draw("n", "t", "d", columns([Column(1, 5), Column(0, 3)], 28, SCALE))
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', picture)) <= {
        "none",
        *(f"var(--{name})" for name in ("past", "mark", "line", "quiet", "ink")),
    }
    assert set(re.findall(r' ([\w-]+)="', picture.split(">", 1)[1])) <= {
        *("id", "d", "transform", "fill", "stroke", "stroke-width", "stroke-dasharray", "x2", "y2"),
        *("text-anchor", "font-size", "width", "height"),
    }
