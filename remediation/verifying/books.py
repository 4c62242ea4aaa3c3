"""The books: double entry balances, and says of every refund what the outbox says of it."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Subquery, and_, case, cast, func, or_, select

from remediation.ledger.control_tables import AUDIT, BUDGETS, SPENDINGS
from remediation.ledger.postings import owed_account, provider_account
from remediation.ledger.tables import OUTBOX, POSTINGS, REMEDIES
from remediation.outbox.states import State
from remediation.verifying.breach import Breach

_PAID: Final = (State.SENT, State.SETTLED)
_OVER: Final = (State.CANCELLED, State.REJECTED)


def balanced(connection: Connection, _now: int) -> Iterator[Breach]:
    """Transactions that do not sum to zero in one currency, that of their remedy."""
    posting = POSTINGS.c
    total, currencies = func.sum(posting.amount_minor), func.count(posting.currency.distinct())
    other = func.count(case((posting.currency != REMEDIES.c.currency, 1)))
    query = (
        select(posting.transaction_id, cast(total, BigInteger).label("total"), currencies.label("currencies"))
        .join(REMEDIES, REMEDIES.c.remedy_id == posting.remedy_id)
        .group_by(posting.transaction_id)
        .having(or_(total != 0, currencies != 1, other > 0))
    )
    for row in connection.execute(query):
        told = f"its postings sum to {row.total}" if row.total else "it is in another currency than its remedy"
        yield Breach("postings", row.transaction_id, told)


def accounts(connection: Connection, _now: int) -> Iterator[Breach]:
    """Debts that are posted for another order line than their remedy's."""
    query = (
        select(POSTINGS.c.transaction_id, POSTINGS.c.account, REMEDIES.c.order_line_id)
        .join(REMEDIES, REMEDIES.c.remedy_id == POSTINGS.c.remedy_id)
        .where(_owed(), POSTINGS.c.account != owed_account("") + REMEDIES.c.order_line_id)
    )
    for row in connection.execute(query):
        told = f"it is posted on {row.account}, and its remedy is for order line {row.order_line_id}"
        yield Breach("postings", row.transaction_id, told)


def posted(connection: Connection, _now: int) -> Iterator[Breach]:
    """Refunds of which the books say something else than the outbox.

    What is on its way is owed; what was taken on is owed no more and was paid
    through a provider; what failed is owed again; what was cancelled is neither.
    """
    books = _balances()
    amount = func.coalesce(OUTBOX.c.amount_minor, 0)
    is_paid, is_over = OUTBOX.c.state.in_(_PAID), OUTBOX.c.state.in_(_OVER)
    due_owed = case((or_(OUTBOX.c.state.is_(None), is_paid, is_over), 0), else_=-amount)
    due_paid = case((is_paid, -amount), else_=0)
    owed, paid = func.coalesce(books.c.owed, 0), func.coalesce(books.c.paid, 0)
    query = (
        select(REMEDIES.c.remedy_id, OUTBOX.c.state, amount.label("amount"), owed.label("owed"), paid.label("paid"))
        .outerjoin(OUTBOX, and_(OUTBOX.c.remedy_id == REMEDIES.c.remedy_id, OUTBOX.c.kind == "refund"))
        .outerjoin(books, books.c.remedy_id == REMEDIES.c.remedy_id)
        .where(or_(owed != due_owed, paid != due_paid))
    )
    for row in connection.execute(query):
        refund = f"its refund of {row.amount} is {row.state}" if row.state else "it has no refund in the outbox"
        told = f"the books have {-row.owed} as owed and {-row.paid} as paid"
        yield Breach("remedies", row.remedy_id, f"{refund}, and {told}")


def spent(connection: Connection, _now: int) -> Iterator[Breach]:
    """Budgets whose spent is not the sum of what was taken from them, or exceeds their cap."""
    taken = (
        select(SPENDINGS.c.budget_id, cast(func.sum(SPENDINGS.c.amount), BigInteger).label("amount"))
        .group_by(SPENDINGS.c.budget_id)
        .subquery()
    )
    total = func.coalesce(taken.c.amount, 0)
    query = (
        select(BUDGETS, total.label("total"))
        .outerjoin(taken, taken.c.budget_id == BUDGETS.c.budget_id)
        .where(or_(BUDGETS.c.spent != total, BUDGETS.c.spent > BUDGETS.c.cap))
    )
    for row in connection.execute(query):
        told = f"and {row.total} was taken from it" if row.spent != row.total else f"of a cap of {row.cap}"
        yield Breach("budgets", row.budget_id, f"spent is {row.spent}, {told}")


def counted(connection: Connection, _now: int) -> Iterator[Breach]:
    """Remedies that a run approved by itself and no budget counted."""
    taken = select(SPENDINGS.c.remedy_id).distinct().subquery()
    query = (
        select(AUDIT.c.entity_id)
        .outerjoin(taken, taken.c.remedy_id == AUDIT.c.entity_id)
        .where(
            AUDIT.c.entity == "remedy",
            AUDIT.c.before.is_(None),
            AUDIT.c.after == "approved",
            AUDIT.c.actor.startswith("run "),
            taken.c.remedy_id.is_(None),
        )
    )
    for remedy_id in connection.scalars(query):
        yield Breach("remedies", remedy_id, "a run approved it by itself, and no budget counted it")


def _balances() -> Subquery:
    """What each remedy's postings leave as owed, and on the providers' accounts."""
    amount = POSTINGS.c.amount_minor
    paid = POSTINGS.c.account.startswith(provider_account(""), autoescape=True)
    return (
        select(
            POSTINGS.c.remedy_id,
            cast(func.sum(case((_owed(), amount), else_=0)), BigInteger).label("owed"),
            cast(func.sum(case((paid, amount), else_=0)), BigInteger).label("paid"),
        )
        .group_by(POSTINGS.c.remedy_id)
        .subquery()
    )


def _owed() -> ColumnElement[bool]:
    return POSTINGS.c.account.startswith(owed_account(""), autoescape=True)
