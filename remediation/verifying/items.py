"""What lies in the outbox, held against the remedies: each approved one leads to exactly its items, no other to any."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Subquery, and_, case, func, literal, null, or_, select, union_all

from remediation.ledger.resolution import REFUND_ACTIONS
from remediation.ledger.tables import MAILS, ORDER_LINES, OUTBOX, REMEDIES
from remediation.outbox.claims import SURVEY
from remediation.outbox.states import State
from remediation.verifying.actions import actions, refunds
from remediation.verifying.breach import Breach


def are_there(connection: Connection, _now: int) -> Iterator[Breach]:
    """Approved remedies of which a part is not in the outbox, so that it would never be sent."""
    due = _due(connection)
    query = (
        select(due.c.remedy_id, due.c.kind)
        .select_from(due.outerjoin(OUTBOX, _same(due)))
        .where(OUTBOX.c.outbox_id.is_(None))
    )
    for row in connection.execute(query):
        yield Breach("remedies", row.remedy_id, f"it is approved, and its {row.kind} is not in the outbox")


def belong(connection: Connection, _now: int) -> Iterator[Breach]:
    """Items to which no approved remedy leads; those of a remedy that was called off are cancelled."""
    due = _due(connection)
    called_off = REMEDIES.c.state != "approved"
    query = (
        select(OUTBOX.c.outbox_id, OUTBOX.c.kind, OUTBOX.c.state, REMEDIES.c.state.label("remedy_state"))
        .select_from(OUTBOX.join(REMEDIES).outerjoin(due, _same(due)))
        .where(
            due.c.remedy_id.is_(None),
            OUTBOX.c.kind != SURVEY,  # no remedy leads to it: `loyalty` looks at these
            ~and_(called_off, OUTBOX.c.state == State.CANCELLED),
        )
    )
    for row in connection.execute(query):
        told = f"its remedy is {row.remedy_state} and does not lead to it"
        yield Breach("outbox", row.outbox_id, f"this {row.kind} is {row.state}, and {told}")


def amounts(connection: Connection, _now: int) -> Iterator[Breach]:
    """Items of another amount or currency than their remedy's."""
    due = _due(connection)
    other = or_(
        OUTBOX.c.amount_minor.is_distinct_from(due.c.amount_minor), OUTBOX.c.currency.is_distinct_from(due.c.currency)
    )
    query = select(
        OUTBOX.c.outbox_id,
        OUTBOX.c.kind,
        OUTBOX.c.amount_minor,
        OUTBOX.c.currency,
        due.c.amount_minor.label("due_minor"),
        due.c.currency.label("due_currency"),
    ).select_from(OUTBOX.join(due, _same(due)))
    for row in connection.execute(query.where(other)):
        written, due_amount = f"{row.amount_minor} {row.currency}", f"{row.due_minor} {row.due_currency}"
        yield Breach("outbox", row.outbox_id, f"this {row.kind} is of {written}, and its remedy's of {due_amount}")


def sums(connection: Connection, _now: int) -> Iterator[Breach]:
    """Remedies whose money actions do not sum to their amount, or are no whole numbers."""
    of_remedy = actions(connection)
    moves_money = of_remedy.c.kind.in_((*REFUND_ACTIONS, "credit"))
    total = func.coalesce(func.sum(case((moves_money, of_remedy.c.amount_minor), else_=0)), 0)
    unread = func.count(case((and_(moves_money, of_remedy.c.amount_minor.is_(None)), 1)))
    query = (
        select(REMEDIES.c.remedy_id, REMEDIES.c.amount, total.label("total"), unread.label("unread"))
        .select_from(REMEDIES.outerjoin(of_remedy, of_remedy.c.remedy_id == REMEDIES.c.remedy_id))
        .group_by(REMEDIES.c.remedy_id, REMEDIES.c.amount)
        .having(or_(total != REMEDIES.c.amount, unread > 0))
    )
    for row in connection.execute(query):
        told = "an action's is no whole number" if row.unread else f"its actions come to {row.total}"
        yield Breach("remedies", row.remedy_id, f"its amount is {row.amount}, and {told}")


def owners(connection: Connection, _now: int) -> Iterator[Breach]:
    """Approved remedies in another currency, or for another customer, than their order line's."""
    line = ORDER_LINES.c
    query = (
        select(REMEDIES.c.remedy_id, REMEDIES.c.order_line_id, REMEDIES.c.currency, line.currency.label("paid_in"))
        .join(ORDER_LINES, line.order_line_id == REMEDIES.c.order_line_id)
        .where(
            REMEDIES.c.state == "approved",
            or_(line.currency != REMEDIES.c.currency, line.customer_id != REMEDIES.c.customer_id),
        )
    )
    for row in connection.execute(query):
        told = (
            f"was paid in {row.paid_in}, and the remedy is in {row.currency}"
            if row.paid_in != row.currency
            else "is another customer's"
        )
        yield Breach("remedies", row.remedy_id, f"it is approved, and its order line {row.order_line_id} {told}")


def _due(connection: Connection) -> Subquery:
    """What `outbox.items` makes of the approved remedies: `remedy_id`, `kind`, `amount_minor`, `currency`."""
    refund, action = refunds(connection), actions(connection)
    remedy = REMEDIES.c
    amount = func.nullif(action.c.amount_minor, 0)
    back = select(remedy.remedy_id, literal("refund").label("kind"), refund.c.amount_minor, remedy.currency).join(
        refund, refund.c.remedy_id == remedy.remedy_id
    )
    others = (
        select(remedy.remedy_id, action.c.kind, amount, case((amount.is_not(None), remedy.currency)))
        .join(action, action.c.remedy_id == remedy.remedy_id)
        .where(action.c.kind.not_in(REFUND_ACTIONS))
    )
    mail = select(remedy.remedy_id, literal("mail"), null(), null()).join(MAILS, MAILS.c.remedy_id == remedy.remedy_id)
    return union_all(*(part.where(remedy.state == "approved") for part in (back, others, mail))).subquery("due")


def _same(due: Subquery) -> ColumnElement[bool]:
    return and_(OUTBOX.c.remedy_id == due.c.remedy_id, OUTBOX.c.kind == due.c.kind)
