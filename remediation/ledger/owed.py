"""A remedy on its way into the ledger: the ceiling over the refunds of its order line, and the stock of its item."""

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, case, select, update

from remediation.ledger.resolution import Resolution, refund_minor
from remediation.ledger.sql import affected
from remediation.ledger.tables import ORDER_LINES, REMEDIES, STOCK
from remediation.mail import Mail
from remediation.money import Money
from remediation.remedy import GOODS, Remedy


@dataclass(frozen=True, slots=True)
class Owed:
    """A remedy with what it leads to. `refund` is the part that goes back by the way it was paid; it may be zero.

    `not_before` is when its mail may be sent at the earliest, in milliseconds
    since the epoch; it says nothing where there is no mail.
    """

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
    return Owed(remedy, refund, resolution.mail, resolution.not_before or 0)


def reserve(connection: Connection, entry: Owed) -> Owed:
    """Takes the refund from what is left of the line's price and the goods from stock; else holds, and says why.

    Conditional UPDATEs: a sum that is read first and acted upon later lets two
    writers overshoot together. A held remedy that a person may still approve
    takes its part as well.
    """
    if not take_refund(connection, entry):
        return hold(connection, entry, _objection(connection, entry))
    if not take_goods(connection, entry.remedy):
        return hold(connection, entry, "Held: too few of the item are left in stock, since others were promised it.")
    return entry


def give_back(connection: Connection, remedy: Remedy, refund: Money) -> None:
    """Frees what was set aside for a remedy that will not be carried out. What is given back can be taken once more."""
    row = connection.execute(select(REMEDIES).where(REMEDIES.c.remedy_id == remedy.remedy_id)).one()
    if row.refund_reserved:
        line = ORDER_LINES.c
        this_line = update(ORDER_LINES).where(line.order_line_id == remedy.order_line_id)
        connection.execute(this_line.values(owed_minor=line.owed_minor - refund.minor))
    if row.goods_reserved:
        of_item, wanted = _goods(remedy)
        promised = STOCK.c.promised
        # A new count since then has begun anew, and knows nothing of what is given back.
        left = case((promised >= wanted, promised - wanted), else_=0)
        connection.execute(update(STOCK).where(of_item).values(promised=left))
    _reserved(connection, remedy, refund_reserved=False, goods_reserved=False)


def take_refund(connection: Connection, entry: Owed) -> bool:
    """Sets the refund aside from what is left of the line's price; False where too little is left."""
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
    return taken == 1 and _reserved(connection, remedy, refund_reserved=True)


def take_goods(connection: Connection, remedy: Remedy) -> bool:
    """Sets the goods aside from stock; False where too few are left, or nobody counted the item.

    Nothing is taken, and nothing refused, for a remedy without goods.
    """
    if not any(action.kind in GOODS for action in remedy.actions):
        return True
    of_item, wanted = _goods(remedy)
    promised = STOCK.c.promised + wanted
    taking = update(STOCK).where(of_item, promised <= STOCK.c.available).values(promised=promised)
    return affected(connection, taking) == 1 and _reserved(connection, remedy, goods_reserved=True)


def _goods(remedy: Remedy) -> tuple[ColumnElement[bool], ColumnElement[int]]:
    """The stock of the remedy's item, and how many of it the remedy sends."""
    kinds = sum(action.kind in GOODS for action in remedy.actions)
    line = select(ORDER_LINES).where(ORDER_LINES.c.order_line_id == remedy.order_line_id).subquery()
    of_item = STOCK.c.item_id == select(line.c.item_id).scalar_subquery()
    return of_item, select(line.c.quantity * kinds).scalar_subquery()


def _reserved(connection: Connection, remedy: Remedy, **values: bool) -> bool:
    this = REMEDIES.c.remedy_id == remedy.remedy_id
    return affected(connection, update(REMEDIES).where(this).values(**values)) == 1


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
