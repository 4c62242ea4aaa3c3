"""Loyalty as a person reads it, and as a record for programs. Nobody is named in either."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Final

import msgspec
from msgspec import Struct

from remediation.loyalty.intervals import CONFIDENCE, POWER, Interval
from remediation.loyalty.measuring import Comparison, Group, Loyalty, Verdict
from remediation.remedy import Arm
from remediation.report.formats import moment, one_line
from remediation.report.words import kind_name

_ARMS: Final[Mapping[Arm, str]] = {"goodwill": "with goodwill", "holdout": "held out"}
_NAME_WIDTH: Final = 34
_PLACES: Final = 4


class Estimate(Struct, frozen=True):
    """A figure with the limits of its interval; all three are shares of 1, of a score from -1 to 1."""

    estimate: float
    low: float
    high: float


class ReturnedRecord(Struct, frozen=True):
    """How many of those whose days have passed bought again; `not_over` are the others."""

    within_days: int
    counted: int
    returned: int
    not_over: int
    share: Estimate | None


class GroupRecord(Struct, frozen=True):
    """Customers, each once. Null is what nobody can say yet."""

    customers: int
    asked: int
    answered: int
    promoters: int
    passives: int
    detractors: int
    response: Estimate | None
    net_promoter_score: Estimate | None
    returned: tuple[ReturnedRecord, ...]


class ComparisonRecord(Struct, frozen=True):
    """A figure with goodwill less the same without, and how many it takes to see `looked_for`."""

    figure: str
    difference: Estimate | None
    verdict: Verdict
    looked_for: float
    counted_goodwill: int
    counted_holdout: int
    needed_goodwill: int
    needed_holdout: int


class LoyaltyRecord(Struct, frozen=True):
    """What `makegood loyalty --json` prints. Moments are milliseconds since the epoch."""

    as_of: int
    orders_until: int | None
    confidence: float
    power: float
    everybody: GroupRecord
    by_kind: dict[str, GroupRecord]
    by_remedy: dict[str, GroupRecord]
    goodwill: GroupRecord
    holdout: GroupRecord
    comparisons: tuple[ComparisonRecord, ...]
    forgotten_count: int
    both_arms_count: int
    taken_back_count: int
    erased_count: int


def as_record(loyalty: Loyalty) -> LoyaltyRecord:
    """All figures, shares to four places."""
    return LoyaltyRecord(
        as_of=loyalty.as_of,
        orders_until=loyalty.orders_until,
        confidence=CONFIDENCE,
        power=POWER,
        everybody=_group(loyalty.everybody),
        by_kind={name: _group(group) for name, group in loyalty.by_kind.items()},
        by_remedy={name: _group(group) for name, group in loyalty.by_remedy.items()},
        goodwill=_group(loyalty.arms["goodwill"]),
        holdout=_group(loyalty.arms["holdout"]),
        comparisons=tuple(map(_comparison, loyalty.comparisons)),
        forgotten_count=loyalty.forgotten_count,
        both_arms_count=loyalty.both_arms_count,
        taken_back_count=loyalty.taken_back_count,
        erased_count=loyalty.erased_count,
    )


def as_json(loyalty: Loyalty) -> str:
    """The record as JSON, one key a line, ending in a line feed."""
    return msgspec.json.format(msgspec.json.encode(as_record(loyalty)), indent=2).decode() + "\n"


def as_text(loyalty: Loyalty) -> str:
    """The same for a person, ending in a line feed."""
    return "\n".join(_lines(loyalty)) + "\n"


def _lines(loyalty: Loyalty) -> Iterator[str]:
    known = "none is known" if loyalty.orders_until is None else f"known up to {moment(loyalty.orders_until)}"
    yield f"Loyalty up to {moment(loyalty.as_of)}; of orders, {known}"
    groups = [("everybody", loyalty.everybody)]
    groups += [(f"  {kind_name(name)}", group) for name, group in loyalty.by_kind.items()]
    groups += [(f"  given: {one_line(name)}", group) for name, group in loyalty.by_remedy.items()]
    groups += [(_ARMS[arm], group) for arm, group in loyalty.arms.items()]
    yield ""
    yield from _answers(groups)
    yield ""
    yield from _returns(groups)
    yield "With goodwill less held out, in points"
    yield from (f"  {_compared(each)}" for each in loyalty.comparisons)
    yield ""
    yield from _left_out(loyalty)
    yield f"Intervals are of {CONFIDENCE:.0%}: Wilson's for shares, adjusted Wald (Rocks 2016) for scores; differences"
    yield "have Newcombe's method 10, from the limits of either. So many see a difference at a power of"
    yield f"{POWER:.0%} and a level of {1 - CONFIDENCE:.0%}, two-sided."


def _answers(groups: list[tuple[str, Group]]) -> Iterator[str]:
    head = ("asked", "answered", "promoters", "passives", "detractors", "net promoter score")
    yield f"{'Would recommend':<{_NAME_WIDTH}}" + "".join(f"{each:>12}" for each in head[:-1]) + f"  {head[-1]}"
    for name, group in groups:
        counts = (group.asked, group.answered, group.promoters, group.passives, group.detractors)
        figures = "".join(f"{count:>12,}" for count in counts)
        response = f", {_ratio(group.response)} answered" if group.response else ""
        yield f"{name:<{_NAME_WIDTH}}{figures}  {_points(group.score)}{response}"


def _returns(groups: list[tuple[str, Group]]) -> Iterator[str]:
    for place, first in enumerate(groups[0][1].returned):
        head = f"{f'Bought again within {first.within_days} days':<{_NAME_WIDTH}}"
        yield head + "".join(f"{each:>12}" for each in ("customers", "not over", "counted", "returned"))
        for name, group in groups:
            one = group.returned[place]
            counts = (group.customers, one.not_over, one.counted, one.returned)
            yield f"{name:<{_NAME_WIDTH}}{''.join(f'{count:>12,}' for count in counts)}  {_ratio(one.share)}"
        yield ""


def _compared(each: Comparison) -> str:
    gap = f"{each.looked_for * 100:.0f} points"
    have, need = (" and ".join(f"{count:,}" for count in counts) for counts in (each.counted, each.needed))
    verdict = {
        "higher": "higher with goodwill",
        "lower": "lower with goodwill",
        "none_seen": f"no difference seen, and there are enough to see {gap}",
        "too_few": f"too few to tell: it takes {need} to see {gap}, and there are {have}",
    }[each.verdict]
    return f"{each.figure}: {_points(each.difference, places=1)}; {verdict}"


def _left_out(loyalty: Loyalty) -> Iterator[str]:
    counts = {
        "customers who are forgotten": loyalty.forgotten_count,
        "customers who were in both arms": loyalty.both_arms_count,
        "remedies that were rejected or withdrawn": loyalty.taken_back_count,
        "surveys whose answers are not kept any more": loyalty.erased_count,
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    if told:
        yield f"Left out: {told}."


def _points(interval: Interval | None, places: int = 0) -> str:
    """A score, or a difference, in points from -100 to 100."""
    if interval is None:
        return "unknown"
    estimate, low, high = (f"{value * 100:+.{places}f}" for value in asdict(interval).values())
    return f"{estimate} ({low} to {high})"


def _ratio(share: Interval | None) -> str:
    if share is None:
        return "unknown"
    estimate, low, high = (f"{value * 100:.1f}" for value in asdict(share).values())
    return f"{estimate} % ({low} to {high})"


def _estimate(interval: Interval | None) -> Estimate | None:
    return Estimate(*(round(value, _PLACES) for value in asdict(interval).values())) if interval else None


def _group(group: Group) -> GroupRecord:
    return GroupRecord(
        customers=group.customers,
        asked=group.asked,
        answered=group.answered,
        promoters=group.promoters,
        passives=group.passives,
        detractors=group.detractors,
        response=_estimate(group.response),
        net_promoter_score=_estimate(group.score),
        returned=tuple(ReturnedRecord(**asdict(each), share=_estimate(each.share)) for each in group.returned),
    )


def _comparison(each: Comparison) -> ComparisonRecord:
    return ComparisonRecord(
        figure=each.figure,
        difference=_estimate(each.difference),
        verdict=each.verdict,
        looked_for=each.looked_for,
        counted_goodwill=each.counted[0],
        counted_holdout=each.counted[1],
        needed_goodwill=each.needed[0],
        needed_holdout=each.needed[1],
    )
