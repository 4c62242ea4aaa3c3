"""What the ledger holds of one run, as the report needs it: the same after the first run and after every rerun."""

from collections import defaultdict

from sqlalchemy import Connection, Engine, select

from detectors.finding import Finding
from remediation.ledger.book import remedy_of
from remediation.ledger.tables import DECLINED, FINDINGS, MAILS, ORDER_LINES, REMEDIES, REMEDY_FINDINGS
from remediation.mail import Mail
from remediation.remedy import Declined
from remediation.report.night import RemedyRow
from remediation.report.rows import declined_of, finding_of, mail_of
from remediation.report.words import title_text
from remediation.tickets import Ticket, list_tickets


def recorded_remedies(engine: Engine, run_id: str) -> tuple[RemedyRow, ...]:
    """The remedies that this run recorded, by id, with their evidence of the time; three queries, however many."""
    with engine.connect() as connection:
        findings, mails = _findings(connection, run_id), _mails(connection, run_id)
        query = (
            select(REMEDIES, ORDER_LINES.c.title, ORDER_LINES.c.item_id)
            .join(ORDER_LINES, ORDER_LINES.c.order_line_id == REMEDIES.c.order_line_id)
            .where(REMEDIES.c.run_id == run_id)
            .order_by(REMEDIES.c.remedy_id)
        )
        return tuple(
            RemedyRow(
                remedy=remedy_of(row, (finding.finding_id for finding in findings[row.remedy_id])),
                findings=tuple(findings[row.remedy_id]),
                title=title_text(row.title),
                mail=mails.get(row.remedy_id),
                item_id=row.item_id,
            )
            for row in connection.execute(query)
        )


def recorded_declined(engine: Engine, run_id: str) -> tuple[Declined, ...]:
    """What this run declined or left to a person, by id."""
    query = select(DECLINED).where(DECLINED.c.run_id == run_id).order_by(DECLINED.c.declined_id)
    with engine.connect() as connection:
        return tuple(map(declined_of, connection.execute(query)))


def recorded_tickets(engine: Engine, as_of: int) -> tuple[Ticket, ...]:
    """The tickets that the night up to `as_of` opened, or whose figures it brought up to date."""
    return tuple(ticket for ticket in list_tickets(engine) if ticket.as_of == as_of)


def _findings(connection: Connection, run_id: str) -> defaultdict[str, list[Finding]]:
    query = (
        select(FINDINGS, REMEDY_FINDINGS.c.remedy_id, REMEDY_FINDINGS.c.evidence.label("decided_on"))
        .join(REMEDY_FINDINGS, REMEDY_FINDINGS.c.finding_id == FINDINGS.c.finding_id)
        .join(REMEDIES, REMEDIES.c.remedy_id == REMEDY_FINDINGS.c.remedy_id)
        .where(REMEDIES.c.run_id == run_id)
        .order_by(FINDINGS.c.finding_id)
    )
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.remedy_id].append(finding_of(row, row.evidence if row.decided_on is None else row.decided_on))
    return found


def _mails(connection: Connection, run_id: str) -> dict[str, Mail]:
    query = select(MAILS).join(REMEDIES, REMEDIES.c.remedy_id == MAILS.c.remedy_id).where(REMEDIES.c.run_id == run_id)
    return {row.remedy_id: mail_of(row) for row in connection.execute(query)}
