"""Whether one app version, device, title, CDN, network, country, carrier or depot has too much of what failed.

A fault in the telemetry of one app version and the outage of one CDN look alike
from here, and both are for a person to look at before money follows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from detectors.incidents.cohorts import NOUNS, UNIT_NOUNS, Lane
from remediation.guards.figures import Figures, Group, Judged
from remediation.guards.history import History, Usual
from remediation.guards.reading import Reading, Said, against, near, read
from remediation.guards.rules import ConcentrationRules, GuardRules, ShareRules
from remediation.report.formats import one_line, percent

_Rates = tuple[Mapping[tuple[str, str, str], Judged], ...]

_ADVICE: Final = (
    "either its telemetry is wrong or something happened there, so compare it with the servers' own logs"
    " and see the ticket, if there is one"
)


@dataclass(frozen=True, slots=True)
class _Lane:
    """What is usual in one lane, and how much of it tonight."""

    tonight: Judged
    usual: Usual | None
    rules: ShareRules
    concentration: ConcentrationRules


def concentration_readings(tonight: Figures, history: History, rules: GuardRules) -> Iterator[Reading]:
    """One reading a dimension: that of the value which stands out most."""
    lanes = _lanes(tonight, history, rules)
    before = tuple({_key(group): group.judged for group in night.groups} for night in history.nights)
    ordered = sorted(tonight.groups, key=_key)
    for (lane, _), groups in groupby(ordered, key=lambda group: (group.lane, group.dimension)):
        readings = [_reading(group, lanes[lane], history, before) for group in groups]
        yield max(readings, key=lambda reading: (reading.tripped, reading.value - reading.limit, reading.subject))


def _lanes(tonight: Figures, history: History, rules: GuardRules) -> Mapping[Lane, _Lane]:
    sessions, lines = (
        history.usual(lambda night: night.sessions.rate),
        history.usual(lambda night: night.order_lines.rate),
    )
    return {
        "playback": _Lane(tonight.sessions, sessions, rules.sessions, rules.concentration),
        "delivery": _Lane(tonight.order_lines, lines, rules.order_lines, rules.concentration),
    }


def _key(group: Group) -> tuple[str, str, str]:
    return group.lane, group.dimension, group.value


def _reading(group: Group, lane: _Lane, history: History, before: _Rates) -> Reading:
    flagged, units = group.judged.flagged, group.judged.units
    usual = _usual_of(group, lane, history, before)
    limit = (
        lane.rules.ceiling if usual is None else max(lane.concentration.floor, lane.concentration.times * usual.value)
    )
    tripped = flagged > limit * units and _weighs(group.judged, lane)
    name = f"{NOUNS.get(group.dimension.rsplit('+', 1)[-1], group.dimension)} {one_line(group.value)}"
    share = percent(flagged / lane.tonight.flagged) if lane.tonight.flagged else percent(0)
    said = Said(
        f"{flagged:,} of {units:,} {UNIT_NOUNS[group.lane]} with {name} were flagged"
        f" ({percent(group.judged.rate or 0)}, {share} of all that was flagged); {against(usual, limit, percent)}",
        _ADVICE,
    )
    rate = group.judged.rate or 0.0
    return read("concentration", name, rate, limit, said, tripped=tripped, near_ratio=_near(group.judged, limit, lane))


def _usual_of(group: Group, lane: _Lane, history: History, before: _Rates) -> Usual | None:
    """The usual rate of this very value where enough of it was seen, else that of the whole lane."""
    own = [night.get(_key(group)) for night in before]
    seen = [each.rate if each and each.units >= lane.rules.min_count else None for each in own]
    return history.usual_of(seen) or lane.usual


def _weighs(judged: Judged, lane: _Lane) -> bool:
    """Whether the value's failures matter for the night, and the value is not the whole night itself.

    They are weighed against what a usual night has in all, not against tonight's:
    a second fault elsewhere must not make the first one look smaller.
    """
    usual = lane.usual.value if lane.usual else None
    enough = lane.rules.counts(judged.flagged, lane.tonight.units, usual)
    much = judged.flagged >= lane.concentration.most * (usual or 0) * lane.tonight.units
    return enough and much and judged.units < lane.concentration.whole * lane.tonight.units


def _near(judged: Judged, limit: float, lane: _Lane) -> float | None:
    """The least of what `_weighs` and the limit demand; null of the night itself, which other guards judge."""
    rate = near(judged.rate or 0.0, limit)
    if rate is None or judged.units >= lane.concentration.whole * lane.tonight.units:
        return None
    usual = lane.usual.value if lane.usual else None
    much = lane.concentration.most * (usual or 0) * lane.tonight.units
    ways = [rate, *lane.rules.ways(judged.flagged, lane.tonight.units, usual)]
    return min([*ways, judged.flagged / much] if much else ways)
