"""The night in a dozen lines for a terminal."""

from collections import Counter
from typing import NamedTuple

from remediation.ledger.run import RELEASED
from remediation.remedy import RemedyState
from remediation.report.formats import amounts, counted, day, listed, one_line, percent
from remediation.report.night import Counts, Night
from remediation.report.words import kind_name
from remediation.tickets import TicketState


class SummaryLine(NamedTuple):
    """One row of the table: what, and how much."""

    label: str
    value: str


NOTHING_CHANGED = "nothing changed: this night was already recorded"


def summary_lines(night: Night) -> tuple[SummaryLine, ...]:
    """The night as rows of plain text, free of control characters; how to draw the table is the caller's choice.

    A night without goods has no row of order lines, one without a ticket none of tickets.
    """
    approved, held = len(night.in_state("approved")), len(night.in_state("held"))
    declined, reviews = len(night.with_outcome("declined")), len(night.with_outcome("review"))
    rows = [
        ("night up to", day(night.as_of)),
        ("records", balance(night.counts)),
        ("sessions", _sessions(night)),
        ("order lines", _order_lines(night)),
        ("findings", _findings(night)),
        ("remedies", f"{approved:,} approved, {held:,} held for a person"),
        ("to be paid", amounts(night.totals("approved"))),
        ("held back", amounts(night.totals("held"))),
        ("declined", f"{declined:,} declined, {reviews:,} for review"),
        ("tickets", _tickets(night)),
        ("rejects", _rejects(night)),
        ("run", _run(night)),
        ("mails", f"{sum(row.mail is not None for row in night.remedies):,}{_place(night.mail_dir)}"),
        ("report", one_line(night.report_path) if night.report_path else "not written"),
        ("ledger", f"run {one_line(night.run_id)} recorded" if night.new else NOTHING_CHANGED),
    ]
    return tuple(SummaryLine(*row) for row in rows if row[1])


def _run(night: Night) -> str:
    """Only what keeps a night from being sent is said: that nothing does is no news."""
    if night.run_state == RELEASED:
        return ""
    reasons = " ".join(one_line(objection.reason) for objection in night.objections)
    return f"{night.run_state}, nothing of it is sent: {reasons}" if reasons else f"{night.run_state}: nothing is sent"


def balance(counts: Counts) -> str:
    """The sum of records: `9 in = 7 used + 1 duplicate + 1 rejected + 0 late`, with `≠` where it fails."""
    sign = "=" if counts.balanced else "≠"
    return (
        f"{counts.records:,} in {sign} {counts.used:,} used + {counts.duplicate:,} duplicate"
        f" + {counts.rejected:,} rejected + {counts.late:,} late"
    )


def _sessions(night: Night) -> str:
    ratio = night.flagged_ratio
    share = "" if ratio is None else f" ({percent(ratio)})"
    return f"{night.sessions:,}, {night.flagged_sessions:,} of them flagged{share}"


def _order_lines(night: Night) -> str:
    if not night.order_lines:
        return ""
    share = percent(night.flagged_order_lines / night.order_lines)
    return f"{night.order_lines:,} of goods, {night.flagged_order_lines:,} of them flagged ({share})"


def _tickets(night: Night) -> str:
    states = Counter(ticket.state for ticket in night.tickets)
    return ", ".join(f"{states[state]:,} {state}" for state in TicketState if states[state])


def _findings(night: Night) -> str:
    kinds = tuple(
        f"{count:,} {kind_name(kind).lower()}" for kind, count in sorted(night.findings_by_kind.items()) if count
    )
    return f"{sum(night.findings_by_kind.values()):,}" + (f": {listed(kinds)}" if kinds else "")


def _rejects(night: Night) -> str:
    parts = (
        counted(night.counts.rejected, "record"),
        f"{counted(night.rejected_rows, 'row')} of the order book" if night.rejected_rows else "",
        f"{counted(night.rejected_fields, 'field')} left out of records in use" if night.rejected_fields else "",
    )
    return listed([part for part in parts if part])


def _place(folder: str | None) -> str:
    return f" in {one_line(folder)}" if folder else ""


def lede(night: Night) -> tuple[str, str]:
    """Two sentences: what was made good, and what waits."""
    helped, held = night.customers_helped, night.in_state("held")
    reviews = len(night.with_outcome("review"))
    opened = len(night.open_tickets)
    waits = (
        (f"{counted(len(held), 'remedy', 'remedies')} ({_comes_to(night, 'held')})", held),
        (f"{counted(reviews, 'case')} to look at", reviews),
        (f"{counted(opened, 'ticket')} to confirm", opened),
    )
    waiting = tuple(text for text, applies in waits if applies)
    return (
        f"Made good for {counted(helped, 'customer')}: {_comes_to(night, 'approved')}."
        if helped
        else "Nothing is made good this night.",
        f"Waiting for a person: {listed(waiting)}." if waiting else "Nothing waits for a person.",
    )


def _comes_to(night: Night, state: RemedyState) -> str:
    totals = night.totals(state)
    return amounts(totals) if totals else "goods alone"
