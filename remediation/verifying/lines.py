"""Order lines: what is set aside for refunds is what the remedies need, and never more than was paid."""

from collections.abc import Iterator

from sqlalchemy import BigInteger, Connection, Select, Subquery, and_, cast, func, or_, select

from remediation.ledger.tables import ORDER_LINES, OUTBOX, REMEDIES
from remediation.outbox.states import State
from remediation.verifying.actions import refunds
from remediation.verifying.breach import Breach
from remediation.verifying.trail import is_older_than_the_log


def within_paid(connection: Connection, _now: int) -> Iterator[Breach]:
    """Order lines of which more is to be refunded than was paid."""
    line = ORDER_LINES.c
    paid = line.amount_minor + line.shipping_minor
    query = select(line.order_line_id, line.owed_minor, paid.label("paid"), line.currency)
    for row in connection.execute(query.where(or_(line.owed_minor > paid, line.owed_minor < 0))):
        told = f"its refunds come to {row.owed_minor} of {row.paid} {row.currency} minor units paid"
        yield Breach("order_lines", row.order_line_id, told)


def set_aside(connection: Connection, _now: int) -> Iterator[Breach]:
    """Order lines whose `owed_minor` is not the sum of what their remedies have set aside.

    A ledger from before the audit log did not say what its held remedies had set
    aside: theirs may be part of the sum, whatever became of them since.
    """
    refund, line = refunds(connection), ORDER_LINES.c
    sure = _by_line(refund).where(REMEDIES.c.refund_reserved).subquery("sure")
    old = _by_line(refund).where(is_older_than_the_log("remedy", REMEDIES.c.remedy_id, "held")).subquery("old")
    least = func.coalesce(sure.c.amount_minor, 0)
    most = least + func.coalesce(old.c.amount_minor, 0)
    query = (
        select(line.order_line_id, line.owed_minor, least.label("least"))
        .outerjoin(sure, sure.c.order_line_id == line.order_line_id)
        .outerjoin(old, old.c.order_line_id == line.order_line_id)
        .where(or_(line.owed_minor < least, line.owed_minor > most))
    )
    for row in connection.execute(query):
        told = f"owed_minor is {row.owed_minor}, and its remedies have {row.least} set aside"
        yield Breach("order_lines", row.order_line_id, told)


def reserves(connection: Connection, _now: int) -> Iterator[Breach]:
    """Refunds that are to be paid and not set aside, and such as are set aside for what was called off."""
    refund = refunds(connection)
    to_pay = and_(
        REMEDIES.c.state == "approved", ~REMEDIES.c.refund_reserved, OUTBOX.c.state.is_distinct_from(State.CANCELLED)
    )
    called_off = and_(REMEDIES.c.state.in_(("rejected", "withdrawn")), REMEDIES.c.refund_reserved)
    query = (
        select(REMEDIES.c.remedy_id, REMEDIES.c.state)
        .join(refund, refund.c.remedy_id == REMEDIES.c.remedy_id)
        .outerjoin(OUTBOX, and_(OUTBOX.c.remedy_id == REMEDIES.c.remedy_id, OUTBOX.c.kind == "refund"))
        .where(or_(to_pay, called_off))
    )
    for row in connection.execute(query):
        told = "is not set aside" if row.state == "approved" else "is still set aside"
        yield Breach("remedies", row.remedy_id, f"it is {row.state}, and its refund {told}")


def _by_line(refund: Subquery) -> Select[tuple[str, int]]:
    total = cast(func.sum(refund.c.amount_minor), BigInteger).label("amount_minor")
    return (
        select(REMEDIES.c.order_line_id, total)
        .join(refund, refund.c.remedy_id == REMEDIES.c.remedy_id)
        .group_by(REMEDIES.c.order_line_id)
    )
