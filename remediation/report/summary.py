"""The night in fewer than twenty lines, for a chat or a mail: what was done, what waits, and what is not as usual."""

from collections.abc import Iterator
from typing import Final

from remediation.guards.figures import Figures
from remediation.guards.history import Measure
from remediation.guards.payouts import amount_in
from remediation.ledger.run import RELEASED
from remediation.money import Money
from remediation.report.backdrop import Backdrop
from remediation.report.formats import amount, counted, day, listed, one_line, percent
from remediation.report.guarding import guards, margin
from remediation.report.night import Night
from remediation.report.text import balance, lede, summary_lines

MOST_REASONS: Final = 2
MOST_TICKETS: Final = 3
_LONGEST: Final = 300


def summary(night: Night, backdrop: Backdrop | None) -> str:
    """Plain text of at most nineteen lines, ending in a line feed; nobody is named in it."""
    return "\n".join(_lines(night, backdrop)) + "\n"


def _lines(night: Night, backdrop: Backdrop | None) -> Iterator[str]:
    said = dict(summary_lines(night))
    yield f"The night up to {day(night.as_of)}"
    yield from lede(night)
    yield from _held(night)
    yield from _against(night, backdrop)
    yield f"Findings: {said['findings']}"
    yield f"Declined: {said['declined']}"
    yield from _tickets(night)
    yield from _nearest(night, backdrop)
    yield f"Records: {balance(night.counts)}" + ("" if night.counts.balanced else " - THEY DO NOT ADD UP")
    yield f"Report: {said['report']}"


def _held(night: Night) -> Iterator[str]:
    if night.run_state == RELEASED:
        return
    yield f"This run is {one_line(night.run_state)}: nothing of it is sent until a person releases it."
    for objection in night.objections[:MOST_REASONS]:
        yield f"- {one_line(objection.reason, _LONGEST)}"
    if more := len(night.objections[MOST_REASONS:]):
        yield f"- and {counted(more, 'more reason')}"


def _against(night: Night, backdrop: Backdrop | None) -> Iterator[str]:
    """Shares and money beside what is usual."""
    sessions = _usual(backdrop, lambda each: each.sessions.rate)
    lines = _usual(backdrop, lambda each: each.order_lines.rate)
    yield _flagged("Sessions", night.flagged_sessions, night.sessions, sessions)
    if night.order_lines:
        yield _flagged("Order lines", night.flagged_order_lines, night.order_lines, lines)
    usual = [
        amount(Money(round(minor), currency))
        for currency in _currencies(backdrop)
        if (minor := _usual(backdrop, amount_in(currency)))
    ]
    if usual:
        yield f"Usually paid in a night: {listed(usual)}"


def _flagged(what: str, flagged: int, units: int, usual: float | None) -> str:
    share = f" ({percent(flagged / units)}{'' if usual is None else f', usually {percent(usual)}'})" if units else ""
    return f"{what}: {flagged:,} of {units:,} flagged{share}"


def _tickets(night: Night) -> Iterator[str]:
    for ticket in night.open_tickets[:MOST_TICKETS]:
        yield f"Cause to confirm: {one_line(ticket.claim, _LONGEST)}"
    if more := len(night.open_tickets[MOST_TICKETS:]):
        yield f"Causes to confirm: {more:,} more"


def _nearest(night: Night, backdrop: Backdrop | None) -> Iterator[str]:
    """The guard that is nearest to its limit, of those that do not hold the night."""
    near = [guard for guard in guards(night, backdrop) if not guard.holds and guard.near_ratio is not None]
    if near:
        yield f"Nearest guard: {near[0].name}, at {margin(near[0])}"


def _currencies(backdrop: Backdrop | None) -> list[str]:
    nights: list[Figures] = [night.figures for night in backdrop.earlier] if backdrop else []
    return sorted({paid.currency for night in nights for paid in night.paid})


def _usual(backdrop: Backdrop | None, measure: Measure) -> float | None:
    usual = backdrop.usual(measure) if backdrop else None
    return usual.value if usual else None
