"""The story of one order line or one session, read from the ledger's tables."""

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, or_, select

from detectors.finding import Finding, Subject
from remediation.ledger.book import remedy_of
from remediation.ledger.tables import (
    CONTACTS,
    DECLINED,
    FINDINGS,
    MAILS,
    ORDER_LINES,
    OUTBOX,
    POSTINGS,
    REMEDIES,
    REMEDY_FINDINGS,
    SCANS,
    TICKET_LINES,
    TICKETS,
)
from remediation.mail import Mail
from remediation.money import Money
from remediation.remedy import Declined
from remediation.report.rows import (
    AnyRow,
    contact_of,
    declined_of,
    finding_of,
    mail_of,
    paid_line_of,
    scan_of,
)
from remediation.report.story import Cause, CustomerContact, ParcelScan, Payout, Posting, Sending, Story


def story_of_line(connection: Connection, order_line_id: str) -> Story:
    """The story of an order line; empty where nothing is recorded of it."""
    query = select(ORDER_LINES).where(ORDER_LINES.c.order_line_id == order_line_id)
    line = connection.execute(query).one_or_none()
    payouts = _payouts(connection, order_line_id)
    paid_for = {finding_id for payout in payouts for finding_id in payout.remedy.finding_ids}
    subject = Subject("order_line", order_line_id)
    findings = _findings(connection, or_(FINDINGS.c.order_line_id == order_line_id, _is_about(FINDINGS, subject)))
    return Story(
        subject=subject,
        line=None if line is None else paid_line_of(line),
        findings=tuple(finding for finding in findings if finding.finding_id not in paid_for),
        payouts=payouts,
        declined=_refusals(connection, or_(DECLINED.c.order_line_id == order_line_id, _is_about(DECLINED, subject))),
        scans=() if line is None else _scans(connection, line.tracking_number),
        contacts=_contacts(connection, order_line_id),
        causes=_causes(connection, order_line_id),
    )


def story_of_subject(connection: Connection, subject: Subject) -> Story:
    """The story of a subject that no order line is known for."""
    return Story(
        subject=subject,
        line=None,
        findings=_findings(connection, _is_about(FINDINGS, subject)),
        payouts=(),
        declined=_refusals(connection, _is_about(DECLINED, subject)),
    )


def _is_about(table: Table, subject: Subject) -> ColumnElement[bool]:
    return and_(table.c.subject_type == subject.type, table.c.subject_id == subject.id)


def _findings(connection: Connection, condition: ColumnElement[bool]) -> tuple[Finding, ...]:
    query = select(FINDINGS).where(condition).order_by(FINDINGS.c.occurred_from, FINDINGS.c.finding_id)
    return tuple(finding_of(row, row.evidence) for row in connection.execute(query))


def _refusals(connection: Connection, condition: ColumnElement[bool]) -> tuple[Declined, ...]:
    query = select(DECLINED).where(condition).order_by(DECLINED.c.code, DECLINED.c.declined_id)
    return tuple(map(declined_of, connection.execute(query)))


def _scans(connection: Connection, tracking_number: str | None) -> tuple[ParcelScan, ...]:
    if tracking_number is None:
        return ()
    query = (
        select(SCANS)
        .where(SCANS.c.tracking_number == tracking_number)
        .order_by(SCANS.c.event_time, SCANS.c.status, SCANS.c.scan_id)
    )
    return tuple(map(scan_of, connection.execute(query)))


def _contacts(connection: Connection, order_line_id: str) -> tuple[CustomerContact, ...]:
    query = (
        select(CONTACTS)
        .where(CONTACTS.c.order_line_id == order_line_id)
        .order_by(CONTACTS.c.event_time, CONTACTS.c.contact_id)
    )
    return tuple(map(contact_of, connection.execute(query)))


def _causes(connection: Connection, order_line_id: str) -> tuple[Cause, ...]:
    """The tickets that name the line itself, or a session that a finding bound to it."""
    named = TICKET_LINES.c
    bound = exists().where(
        FINDINGS.c.subject_type == named.subject_type,
        FINDINGS.c.subject_id == named.subject_id,
        FINDINGS.c.order_line_id == order_line_id,
    )
    line = and_(named.subject_type == "order_line", named.subject_id == order_line_id)
    tickets = select(named.ticket_id).where(or_(line, bound))
    query = (
        select(TICKETS.c.ticket_id, TICKETS.c.state, TICKETS.c.claim)
        .where(TICKETS.c.ticket_id.in_(tickets))
        .order_by(TICKETS.c.opened_at, TICKETS.c.ticket_id)
    )
    return tuple(Cause(row.ticket_id, row.state, row.claim) for row in connection.execute(query))


def _payouts(connection: Connection, order_line_id: str) -> tuple[Payout, ...]:
    query = select(REMEDIES).where(REMEDIES.c.order_line_id == order_line_id).order_by(REMEDIES.c.number)
    return tuple(_payout(connection, row) for row in connection.execute(query).all())


def _payout(connection: Connection, row: AnyRow) -> Payout:
    findings = _decided_on(connection, row.remedy_id)
    return Payout(
        remedy=remedy_of(row, (finding.finding_id for finding in findings)),
        as_of=row.as_of,
        run_id=row.run_id,
        findings=findings,
        mail=_mail(connection, row.remedy_id),
        sendings=_sendings(connection, row.remedy_id),
        postings=_postings(connection, row.remedy_id),
    )


def _decided_on(connection: Connection, remedy_id: str) -> tuple[Finding, ...]:
    """The findings of a remedy with the figures of the time; where those were not kept, with today's."""
    query = (
        select(FINDINGS, REMEDY_FINDINGS.c.evidence.label("decided_on"))
        .join(REMEDY_FINDINGS, REMEDY_FINDINGS.c.finding_id == FINDINGS.c.finding_id)
        .where(REMEDY_FINDINGS.c.remedy_id == remedy_id)
        .order_by(FINDINGS.c.severity.desc(), FINDINGS.c.finding_id)
    )
    return tuple(
        finding_of(row, row.evidence if row.decided_on is None else row.decided_on) for row in connection.execute(query)
    )


def _mail(connection: Connection, remedy_id: str) -> Mail | None:
    row = connection.execute(select(MAILS).where(MAILS.c.remedy_id == remedy_id)).one_or_none()
    return None if row is None else mail_of(row)


def _sendings(connection: Connection, remedy_id: str) -> tuple[Sending, ...]:
    query = select(OUTBOX).where(OUTBOX.c.remedy_id == remedy_id).order_by(OUTBOX.c.kind.desc())
    return tuple(
        Sending(row.kind, row.state, row.not_before, row.attempts, row.provider_reference, row.settled_at)
        for row in connection.execute(query)
    )


def _postings(connection: Connection, remedy_id: str) -> tuple[Posting, ...]:
    query = (
        select(POSTINGS)
        .where(POSTINGS.c.remedy_id == remedy_id)
        .order_by(POSTINGS.c.posted_at, POSTINGS.c.transaction_id, POSTINGS.c.amount_minor.desc())
    )
    return tuple(
        Posting(row.transaction_id, row.account, Money(row.amount_minor, row.currency), row.posted_at)
        for row in connection.execute(query)
    )
