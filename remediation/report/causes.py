"""Tickets as the report shows them: the claim, what is to be done, and the figures behind it."""

from collections.abc import Iterable, Iterator
from typing import Final

from detectors.incidents import Figures
from remediation.report import words
from remediation.report.formats import counted, listed, one_line, percent
from remediation.report.view import TicketView
from remediation.tickets import Ticket, TicketState

_ORDER: Final = tuple(TicketState)
_SHOWN_LINES: Final = 10


def by_urgency(tickets: Iterable[Ticket]) -> list[Ticket]:
    """Those that wait for a person first, and of these the ones that touched most."""
    return sorted(tickets, key=lambda ticket: (_ORDER.index(ticket.state), -ticket.affected_count, ticket.ticket_id))


def ticket_view(ticket: Ticket) -> TicketView:
    """The ticket in words; no customer is named."""
    return TicketView(
        ticket_id=one_line(ticket.ticket_id),
        claim=one_line(ticket.claim, limit=1_000),
        suggested_action=one_line(ticket.suggested_action, limit=1_000),
        state=str(ticket.state),
        waits=ticket.state is TicketState.OPEN,
        touched=_touched(ticket),
        figures=tuple(_facts(ticket)),
    )


def _touched(ticket: Ticket) -> str:
    shown = [one_line(line) for line in ticket.order_line_ids[:_SHOWN_LINES]]
    if not shown:
        return f"{ticket.affected_count:,} affected"
    more = "" if len(shown) == len(ticket.order_line_ids) else " and others"
    return (
        f"{ticket.affected_count:,} affected, order {'line' if len(shown) == 1 else 'lines'} {', '.join(shown)}{more}"
    )


def _facts(ticket: Ticket) -> Iterator[tuple[str, str]]:
    for dimension, value in sorted(ticket.cohort.items()):
        yield one_line(dimension.replace("_", " ")), one_line(value)
    yield "failures", listed([words.kind_name(kind).lower() for kind in ticket.failure_kinds])
    yield "fault", words.fault_words(ticket.fault)
    yield "confirmed by", counted(ticket.confirmed_by_customers, "customer")
    if ticket.figures is not None:
        yield from _figures(ticket.figures)


def _figures(figures: Figures) -> Iterator[tuple[str, str]]:
    yield "failed here", f"{figures.failures:,} of {figures.units:,}, {percent(figures.rate)}"
    yield "95 % interval", f"{percent(figures.rate_low)} to {percent(figures.rate_high)}"
    yield "failed elsewhere", f"{figures.rest_failures:,} of {figures.rest_units:,}, {percent(figures.baseline)}"
    if figures.ratio is not None:
        yield "times as often", f"{figures.ratio:,.1f}"
    yield "false discovery rate", f"{figures.q_value:.2g}"
