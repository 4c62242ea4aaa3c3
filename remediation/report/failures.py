"""What failed: by kind against what is usual, and where it failed against everywhere else."""

from collections.abc import Iterator, Mapping
from typing import Final

from markupsafe import Markup

from detectors.incidents.cohorts import NOUNS, UNIT_NOUNS, Lane
from remediation.guards.figures import Figures, Group, Judged
from remediation.report import words
from remediation.report.backdrop import Backdrop
from remediation.report.charts.bars import Bar, bars
from remediation.report.charts.drawing import draw
from remediation.report.figures import NOT_SHOWN, shown
from remediation.report.formats import counted, one_line, percent
from remediation.report.night import Night
from remediation.report.view import Breakdown, GroupRow, KindRow

MOST_GROUPS: Final = 6
"""So many values of a dimension are shown: those with most failures."""

_DIMENSIONS: Final[tuple[tuple[Lane, str, str], ...]] = (
    ("playback", "content_id", "Title"),
    ("playback", "cdn", "CDN"),
    ("playback", "isp", "Network (ISP)"),
    ("playback", "device", "Device"),
    ("playback", "app_version", "App version"),
    ("playback", "country", "Country"),
    ("delivery", "carrier", "Carrier"),
    ("delivery", "carrier+depot", "Carrier and depot"),
    ("delivery", "item_id", "Item"),
)
_OURS: Final = frozenset({"content_id", "item_id"})
"""Dimensions whose values are ours, not a player's or a carrier's."""

_LEAST_UNITS: Final = 3
"""What fewer share may be one person's: the name of a device is often its owner's."""


def kind_rows(night: Night, backdrop: Backdrop | None) -> tuple[KindRow, ...]:
    """One row a kind that was found, the commonest first."""
    found = sorted(night.findings_by_kind.items(), key=lambda each: (-each[1], each[0]))
    return tuple(
        KindRow(words.kind_name(kind), f"{count:,}", "" if usual is None else _number(usual))
        for kind, count in found
        for usual in [_usual(kind, backdrop)]
    )


def kind_chart(night: Night, backdrop: Backdrop | None) -> Markup | None:
    """The same as bars, with a mark at what is usual; null where nothing was found."""
    found = sorted(night.findings_by_kind.items(), key=lambda each: (-each[1], each[0]))
    rows = [
        Bar(
            words.kind_name(kind),
            count,
            f"{count:,}" + ("" if usual is None else f" · usually {_number(usual)}"),
            usual,
        )
        for kind, count in found
        for usual in [_usual(kind, backdrop)]
    ]
    if not rows:
        return None
    return draw(
        "kinds",
        "Findings by kind",
        "; ".join(f"{row.label} {row.text}" for row in rows) + ".",
        bars(rows),
    )


def breakdowns(night: Night, figures: Figures) -> tuple[Breakdown, ...]:
    """Where it failed: one chart and table a dimension in which anything was flagged."""
    return tuple(_breakdowns(night, figures))


def _breakdowns(night: Night, figures: Figures) -> Iterator[Breakdown]:
    titles = {row.item_id: row.title for row in night.remedies if row.item_id and row.title}
    whole: Mapping[Lane, Judged] = {"playback": figures.sessions, "delivery": figures.order_lines}
    for lane, dimension, heading in _DIMENSIONS:
        groups = [group for group in figures.groups if (group.lane, group.dimension) == (lane, dimension)]
        failing = sorted((group for group in groups if _is_shown(group)), key=_most_failures)
        if failing:
            yield _breakdown(heading, failing, whole[lane], titles)


def _breakdown(heading: str, failing: list[Group], whole: Judged, titles: Mapping[str, str]) -> Breakdown:
    lane, dimension = failing[0].lane, failing[0].dimension
    shown_groups = failing[:MOST_GROUPS]
    noun = UNIT_NOUNS[lane]
    rows = tuple(_row(group, titles) for group in shown_groups)
    marks = [_bar(row, group.judged, whole) for row, group in zip(rows, shown_groups, strict=True)]
    all_of_them = f"all {noun}: {percent(whole.rate or 0)}"
    more = len(failing) - len(rows)
    return Breakdown(
        heading=heading,
        noun=noun,
        rows=rows,
        chart=draw(
            f"by-{dimension.replace('+', '-')}",
            f"Share of {noun} flagged, by {NOUNS.get(dimension, dimension.replace('+', ' and '))}",
            f"The mark: {all_of_them}. " + "; ".join(f"{row.name} {row.said}" for row in rows) + ".",
            bars(marks),
        ),
        note=f"The mark: {all_of_them}." + (f" {counted(more, 'more value')} had failures." if more else ""),
    )


def _bar(row: GroupRow, judged: Judged, whole: Judged) -> Bar:
    """What fails less than all together is no news, and is drawn quietly."""
    rate, usual = judged.rate or 0, whole.rate or 0
    return Bar(row.name, rate, row.said, usual, "plain" if rate > usual else "quiet")


def _is_shown(group: Group) -> bool:
    return group.judged.flagged > 0 and (group.dimension in _OURS or group.judged.units >= _LEAST_UNITS)


def _row(group: Group, titles: Mapping[str, str]) -> GroupRow:
    judged = group.judged
    known = titles.get(group.value) if group.dimension in _OURS else None
    name = one_line(known or group.value) if group.dimension in _OURS else _foreign(group)
    rate = percent(judged.rate or 0)
    return GroupRow(
        name, f"{judged.flagged:,}", f"{judged.units:,}", rate, f"{judged.flagged:,} of {judged.units:,} · {rate}"
    )


def _foreign(group: Group) -> str:
    """A value that a player or a carrier gave: it may be anything, the address of a person included."""
    parts = [shown("depot", part) for part in group.value.split(" / ")]
    return NOT_SHOWN if all(part == NOT_SHOWN for part in parts) else " / ".join(parts)


def _most_failures(group: Group) -> tuple[int, int, str]:
    return -group.judged.flagged, group.judged.units, group.value


def _usual(kind: str, backdrop: Backdrop | None) -> float | None:
    usual = backdrop.usual(lambda night: night.findings_by_kind.get(kind, 0)) if backdrop else None
    return usual.value if usual else None


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
