"""Guards on a stream: what slid through the last hour, against the same hour of earlier days.

    slices   ▁▁▁▁▁▁▁▁▁▁▁▁▂▇      tonight: the window that ends with the slice that is judged
                      └────┘     history: that window a day earlier, two days earlier, …

A stream that is younger than the history needs is judged against its own earlier
windows instead. A slice that was held is part of the window that is judged, and
of no window that is history.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final, TypeVar, get_args

from detectors.finding import DeliveryKind
from remediation.durations import DAY_MS
from remediation.guards.figures import Figures, Group, Judged, Paid, SourceFigures

T = TypeVar("T")

WINDOW_MS: Final = 3_600_000
"""An hour: long enough for rates, short enough that a storm is seen before it has paid much."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The figures of one slice of a stream, and whether it was released."""

    released: bool
    figures: Figures


def window(tonight: Figures, earlier: Iterable[Slice], span_ms: int = WINDOW_MS) -> Figures:
    """Everything of the window that ends with `tonight`, held or not: a storm in small slices is still a storm."""
    since = tonight.as_of - span_ms
    inside = [each.figures for each in earlier if since < each.figures.as_of < tonight.as_of]
    return merged([*inside, tonight])


def windows_before(
    as_of: int, earlier: Sequence[Slice], least: int, most: int, span_ms: int = WINDOW_MS
) -> tuple[Figures, ...]:
    """The windows to compare with, the oldest first: of earlier days, or where fewer than `least` are, of this day.

    A window is history only where every one of its slices was released. The newest
    released slice comes last: which policy and which detectors are in force, it says.
    """
    of_days = _windows(as_of, earlier, DAY_MS, most, span_ms)
    windows = of_days if len(of_days) >= least else _windows(as_of, earlier, span_ms, most, span_ms)
    released = [each.figures for each in earlier if each.released and each.figures.as_of < as_of]
    newest = max(released, key=attrgetter("as_of"), default=None)
    return windows if newest is None else (*windows, window(newest, earlier, span_ms))


def spans(as_of: int, most: int, span_ms: int = WINDOW_MS) -> tuple[tuple[int, int], ...]:
    """When the slices lie that a slice of this moment is judged by: (after, up to), none of them with itself."""
    of_days = ((as_of - day * DAY_MS - span_ms, as_of - day * DAY_MS) for day in range(2, most + 1))
    return ((as_of - DAY_MS - span_ms, as_of - 1), *of_days)


def merged(figures: Sequence[Figures]) -> Figures:
    """The figures of neighbouring slices as those of one, whose moment is the last one's.

    Counts add up. Order lines are judged anew in each slice, all of them, so that the
    last slice speaks for all, also of what was found of them. A customer of two
    slices counts twice.
    """
    last = max(figures, key=attrgetter("as_of"))
    return replace(
        last,
        **{name: sum(getattr(each, name) for each in figures) for name in _SUMS},
        sessions=_judged(each.sessions for each in figures),
        sources=_sources(figures),
        findings_by_kind=_found(figures, last),
        remedies_by_state=_counted(each.remedies_by_state for each in figures),
        paid=_paid(figures),
        groups=_groups(figures),
    )


_SUMS: Final = ("records", "used", "duplicate", "rejected", "late", "payouts", "goods", "customers")


def _windows(as_of: int, earlier: Sequence[Slice], step_ms: int, most: int, span_ms: int) -> tuple[Figures, ...]:
    found = []
    for number in range(1, most + 1):
        until = as_of - number * step_ms
        inside = [each for each in earlier if until - span_ms < each.figures.as_of <= until]
        if inside and all(each.released for each in inside):
            found.append(replace(merged([each.figures for each in inside]), as_of=until))
    return tuple(reversed(found))


def _judged(parts: Iterable[Judged]) -> Judged:
    each = tuple(parts)
    return Judged(sum(part.units for part in each), sum(part.flagged for part in each))


def _found(figures: Iterable[Figures], last: Figures) -> dict[str, int]:
    of_playback = _counted(
        {kind: count for kind, count in each.findings_by_kind.items() if kind not in _OF_PARCELS} for each in figures
    )
    of_parcels = {kind: count for kind, count in last.findings_by_kind.items() if kind in _OF_PARCELS}
    return dict(sorted((of_playback | of_parcels).items()))


_OF_PARCELS: Final = frozenset(get_args(DeliveryKind))


def _counted(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))


def _sources(figures: Sequence[Figures]) -> tuple[SourceFigures, ...]:
    by = _by((each.sources for each in figures), lambda source: (source.role, source.name))
    return tuple(
        replace(
            of[0],
            files=max(source.files for source in of),
            bytes=sum(source.bytes for source in of),
            records=sum(source.records for source in of),
        )
        for of in by
    )


def _paid(figures: Sequence[Figures]) -> tuple[Paid, ...]:
    by = _by((each.paid for each in figures), lambda paid: (paid.currency,))
    return tuple(
        replace(
            of[0],
            refunds=sum(paid.refunds for paid in of),
            amount_minor=sum(paid.amount_minor for paid in of),
            largest_minor=max(paid.largest_minor for paid in of),
        )
        for of in by
    )


def _groups(figures: Sequence[Figures]) -> tuple[Group, ...]:
    by = _by((each.groups for each in figures), lambda group: (group.lane, group.dimension, group.value))
    return tuple(replace(of[0], judged=_judged(group.judged for group in of)) for of in by)


def _by(parts: Iterable[Iterable[T]], key: Callable[[T], tuple[str, ...]]) -> list[list[T]]:
    """The entries of all slices that share a key, by key."""
    entries: defaultdict[tuple[str, ...], list[T]] = defaultdict(list)
    for part in parts:
        for entry in part:
            entries[key(entry)].append(entry)
    return [entries[each] for each in sorted(entries)]
