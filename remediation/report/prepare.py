"""From the records of a night to the words of its report."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from detectors.finding import Finding
from remediation.ledger.run import RELEASED, RunInput
from remediation.mail import Mail
from remediation.money import Money
from remediation.remedy import Declined, RemedyState
from remediation.report import words
from remediation.report.causes import by_urgency, ticket_view
from remediation.report.formats import amount, amounts, block, counted, day, listed, one_line, percent
from remediation.report.night import Night, RejectRow, RemedyRow
from remediation.report.text import balance
from remediation.report.view import (
    DeclinedView,
    Figure,
    FindingView,
    InputView,
    Listing,
    MailView,
    NightView,
    Notice,
    RejectView,
    RemedyView,
)

MOST_ROWS: Final = 500
"""Nobody reads a longer list; the JSON Lines beside the report hold every record."""

_STATES: Final = {"approved": "approved", "held": "held for a person", "proposed": "proposed"}
_SCOPES: Final = {"file": "whole file", "record": "record", "field": "field; its record is used"}

Item = TypeVar("Item")
Shown = TypeVar("Shown")


def prepare(night: Night) -> NightView:
    """The view of a night. Of very many remedies the largest are shown; see `largest_first`."""
    shown = largest_first(night.remedies)[:MOST_ROWS]
    return NightView(
        heading=f"The night up to {day(night.as_of)}",
        lede=_lede(night),
        notices=_notices(night),
        glance=_glance(night),
        kinds=tuple((words.kind_name(kind), f"{count:,}") for kind, count in sorted(night.findings_by_kind.items())),
        balance=balance(night.counts),
        balanced=night.counts.balanced,
        held=_remedies([row for row in shown if row.remedy.state == "held"], len(night.in_state("held"))),
        reviews=_listing(_in_order(night.with_outcome("review")), _declined, "declined.jsonl"),
        tickets=_listing(by_urgency(night.tickets), ticket_view, "tickets.jsonl"),
        made_good=_remedies(
            [row for row in shown if row.remedy.state != "held"], len(night.in_state("approved", "proposed"))
        ),
        declined=_listing(_in_order(night.with_outcome("declined")), _declined, "declined.jsonl"),
        rejects=_listing(_alike(night.rejects), _rejects, "rejects.jsonl"),
        inputs=_listing(sorted(night.inputs, key=lambda file: (file.role, file.name)), _input, "the ledger"),
        provenance=(
            ("Run", one_line(night.run_id)),
            ("Policy (SHA-256)", one_line(night.policy_sha256)),
            ("Detector version", one_line(night.detector_version)),
            ("Mails", one_line(night.mail_dir) if night.mail_dir else "kept in the ledger"),
        ),
    )


def largest_first(remedies: Iterable[RemedyRow]) -> list[RemedyRow]:
    """The largest remedy of each currency, then the second largest of each, and so on.

    Amounts of two currencies are never compared: that would need a rate.
    """
    by_currency: defaultdict[str, list[RemedyRow]] = defaultdict(list)
    for row in sorted(remedies, key=lambda row: (-row.remedy.amount, row.remedy.remedy_id)):
        by_currency[row.remedy.currency].append(row)
    ranked = [(rank, currency, row) for currency, rows in by_currency.items() for rank, row in enumerate(rows)]
    return [row for _, _, row in sorted(ranked, key=lambda item: item[:2])]


def _lede(night: Night) -> tuple[str, ...]:
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


def _notices(night: Night) -> tuple[Notice, ...]:
    unbalanced = "The records do not add up. Release nothing of this night before the difference is explained."
    unchanged = "Nothing changed: this night was already recorded."
    kept = f"This run is {night.run_state}: nothing of it is sent until a person releases it."
    notices = (
        (Notice(unbalanced, serious=True), not night.counts.balanced),
        (Notice(kept, serious=True), night.run_state != RELEASED),
        *((Notice(one_line(objection.reason), serious=True), True) for objection in night.objections),
        (Notice(unchanged, serious=False), not night.new),
    )
    return tuple(notice for notice, applies in notices if applies)


def _glance(night: Night) -> tuple[Figure, ...]:
    held, approved = night.in_state("held"), night.in_state("approved")
    reviews = len(night.with_outcome("review"))
    return (
        Figure("To be paid", _money(night.totals("approved")), counted(len(approved), "remedy", "remedies")),
        Figure(
            "Held for a person", _money(night.totals("held")), counted(len(held), "remedy", "remedies") if held else ""
        ),
        Figure("Customers helped", (f"{night.customers_helped:,}",)),
        Figure("Sessions", (f"{night.sessions:,}",), _flagged(night.flagged_sessions, night.sessions)),
        Figure(
            "Order lines of goods", (f"{night.order_lines:,}",), _flagged(night.flagged_order_lines, night.order_lines)
        ),
        Figure("Findings", (f"{sum(night.findings_by_kind.values()):,}",)),
        Figure(
            "Declined", (f"{len(night.with_outcome('declined')):,}",), f"and {reviews:,} to look at" if reviews else ""
        ),
        Figure("Rejected records", (f"{night.counts.rejected:,}",), _also_rejected(night)),
    )


def _flagged(flagged: int, of: int) -> str:
    return f"{flagged:,} flagged, {percent(flagged / of)}" if of else ""


def _also_rejected(night: Night) -> str:
    rows, fields = night.rejected_rows, night.rejected_fields
    parts = (
        (f"{counted(rows, 'row')} of the order book", rows),
        (f"{counted(fields, 'field')} of used records", fields),
    )
    return listed([text for text, applies in parts if applies])


def _money(sums: tuple[Money, ...]) -> tuple[str, ...]:
    return tuple(amount(money) for money in sums) or ("nothing",)


def _listing(items: Sequence[Item], show: Callable[[Item], Shown], where: str) -> Listing[Shown]:
    more = len(items) - MOST_ROWS
    return Listing(tuple(map(show, items[:MOST_ROWS])), f"{more:,} more are in {where}." if more > 0 else "")


def _remedies(shown: Sequence[RemedyRow], total: int) -> Listing[RemedyView]:
    more = total - len(shown)
    sentence = f"The largest are shown; {more:,} more are in remedies.jsonl." if more else ""
    return Listing(tuple(map(_remedy, shown)), sentence)


def _remedy(row: RemedyRow) -> RemedyView:
    remedy = row.remedy
    top_up = "" if remedy.number == 1 else f" (top-up {remedy.number - 1:,})"
    return RemedyView(
        remedy_id=remedy.remedy_id,
        order_line_id=one_line(remedy.order_line_id),
        title=one_line(row.title) or "Without a title",
        amount=words.worth(remedy),
        actions=words.actions(remedy) + top_up,
        state=_STATES[remedy.state],
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


def _in_order(declined: Iterable[Declined]) -> list[Declined]:
    return sorted(declined, key=lambda item: (item.code, item.subject.type, item.subject.id))


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
