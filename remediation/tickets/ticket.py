"""A ticket as a person reads it: its claim and figures, whom it touched, what was done about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from detectors.finding import Fault
from detectors.incidents import Affected, Figures, IncidentKind
from remediation.report.formats import listed, moment, one_line, percent

_LABEL_WIDTH: Final = 11
_SHOWN_LINES: Final = 20
_LONG: Final = 1_000


class TicketState(StrEnum):
    """Where a ticket stands: `DONE` is a cause that is mended, `REJECTED` a claim that is none."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DONE = "done"
    REJECTED = "rejected"


FORWARD: Final[Mapping[TicketState, frozenset[TicketState]]] = {
    TicketState.OPEN: frozenset({TicketState.CONFIRMED, TicketState.REJECTED}),
    TicketState.CONFIRMED: frozenset({TicketState.DONE, TicketState.REJECTED}),
    TicketState.DONE: frozenset(),
    TicketState.REJECTED: frozenset(),
}
"""The states that may follow each state; every step is a person's."""
CLOSED: Final = (TicketState.DONE, TicketState.REJECTED)
"""The states in which nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """One step that a person made; the time is in milliseconds since the epoch."""

    state_before: TicketState
    state_after: TicketState
    actor: str
    reason: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as the ledger holds it, with all its affected subjects and changes, oldest first.

    `order_line_ids` are those of the subjects that are bound to one.
    `affected_count` may exceed `lines`: an incident names only its latest ones.
    `opened_at` and `as_of` are of the runs that opened it and last refreshed it.
    """

    ticket_id: str
    incident_id: str
    number: int
    kind: IncidentKind
    cohort: Mapping[str, str]
    failure_kinds: tuple[str, ...]
    claim: str
    fault: Fault
    figures: Figures | None
    affected_count: int
    confirmed_by_customers: int
    suggested_action: str
    state: TicketState
    opened_at: int
    as_of: int
    closed_at: int | None
    lines: tuple[Affected, ...]
    order_line_ids: tuple[str, ...]
    changes: tuple[Change, ...]

    def as_text(self) -> str:
        """The ticket as plain text, ending in a line feed; nothing in it steers a terminal."""
        heading = f"Ticket {self.ticket_id}: {one_line(self.kind)}, {self.state}"
        facts = (f"  {label:<{_LABEL_WIDTH}} {_hanging(text)}" for label, text in self._facts())
        return "\n".join((heading, "", *facts)) + "\n"

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "claim", one_line(self.claim, limit=_LONG)
        for name, value in self.cohort.items():
            yield "shared", f"{name.replace('_', ' ')} {one_line(value)}"
        yield "failures", listed([kind.replace("_", " ") for kind in self.failure_kinds])
        if self.figures is not None:
            yield "figures", _figures(self.figures)
        yield "fault", self.fault
        yield "customers", f"{self.confirmed_by_customers:,}"
        yield "to do", one_line(self.suggested_action, limit=_LONG)
        yield "affected", self._affected()
        yield "opened", f"in the night up to {moment(self.opened_at)}, figures up to {moment(self.as_of)}"
        for change in self.changes:
            by = f"{moment(change.changed_at)} by {one_line(change.actor)}"
            yield change.state_after, f"{by}: {one_line(change.reason, limit=_LONG)}"

    def _affected(self) -> str:
        latest = self.lines[-_SHOWN_LINES:]
        rows = [
            f"{item.subject.type.replace('_', ' ')} {one_line(item.subject.id)}, {moment(item.occurred_at)}"
            for item in latest
        ]
        shown = "" if len(latest) >= self.affected_count else f", of which the latest {len(latest)}"
        return "\n".join((f"{self.affected_count:,} in all{shown}", *rows))


def _figures(figures: Figures) -> str:
    sure = f"95 %: {percent(figures.rate_low)} to {percent(figures.rate_high)}"
    here = f"{figures.failures:,} of {figures.units:,} failed, {percent(figures.rate)} ({sure})"
    there = f"{figures.rest_failures:,} of {figures.rest_units:,} others, {percent(figures.baseline)}"
    ratio = "" if figures.ratio is None else f"{figures.ratio:,.1f} times as often, "
    upper = "" if figures.ratio_high is None else f" and at most {figures.ratio_high:,.1f}"
    times = f"{ratio}95 %: at least {figures.ratio_low:,.1f}{upper} times"
    return "\n".join((here, there, times, f"false discovery rate {figures.q_value:.2g}"))


def _hanging(text: str) -> str:
    return text.replace("\n", "\n" + " " * (_LABEL_WIDTH + 3))
