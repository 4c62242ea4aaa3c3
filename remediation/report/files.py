"""The records of a night as JSON Lines: one record a line, its fields in the order declared, lines sorted by id.

The same records give the same bytes, whatever order they come in. What is
unknown is null.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Final

import msgspec
from msgspec import Struct

from detectors.finding import Fault, Finding, Kind, Scalar, Subject
from detectors.incidents import Figures, IncidentKind
from remediation.remedy import Action, Declined, Remedy, RemedyState
from remediation.report.night import RejectRow
from remediation.tickets import Ticket, TicketState

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_STEERING: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")
"""Characters that JSON lets stand, but that end lines or steer terminals: the name of a file may hold them."""


class FindingRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of `findings.jsonl`. `severity` is 0 to 1; times are milliseconds since the epoch."""

    finding_id: str
    kind: Kind
    subject: Subject
    customer_id: str | None
    order_line_id: str | None
    severity: float
    occurred_from: int
    occurred_to: int
    evidence: Mapping[str, Scalar]
    fault: Fault
    detector_version: str


class RemedyRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of `remedies.jsonl`. Amounts are integer minor units of `currency`; top-ups have a `number` from 2."""

    remedy_id: str
    finding_ids: tuple[str, ...]
    order_line_id: str
    actions: tuple[Action, ...]
    amount: int
    currency: str
    policy_sha256: str
    reason: str
    customer_id: str
    number: int
    state: RemedyState


class TicketRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of `tickets.jsonl`. `figures` is null where the claim rests on reports; who changed it is not told."""

    ticket_id: str
    incident_id: str
    number: int
    kind: IncidentKind
    claim: str
    cohort: Mapping[str, str]
    failure_kinds: tuple[str, ...]
    fault: Fault
    figures: Figures | None
    affected_count: int
    confirmed_by_customers: int
    order_line_ids: tuple[str, ...]
    suggested_action: str
    state: TicketState
    opened_at: int
    as_of: int


def write_findings(sink: IO[bytes], findings: Iterable[Finding]) -> int:
    """Writes `findings.jsonl` and returns its number of lines."""
    records = sorted(map(_finding_record, findings), key=lambda record: record.finding_id)
    return _write(sink, records)


def write_remedies(sink: IO[bytes], remedies: Iterable[Remedy]) -> int:
    """Writes `remedies.jsonl` and returns its number of lines."""
    records = sorted(map(_remedy_record, remedies), key=lambda record: record.remedy_id)
    return _write(sink, records)


def write_declined(sink: IO[bytes], declined: Iterable[Declined]) -> int:
    """Writes `declined.jsonl` and returns its number of lines; a line is a `Declined` as it is."""
    records = sorted(declined, key=lambda item: (item.declined_id, item.finding_ids))
    return _write(sink, records)


def write_tickets(sink: IO[bytes], tickets: Iterable[Ticket]) -> int:
    """Writes `tickets.jsonl` and returns its number of lines."""
    records = sorted(map(_ticket_record, tickets), key=lambda record: record.ticket_id)
    return _write(sink, records)


def write_rejects(sink: IO[bytes], rejects: Iterable[RejectRow]) -> int:
    """Writes `rejects.jsonl` by source and place, and returns its number of lines."""
    records = sorted(rejects, key=_place)
    return _write(sink, records)


def _write(sink: IO[bytes], records: Sequence[Struct | Declined | RejectRow]) -> int:
    for record in records:
        sink.write(_STEERING.sub(_escaped, _ENCODER.encode(record)) + b"\n")
    return len(records)


def _escaped(character: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(character[0].decode())


def _finding_record(finding: Finding) -> FindingRecord:
    return FindingRecord(
        finding_id=finding.finding_id,
        kind=finding.kind,
        subject=finding.subject,
        customer_id=finding.customer_id,
        order_line_id=finding.order_line_id,
        severity=finding.severity,
        occurred_from=finding.occurred_from,
        occurred_to=finding.occurred_to,
        evidence=finding.evidence,
        fault=finding.fault,
        detector_version=finding.detector_version,
    )


def _remedy_record(remedy: Remedy) -> RemedyRecord:
    return RemedyRecord(
        remedy_id=remedy.remedy_id,
        finding_ids=remedy.finding_ids,
        order_line_id=remedy.order_line_id,
        actions=remedy.actions,
        amount=remedy.amount,
        currency=remedy.currency,
        policy_sha256=remedy.policy_sha256,
        reason=remedy.reason,
        customer_id=remedy.customer_id,
        number=remedy.number,
        state=remedy.state,
    )


def _ticket_record(ticket: Ticket) -> TicketRecord:
    return TicketRecord(
        ticket_id=ticket.ticket_id,
        incident_id=ticket.incident_id,
        number=ticket.number,
        kind=ticket.kind,
        claim=ticket.claim,
        cohort=dict(ticket.cohort),
        failure_kinds=ticket.failure_kinds,
        fault=ticket.fault,
        figures=ticket.figures,
        affected_count=ticket.affected_count,
        confirmed_by_customers=ticket.confirmed_by_customers,
        order_line_ids=ticket.order_line_ids,
        suggested_action=ticket.suggested_action,
        state=ticket.state,
        opened_at=ticket.opened_at,
        as_of=ticket.as_of,
    )


def _place(row: RejectRow) -> tuple[str, int, int, str, str, str, str]:
    """Source and position; an unknown position comes first, and the rest breaks ties."""
    offset = -1 if row.offset is None else row.offset
    line = -1 if row.line is None else row.line
    return row.source, offset, line, row.scope, row.code, row.field or "", row.reason
