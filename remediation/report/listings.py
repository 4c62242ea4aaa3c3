"""The lists of the report: remedies, tickets, what was declined, what could not be read, and the files."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from detectors.finding import Finding
from remediation.ledger.run import RunInput
from remediation.mail import Mail
from remediation.remedy import Declined
from remediation.report import words
from remediation.report.causes import by_urgency, ticket_view
from remediation.report.formats import block, listed, one_line
from remediation.report.night import Night, RejectRow, RemedyRow
from remediation.report.view import (
    DeclinedView,
    FindingView,
    InputView,
    Listing,
    MailView,
    RejectView,
    Remedies,
    RemedyLine,
    RemedyView,
    Tickets,
)
from remediation.tickets import Ticket

MOST_ROWS: Final = 500
"""Nobody reads a longer list; the JSON Lines beside the report hold every record."""

MOST_WHOLE: Final = 20
"""So many are told with evidence and mail, or with figures; further ones have a row in a table."""

_STATES: Final = {"approved": "approved", "held": "held for a person"}
_SCOPES: Final = {"file": "whole file", "record": "record", "field": "field; its record is used"}

Item = TypeVar("Item")
Shown = TypeVar("Shown")


def held(night: Night) -> Remedies:
    """Those that a person decides on, the largest first."""
    return _remedies(night.in_state("held"))


def made_good(night: Night) -> Remedies:
    """All others, the largest first."""
    return _remedies([row for row in night.remedies if row.remedy.state != "held"])


def tickets(found: Iterable[Ticket]) -> Tickets:
    """Common causes, those that wait for a person first."""
    ordered = [ticket_view(ticket) for ticket in by_urgency(found)]
    more = len(ordered) - MOST_ROWS
    left_out = f"{more:,} more are in tickets.jsonl." if more > 0 else ""
    return Tickets(tuple(ordered[:MOST_WHOLE]), tuple(ordered[MOST_WHOLE:MOST_ROWS]), left_out)


def declined(items: Iterable[Declined]) -> Listing[DeclinedView]:
    """What was declined or is to be looked at, by code and subject."""
    ordered = sorted(items, key=lambda item: (item.code, item.subject.type, item.subject.id))
    return _listing(ordered, _declined, "declined.jsonl")


def rejects(rows: Iterable[RejectRow]) -> Listing[RejectView]:
    """What could not be read: those alike together, the most frequent first."""
    return _listing(_alike(rows), _rejects, "rejects.jsonl")


def inputs(files: Iterable[RunInput]) -> Listing[InputView]:
    """The files that were read, by role and name."""
    return _listing(sorted(files, key=lambda file: (file.role, file.name)), _input, "the ledger")


def largest_first(remedies: Iterable[RemedyRow]) -> list[RemedyRow]:
    """The largest remedy of each currency, then the second largest of each, and so on.

    Amounts of two currencies are never compared: that would need a rate.
    """
    by_currency: defaultdict[str, list[RemedyRow]] = defaultdict(list)
    for row in sorted(remedies, key=lambda row: (-row.remedy.amount, row.remedy.remedy_id)):
        by_currency[row.remedy.currency].append(row)
    ranked = [(rank, currency, row) for currency, rows in by_currency.items() for rank, row in enumerate(rows)]
    return [row for _, _, row in sorted(ranked, key=lambda item: item[:2])]


def _listing(items: Sequence[Item], show: Callable[[Item], Shown], where: str) -> Listing[Shown]:
    more = len(items) - MOST_ROWS
    return Listing(tuple(map(show, items[:MOST_ROWS])), f"{more:,} more are in {where}." if more > 0 else "")


def _remedies(rows: Sequence[RemedyRow]) -> Remedies:
    ordered = largest_first(rows)
    more = len(ordered) - MOST_ROWS
    left_out = f"The largest are shown; {more:,} more are in remedies.jsonl." if more > 0 else ""
    shown = ordered[MOST_WHOLE:MOST_ROWS]
    return Remedies(tuple(map(_remedy, ordered[:MOST_WHOLE])), tuple(map(_line, shown)), left_out)


def _line(row: RemedyRow) -> RemedyLine:
    whole = _remedy(row)
    kinds = listed(sorted({finding.kind.lower() for finding in whole.findings}))
    return RemedyLine(whole.order_line_id, whole.title, whole.amount, whole.actions, kinds, whole.state)


def _remedy(row: RemedyRow) -> RemedyView:
    remedy = row.remedy
    top_up = "" if remedy.number == 1 else f" (top-up {remedy.number - 1:,})"
    return RemedyView(
        remedy_id=remedy.remedy_id,
        order_line_id=one_line(remedy.order_line_id),
        title=one_line(row.title) or "Without a title",
        amount=words.worth(remedy),
        actions=words.actions(remedy) + top_up,
        state=_STATES.get(remedy.state, remedy.state),
        held=remedy.state == "held",
        reason=one_line(remedy.reason, limit=1_000),
        findings=tuple(map(_finding, sorted(row.findings, key=lambda finding: (-finding.severity, finding.kind)))),
        mail=None if row.mail is None else _mail(row.mail),
    )


def _finding(finding: Finding) -> FindingView:
    return FindingView(
        kind=words.kind_name(finding.kind),
        when=words.when(finding),
        evidence=words.evidence(finding),
        fault=words.fault_words(finding.fault),
        severity=f"{finding.severity:.2f}",
        subject=words.subject(finding.subject),
        figures=words.figures(finding),
    )


def _mail(mail: Mail) -> MailView:
    return MailView(one_line(mail.language, limit=35), " ".join(block(mail.subject).split()), block(mail.text).strip())


def _declined(item: Declined) -> DeclinedView:
    line = "" if item.order_line_id is None else one_line(item.order_line_id)
    return DeclinedView(words.subject(item.subject), line, one_line(item.code), one_line(item.reason, limit=1_000))


def _alike(rejects: Iterable[RejectRow]) -> list[list[RejectRow]]:
    """Rejects of the same scope, code and field together, each group by place, groups by how many they are."""
    groups: defaultdict[tuple[str, str, str], list[RejectRow]] = defaultdict(list)
    for row in rejects:
        groups[row.scope, row.code, row.field or ""].append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: (row.source, row.offset or 0, row.line or 0))
    return [groups[key] for key in sorted(groups, key=lambda key: (-sum(row.count for row in groups[key]), key))]


def _rejects(rows: Sequence[RejectRow]) -> RejectView:
    first = rows[0]
    return RejectView(
        code=one_line(first.code),
        field=one_line(first.field or ""),
        scope=_SCOPES[first.scope],
        count=f"{sum(row.count for row in rows):,}",
        reason=one_line(first.reason, limit=300),
        example=_place(first),
    )


def _place(row: RejectRow) -> str:
    if row.line is not None:
        return f"{one_line(row.source)}:{row.line}"
    return one_line(row.source) if row.offset is None else f"{one_line(row.source)}, at {row.offset:,}"


def _input(file: RunInput) -> InputView:
    digest = one_line(file.sha256)
    return InputView(one_line(file.role), one_line(file.name), f"{file.bytes:,}", f"{file.rows:,}", digest)
