"""A remedy on its way into the ledger: the ceiling over the refunds of its order line, and the stock of its item."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select, update

from remediation.ledger.resolution import Resolution, refund_minor
from remediation.ledger.sql import affected
from remediation.ledger.tables import ORDER_LINES, REMEDIES, STOCK
from remediation.mail import Mail
from remediation.money import Money
from remediation.remedy import GOODS, Remedy


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
    """Takes the refund from what is left of the line's price and the goods from stock; else holds, and says why.

    Conditional UPDATEs: a sum that is read first and acted upon later lets two
    writers overshoot together. A held remedy that a person may still approve
    takes its part as well.
    """
    if not _take_refund(connection, entry):
        return hold(connection, entry, _objection(connection, entry))
    if not _take_goods(connection, entry.remedy):
        return hold(connection, entry, "Held: too few of the item are left in stock, since others were promised it.")
    return entry


def _take_refund(connection: Connection, entry: Owed) -> bool:
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
    return taken == 1


def _take_goods(connection: Connection, remedy: Remedy) -> bool:
    """Nothing is sent for a remedy without goods; an item that nobody counted has no stock to take from."""
    kinds = sum(action.kind in GOODS for action in remedy.actions)
    if not kinds:
        return True
    line = select(ORDER_LINES).where(ORDER_LINES.c.order_line_id == remedy.order_line_id).subquery()
    wanted = select(line.c.quantity * kinds).scalar_subquery()
    of_item = STOCK.c.item_id == select(line.c.item_id).scalar_subquery()
    promised = STOCK.c.promised + wanted
    taking = update(STOCK).where(of_item, promised <= STOCK.c.available).values(promised=promised)
    return affected(connection, taking) == 1


def hold(connection: Connection, entry: Owed, objection: str) -> Owed:
    """The entry as held, in the ledger as well; `objection` says why, before the remedy's own reason."""
    remedy = entry.remedy
    reason = f"{objection} {remedy.reason}"
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
