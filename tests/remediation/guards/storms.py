"""What can go wrong in one night, each as a change of an honest night's figures, with the guards that must see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from remediation.guards.figures import Figures, Group, Judged, SourceFigures
from tests.remediation.guards.nights import DAY, HOUR


@dataclass(frozen=True)
class Storm:
    """What becomes of a night, which guards hold it, and how far the clock then differs from its moment."""

    change: Callable[[Figures], Figures]
    guards: frozenset[str]
    clock_ms: int = HOUR


def _flag(night: Figures, share: float, dimension: str = "", value: str = "") -> Figures:
    """Of every session, or of those with one value, so large a share is flagged."""
    groups = tuple(
        replace(group, judged=Judged(group.judged.units, max(group.judged.flagged, int(share * group.judged.units))))
        if group.lane == "playback" and (not value or (group.dimension, group.value) == (dimension, value))
        else group
        for group in night.groups
    )
    more = sum(_flagged(groups, dimension or "device")) - sum(_flagged(night.groups, dimension or "device"))
    flagged = replace(night, sessions=Judged(night.sessions.units, night.sessions.flagged + more), groups=groups)
    return _pay(flagged, night.payouts + int(0.7 * more))


def _flagged(groups: tuple[Group, ...], dimension: str) -> list[int]:
    return [group.judged.flagged for group in groups if group.dimension == dimension]


def _pay(night: Figures, payouts: int, times: int = 1) -> Figures:
    (money,) = night.paid
    each = money.amount_minor // max(money.refunds, 1) * times
    paid = replace(
        money, refunds=payouts, amount_minor=payouts * each, largest_minor=max(money.largest_minor * times, each)
    )
    return replace(night, payouts=payouts, customers=payouts, paid=(paid,), remedies_by_state={"approved": payouts})


def _source(name: str, change: Callable[[SourceFigures], SourceFigures | None]) -> Callable[[Figures], Figures]:
    def changed(night: Figures) -> Figures:
        sources = (change(source) if source.name == name else source for source in night.sources)
        return replace(night, sources=tuple(source for source in sources if source))

    return changed


def _lost(night: Figures, share: float = 0.3) -> Figures:
    lines = replace(night.order_lines, flagged=int(share * night.order_lines.units))
    return _pay(replace(night, order_lines=lines), night.payouts + lines.flagged)


def _twice(night: Figures) -> Figures:
    more = replace(night, records=2 * night.records, duplicate=night.duplicate + night.records)
    return _source("beacons-#.jsonl", lambda of: replace(of, files=2, records=2 * of.records))(more)


STORMS: Final[Mapping[str, Storm]] = {
    "every player reports stalls": Storm(lambda night: _flag(night, 0.4), frozenset({"sessions", "payouts"})),
    "one version reports stalls": Storm(lambda night: _flag(night, 0.9, "isp", "isp-5"), frozenset({"concentration"})),
    "one CDN is out": Storm(lambda night: _flag(night, 0.5, "cdn", "cdn-b"), frozenset({"concentration", "sessions"})),
    "a source is missing": Storm(_source("cdn-#.log", lambda _: None), frozenset({"sources"})),
    "a source is empty": Storm(_source("beacons-#.jsonl", lambda of: replace(of, records=0)), frozenset({"sources"})),
    "a source came twice": Storm(_twice, frozenset({"sources", "records"})),
    "half of a source": Storm(
        _source("beacons-#.jsonl", lambda of: replace(of, records=of.records // 3)), frozenset({"sources"})
    ),
    "scans are missing": Storm(_lost, frozenset({"order_lines", "payouts"})),
    "the policy pays a hundred times as much": Storm(
        lambda night: replace(_pay(night, night.payouts, 100), policy_sha256="f" * 64),
        frozenset({"policy", "money", "single_payout"}),
    ),
    "an order line costs a hundred times as much": Storm(
        lambda night: replace(night, paid=(replace(night.paid[0], largest_minor=290_000),)),
        frozenset({"single_payout"}),
    ),
    "the machine's clock is a month ahead": Storm(
        lambda night: replace(night, as_of=night.as_of + 30 * DAY, median_age_ms=30 * DAY), frozenset({"clock"})
    ),
    "the night's moment is in the future": Storm(lambda night: night, frozenset({"clock"}), clock_ms=-6 * HOUR),
    "the night's moment is an old one": Storm(
        lambda night: replace(night, as_of=night.as_of - 40 * DAY), frozenset({"clock"})
    ),
    "the players' clocks are a day ahead": Storm(
        lambda night: replace(night, median_age_ms=(night.median_age_ms or 0) - DAY), frozenset({"clock"})
    ),
    "yesterday's files": Storm(
        lambda night: replace(night, median_age_ms=(night.median_age_ms or 0) + DAY), frozenset({"clock"})
    ),
    "a third of all records cannot be read": Storm(
        lambda night: replace(night, rejected=night.records // 3), frozenset({"records"})
    ),
    "the order book broke off": Storm(
        lambda night: replace(night, order_lines=Judged(night.order_lines.units // 4, 0)), frozenset({"order_book"})
    ),
    "other detectors": Storm(lambda night: replace(night, detector_version="2"), frozenset({"detector"})),
}
"""By name; every guard has at least one."""
