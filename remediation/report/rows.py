"""Rows of the ledger as records."""

from collections.abc import Mapping
from typing import TypeAlias

from sqlalchemy import Row

from detectors.finding import Finding, Scalar, Subject
from remediation.mail import Mail
from remediation.money import Money
from remediation.remedy import Declined
from remediation.report.story import CustomerContact, PaidLine, ParcelScan
from remediation.report.words import title_text

AnyRow: TypeAlias = Row[*tuple[object, ...]]


def finding_of(row: AnyRow, evidence: Mapping[str, Scalar]) -> Finding:
    """The finding with the given figures: today's, or those of the time of a decision."""
    return Finding(
        kind=row.kind,
        subject=Subject(row.subject_type, row.subject_id),
        severity=row.severity,
        occurred_from=row.occurred_from,
        occurred_to=row.occurred_to,
        evidence=evidence,
        fault=row.fault,
        detector_version=row.detector_version,
        customer_id=row.customer_id,
        content_id=row.content_id,
        order_line_id=row.order_line_id,
    )


def paid_line_of(row: AnyRow) -> PaidLine:
    """The order line as far as explaining needs it."""
    return PaidLine(
        order_line_id=row.order_line_id,
        order_id=row.order_id,
        kind=row.kind,
        title=title_text(row.title),
        paid=Money(row.amount_minor, row.currency),
        shipping=Money(row.shipping_minor, row.currency),
        purchased_at=row.purchased_at,
        promised_date=row.promised_date,
        tracking_number=row.tracking_number,
        carrier=row.carrier,
    )


def scan_of(row: AnyRow) -> ParcelScan:
    """The scan as far as explaining needs it."""
    return ParcelScan(row.event_time, row.status, row.reason, row.proof, row.depot)


def contact_of(row: AnyRow) -> CustomerContact:
    """The contact as far as explaining needs it."""
    return CustomerContact(row.contact_id, row.event_time, row.topic, row.received_item_id)


def declined_of(row: AnyRow) -> Declined:
    """What was declined, or is for a person to look at."""
    return Declined(
        finding_ids=tuple(row.finding_ids),
        subject=Subject(row.subject_type, row.subject_id),
        outcome=row.outcome,
        code=row.code,
        reason=row.reason,
        order_line_id=row.order_line_id,
        customer_id=row.customer_id,
    )


def mail_of(row: AnyRow) -> Mail:
    """The mail as it was rendered."""
    return Mail(row.remedy_id, row.message_id, row.language, row.subject, row.text, row.html)
