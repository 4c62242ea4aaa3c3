"""One night as its readers see it: filled by the pipeline, told by the report and the summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from detectors.finding import Finding
from remediation.ledger.run import RELEASED, Objection, RunInput
from remediation.mail import Mail
from remediation.money import Money
from remediation.remedy import Declined, Outcome, Remedy, RemedyState
from remediation.report.formats import sums
from remediation.tickets import Ticket, TicketState

RejectScope = Literal["file", "record", "field"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records of the telemetry. A field that was left out of a used record is not counted here."""

    records: int
    used: int
    duplicate: int
    rejected: int
    late: int

    @property
    def balanced(self) -> bool:
        """Whether every record that came in is accounted for."""
        return self.records == self.used + self.duplicate + self.rejected + self.late


@dataclass(frozen=True, slots=True)
class RejectRow:
    """One row of `schemas.REJECTS`."""

    source: str
    line: int | None
    offset: int | None
    scope: RejectScope
    code: str
    field: str | None
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class RemedyRow:
    """One remedy with what it rests on. `title` is text in the report's language; see `words.title_text`."""

    remedy: Remedy
    findings: tuple[Finding, ...]
    title: str
    mail: Mail | None
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class Night:
    """One nightly run.

    `new` is False where this very night was recorded before, so that nothing
    changed. `as_of` is in milliseconds since the epoch. `sessions` and
    `flagged_sessions` count sessions, `order_lines` and `flagged_order_lines` order
    lines of goods, `findings_by_kind` findings, whose ids are `finding_ids`. `tickets` are those that it opened
    or brought up to date. Nothing of a night is sent before its run is `released`;
    `objections` are what stood against that.
    """

    run_id: str
    as_of: int
    policy_sha256: str
    detector_version: str
    new: bool
    counts: Counts
    sessions: int
    flagged_sessions: int
    findings_by_kind: Mapping[str, int]
    remedies: tuple[RemedyRow, ...]
    declined: tuple[Declined, ...]
    rejects: tuple[RejectRow, ...]
    inputs: tuple[RunInput, ...]
    mail_dir: str | None = None
    report_path: str | None = None
    order_lines: int = 0
    flagged_order_lines: int = 0
    tickets: tuple[Ticket, ...] = ()
    run_state: str = RELEASED
    objections: tuple[Objection, ...] = ()
    finding_ids: frozenset[str] = frozenset()

    @property
    def flagged_ratio(self) -> float | None:
        """The share of sessions with a finding, 0 to 1; null where there was no session."""
        return self.flagged_sessions / self.sessions if self.sessions else None

    @property
    def open_tickets(self) -> tuple[Ticket, ...]:
        """The tickets that no person has looked at yet."""
        return tuple(ticket for ticket in self.tickets if ticket.state is TicketState.OPEN)

    @property
    def customers_helped(self) -> int:
        """How many customers have a remedy that no person has to release first."""
        return len({row.remedy.customer_id for row in self.in_state("approved")})

    def in_state(self, *states: RemedyState) -> tuple[RemedyRow, ...]:
        """The remedies in any of the given states, in the order of the night."""
        return tuple(row for row in self.remedies if row.remedy.state in states)

    def with_outcome(self, outcome: Outcome) -> tuple[Declined, ...]:
        """What was declined for good, or what a person must look at, in the order of the night."""
        return tuple(item for item in self.declined if item.outcome == outcome)

    @property
    def rejected_fields(self) -> int:
        """How many fields were left out of records that are in use."""
        return sum(row.count for row in self.rejects if row.scope == "field")

    @property
    def rejected_rows(self) -> int:
        """How many rows of the order book could not be used; they are no records of the telemetry."""
        book = {file.name for file in self.inputs if file.role != "telemetry"}
        return sum(row.count for row in self.rejects if row.scope != "field" and row.source in book)

    def totals(self, *states: RemedyState) -> tuple[Money, ...]:
        """What the remedies in the given states come to, one sum a currency, by currency; goods come to no money."""
        paid = (row.remedy for row in self.in_state(*states) if row.remedy.amount)
        return sums(Money(remedy.amount, remedy.currency) for remedy in paid)
