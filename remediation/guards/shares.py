"""How large a share was flagged, rejected, late or sent twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, get_args

from detectors.finding import DeliveryKind, PlaybackKind
from remediation.guards.figures import Figures
from remediation.guards.history import History
from remediation.guards.reading import GuardName, Reading, Said, against, near, read
from remediation.guards.rules import GuardRules, ShareRules
from remediation.report.formats import listed, percent


@dataclass(frozen=True, slots=True)
class _Share:
    """One share that is watched: what is counted, out of what, and how to say so."""

    guard: GuardName
    subject: str
    count: Callable[[Figures], int]
    units: Callable[[Figures], int]
    rules: Callable[[GuardRules], ShareRules]
    what: str
    advice: str
    kinds: tuple[str, ...] = ()

    def rate(self, night: Figures) -> float | None:
        units = self.units(night)
        return self.count(night) / units if units else None


_SHARES: Final = (
    _Share(
        "sessions",
        "",
        lambda night: night.sessions.flagged,
        lambda night: night.sessions.units,
        lambda rules: rules.sessions,
        "sessions were flagged",
        "so many are not let down unless the whole service was, so look for a fault in the telemetry first",
        get_args(PlaybackKind),
    ),
    _Share(
        "order_lines",
        "",
        lambda night: night.order_lines.flagged,
        lambda night: night.order_lines.units,
        lambda rules: rules.order_lines,
        "order lines were flagged",
        "so many parcels do not fail at once unless scans are missing, so look at the carriers' files first",
        get_args(DeliveryKind),
    ),
    _Share(
        "records",
        "rejected",
        lambda night: night.rejected,
        lambda night: night.records,
        lambda rules: rules.records.rejected,
        "records were rejected",
        "what was rejected may have said that all was well, so mend the file and run the night again",
    ),
    _Share(
        "records",
        "late",
        lambda night: night.late,
        lambda night: night.records,
        lambda rules: rules.records.late,
        "records came late",
        "a clock is wrong or the files are old, so look at the times in them",
    ),
    _Share(
        "records",
        "duplicate",
        lambda night: night.duplicate,
        lambda night: night.records,
        lambda rules: rules.records.duplicate,
        "records had come before",
        "a file was probably given twice in place of another, so look at the list of files",
    ),
)


def share_readings(tonight: Figures, history: History, rules: GuardRules) -> Iterator[Reading]:
    """Flagged sessions and order lines; rejected, late and repeated records."""
    for share in _SHARES:
        yield _reading(share, tonight, history, share.rules(rules))


def _reading(share: _Share, tonight: Figures, history: History, rules: ShareRules) -> Reading:
    count, units = share.count(tonight), share.units(tonight)
    usual = history.usual(share.rate)
    median = usual.value if usual else None
    limit = rules.limit(median)
    tripped = count > limit * units and rules.counts(count, units, median)
    rate = share.rate(tonight) or 0.0
    what = f"{count:,} of {units:,} {share.what} ({percent(rate)}{_kinds(share, tonight)})"
    few = "; so few are not judged by their share" if rate > limit and not tripped else ""
    said = Said(f"{what}; {against(usual, limit, percent)}{few}", share.advice)
    way = near(rate, limit)
    way = None if way is None else min(way, *rules.ways(count, units, median))
    return read(share.guard, share.subject, rate, limit, said, tripped=tripped, near_ratio=way)


def _kinds(share: _Share, tonight: Figures) -> str:
    """The findings of each kind, the commonest first; one session may have several."""
    found = [(kind, tonight.findings_by_kind.get(kind, 0)) for kind in share.kinds]
    ranked = sorted(found, key=lambda each: -each[1])
    named = [f"{kind.replace('_', ' ')} {count:,}" for kind, count in ranked if count]
    return f": {listed(named)}" if named else ""
