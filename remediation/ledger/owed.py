"""A remedy on its way into the ledger, and the ceiling over the refunds of its order line."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select, update

from remediation.ledger.resolution import Resolution, refund_minor
from remediation.ledger.sql import affected
from remediation.ledger.tables import ORDER_LINES, REMEDIES
from remediation.mail import Mail
from remediation.money import Money
from remediation.remedy import Remedy


@dataclass(frozen=True, slots=True)
class Owed:
    """A resolution that is a remedy. `refund` is the part that goes back by the way it was paid; it may be zero.

    `not_before` is when its mail may be sent at the earliest, in milliseconds
    since the epoch; it says nothing where there is no mail.
    """

    resolution: Resolution
    remedy: Remedy
    refund: Money
    mail: Mail | None
    not_before: int


def owed(resolution: Resolution) -> Owed | None:
    """The remedy of a resolution, None where it declines.

    Raises:
      ValueError: The actions of the remedy do not sum to its amount.
    """
    remedy = resolution.remedy
    if remedy is None:
        return None
    refund = Money(refund_minor(remedy), remedy.currency)
    return Owed(resolution, remedy, refund, resolution.mail, resolution.not_before or 0)


def reserve(connection: Connection, entry: Owed) -> Owed:
    """Takes the refund from what is left of the order line's price, or holds the remedy and says why.

    One conditional UPDATE: a sum that is read first and acted upon later lets two
    writers overshoot together. A held remedy that a person may still approve
    takes its part as well.
    """
    line, remedy = ORDER_LINES.c, entry.remedy
    taken = affected(
        connection,
        update(ORDER_LINES)
        .where(
            line.order_line_id == remedy.order_line_id,
            line.customer_id == remedy.customer_id,
            line.currency == remedy.currency,
            line.owed_minor + entry.refund.minor <= line.amount_minor + line.shipping_minor,
        )
        .values(owed_minor=line.owed_minor + entry.refund.minor),
    )
    if taken:
        return entry
    reason = f"{_objection(connection, entry)} {remedy.reason}"
    connection.execute(
        update(REMEDIES).where(REMEDIES.c.remedy_id == remedy.remedy_id).values(state="held", reason=reason)
    )
    return replace(entry, remedy=replace(remedy, state="held", reason=reason))


def _objection(connection: Connection, entry: Owed) -> str:
    line_id, currency = entry.remedy.order_line_id, entry.remedy.currency
    line = connection.execute(select(ORDER_LINES).where(ORDER_LINES.c.order_line_id == line_id)).one()
    if line.customer_id != entry.remedy.customer_id:
        return f"Held: order line {line_id} belongs to another customer than the remedy."
    if line.currency != currency:
        return f"Held: order line {line_id} was paid in {line.currency}, and the remedy is in {currency}."
    total, paid = line.owed_minor + entry.refund.minor, line.amount_minor + line.shipping_minor
    return f"Held: the refunds of order line {line_id} would come to {total} of {paid} {currency} minor units paid."
