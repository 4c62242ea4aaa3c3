"""What the guards read of a night: which of them hold it, and how far the others are from doing so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from remediation.guards.reading import Reading
from remediation.ledger.run import Objection
from remediation.report.backdrop import Backdrop
from remediation.report.charts.bars import Bar, bars
from remediation.report.charts.drawing import draw
from remediation.report.formats import one_line
from remediation.report.night import Night
from remediation.report.view import GuardRow

MOST_BARS: Final = 8
_FULL: Final = 1.25
"""Where the scale ends; the limit is at 1."""

_NAMES: Final = {
    "payouts": "Pay-outs",
    "money": "Money",
    "single_payout": "Largest pay-out",
    "sessions": "Sessions flagged",
    "order_lines": "Order lines flagged",
    "concentration": "Concentration",
    "records": "Records",
    "sources": "Source",
    "order_book": "Order book",
    "clock": "Clock",
    "policy": "Policy",
    "detector": "Detectors",
    "mode": "Mode",
    "balance": "Sum of records",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard's word on this night: whether it holds it, and how near it is to that, null where none can say."""

    name: str
    reason: str
    holds: bool
    near_ratio: float | None


def guards(night: Night, backdrop: Backdrop | None) -> tuple[Guard, ...]:
    """Those that hold the night first, then the nearest; what was said when it was judged stands."""
    return tuple(sorted(_guards(night, backdrop.readings if backdrop else ()), key=_rank))


def guard_rows(found: Sequence[Guard]) -> tuple[GuardRow, ...]:
    """All of them as a table."""
    return tuple(GuardRow(guard.name, margin(guard), guard.reason, guard.holds) for guard in found)


def guard_chart(found: Sequence[Guard]) -> Markup | None:
    """The nearest of those that can be measured; null where none can."""
    measured = [guard for guard in found if guard.near_ratio is not None][:MOST_BARS]
    if not measured:
        return None
    rows = [
        Bar(guard.name, guard.near_ratio or 0, margin(guard), 1, "alert" if guard.holds else "plain")
        for guard in measured
    ]
    told = "; ".join(f"{guard.name}: {margin(guard)}" for guard in measured)
    return draw(
        "guards", "How near each guard is to its limit", f"The mark is the limit. {told}.", bars(rows, end=_FULL)
    )


def _guards(night: Night, readings: Sequence[Reading]) -> Iterator[Guard]:
    """The objections as they were kept, then the readings that are none of them."""
    left: dict[tuple[str, str], Reading] = {(reading.guard, reading.reason): reading for reading in readings}
    for objection in night.objections:
        kept = left.pop((objection.guard, objection.reason), None)
        yield _guard(objection, kept, holds=True)
    for reading in left.values():
        yield _guard(Objection(reading.guard, reading.reason), reading, holds=False)


def _guard(said: Objection, reading: Reading | None, *, holds: bool) -> Guard:
    name = _NAMES.get(said.guard) or one_line(said.guard)
    subject = one_line(reading.subject) if reading else ""
    near_ratio = reading.near_ratio if reading else None
    return Guard(f"{name}: {subject}" if subject else name, one_line(said.reason, limit=1_000), holds, near_ratio)


def _rank(guard: Guard) -> tuple[bool, float, str]:
    return not guard.holds, -1 if guard.near_ratio is None else -guard.near_ratio, guard.name


def margin(guard: Guard) -> str:
    """In words, so that nobody has to tell colours apart."""
    if guard.near_ratio is None:
        return "holds the night" if guard.holds else "yes or no"
    share = f"{guard.near_ratio * 100:.0f} %" if guard.near_ratio < 10 else f"{guard.near_ratio:,.0f} times"  # noqa: PLR2004
    return f"{share} of its limit" + (", holds the night" if guard.holds else "")
