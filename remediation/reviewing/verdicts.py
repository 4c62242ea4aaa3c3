"""A person's word on a single remedy: carried out after all, or not at all."""

from dataclasses import replace
from typing import Final, Literal

from sqlalchemy import Connection, Engine, Row, insert, select, update

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.book import remedy_of
from remediation.ledger.control_tables import REVIEWS
from remediation.ledger.journal import debt_of, outbox_rows
from remediation.ledger.owed import Owed, give_back, take_goods, take_refund
from remediation.ledger.policies import policy_of
from remediation.ledger.postings import EXPENSE, Transfer, owed_account, post
from remediation.ledger.resolution import REFUND_ACTIONS
from remediation.ledger.tables import MAILS, ORDER_LINES, OUTBOX, POSTINGS, REMEDIES
from remediation.mail import Mail
from remediation.money import Money
from remediation.outbox.states import State
from remediation.policy.limits import in_words
from remediation.remedy import GOODS, Remedy

Verdict = Literal["endorsed", "approved", "rejected"]

UNSENT: Final = frozenset({State.APPROVED, State.MANUAL, State.HELD})
"""What has not begun to be sent can still be called off."""


class ReviewError(ValueError):
    """A verdict that cannot be given; the text says what to do."""


def approve(engine: Engine, remedy_id: str, author: Author, reason: str) -> Verdict:
    """Lets a held remedy be carried out: `approved`, or `endorsed` where a second person has to agree as well.

    Above the policy's sum, and for a currency to which it sets none, the first
    approval only proposes; another person's makes it so. Money stays within what
    was paid and goods within stock: that, nobody can approve away. The remedy is sent
    once its run is released.

    Raises:
      ReviewError: It is not held, the same person has proposed it, no reason is
        given, or too little of the price or the stock is left.
    """
    why = given(reason)
    with writing(engine) as connection:
        row = _remedy_row(connection, remedy_id)
        if row.state != "held":
            raise ReviewError(f"remedy {remedy_id} is {row.state}, and only what is held can be approved")
        if _needs_another(connection, row, author):
            write_verdict(connection, "remedy", remedy_id, "endorsed", author, why)
            return "endorsed"
        write_verdict(connection, "remedy", remedy_id, "approved", author, why)
        entry = _reserved(connection, row)
        this = (REMEDIES.c.remedy_id == remedy_id, REMEDIES.c.state == "held")
        connection.execute(update(REMEDIES).where(*this).values(state="approved"))
        rows = [{**each, "not_before": author.at} for each in outbox_rows(connection, [entry])]
        births = [
            Change("outbox", str(each["outbox_id"]), None, str(each["state"]), f"{each['kind']}") for each in rows
        ]
        note(connection, author, [Change("remedy", remedy_id, "held", "approved", why), *births])
        if rows:
            connection.execute(insert(OUTBOX), rows)
        debt = debt_of(entry, author.at)
        post(connection, [debt] if debt else [])
    return "approved"


def reject(engine: Engine, remedy_id: str, author: Author, reason: str) -> None:
    """Ends a remedy that is not to be carried out, held or approved, as long as nothing of it has begun to be sent.

    What was set aside for it is free again. Another failure on the same order line
    will wait for a person.

    Raises:
      ReviewError: Something of it was sent, it has ended already, or no reason is given.
    """
    why = given(reason)
    with writing(engine) as connection:
        row = _remedy_row(connection, remedy_id)
        write_verdict(connection, "remedy", remedy_id, "rejected", author, why)
        call_off(connection, row, "rejected", author, why)


def call_off(
    connection: Connection,
    row: Row[tuple[object, ...]],
    state: Literal["rejected", "withdrawn"],
    author: Author,
    why: str,
) -> None:
    """Ends the remedy of a row of `tables.REMEDIES`, with its items, its debt and what was set aside for it.

    Raises:
      ReviewError: Something of it was sent, or it has ended already.
    """
    if row.state not in {"held", "approved"}:
        raise ReviewError(f"remedy {row.remedy_id} is {row.state} already")
    items = connection.execute(select(OUTBOX).where(OUTBOX.c.remedy_id == row.remedy_id)).all()
    begun = next((item for item in items if item.state not in UNSENT), None)
    if begun:
        raise ReviewError(
            f"the {begun.kind} of remedy {row.remedy_id} is {begun.state}: it cannot be called off any more"
        )
    of_remedy = OUTBOX.c.remedy_id == row.remedy_id
    connection.execute(update(OUTBOX).where(of_remedy).values(state=State.CANCELLED, retry_at=None))
    remedy = remedy_of(row, ())
    give_back(connection, remedy, _refund(remedy))
    connection.execute(update(REMEDIES).where(REMEDIES.c.remedy_id == row.remedy_id).values(state=state))
    _reverse_debt(connection, remedy, author.at)
    cancelled = [Change("outbox", item.outbox_id, item.state, "cancelled", f"its remedy is {state}") for item in items]
    note(connection, author, [Change("remedy", row.remedy_id, row.state, state, why), *cancelled])


def write_verdict(  # noqa: PLR0913, PLR0917 - on what, which, by whom and why
    connection: Connection, subject_type: str, subject_id: str, verdict: Verdict, author: Author, why: str
) -> None:
    """Writes a verdict down beside those that were given before on the same subject."""
    number = len(verdicts(connection, subject_type, subject_id)) + 1
    row = {"subject_type": subject_type, "subject_id": subject_id, "number": number, "verdict": verdict}
    connection.execute(insert(REVIEWS).values(**row, actor=author.actor, reason=why, given_at=author.at))


def verdicts(connection: Connection, subject_type: str, subject_id: str) -> list[Row[tuple[object, ...]]]:
    """The verdicts on a subject, in the order in which they were given."""
    on_it = (REVIEWS.c.subject_type == subject_type, REVIEWS.c.subject_id == subject_id)
    return list(connection.execute(select(REVIEWS).where(*on_it).order_by(REVIEWS.c.number)))


def given(reason: str) -> str:
    """The reason in one line.

    Raises:
      ReviewError: There is none.
    """
    why = " ".join(reason.split())
    if not why:
        raise ReviewError("a verdict is given for a reason: name it")
    return why


def _remedy_row(connection: Connection, remedy_id: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(REMEDIES).where(REMEDIES.c.remedy_id == remedy_id)).first()
    if row is None:
        raise ReviewError(f"there is no remedy {remedy_id}: see makegood review list")
    return row


def _needs_another(connection: Connection, row: Row[tuple[object, ...]], author: Author) -> bool:
    """Whether this approval is the first of two that the sum demands."""
    worth = _worth(connection, row)
    figures = policy_of(connection, row.policy_sha256).currencies.get(row.currency)
    if figures is not None and worth.minor <= figures.second_person_above:
        return False
    endorsed_by = {each.actor for each in verdicts(connection, "remedy", row.remedy_id) if each.verdict == "endorsed"}
    if not endorsed_by:
        return True
    if endorsed_by <= {author.actor}:
        raise ReviewError(
            f"{in_words(worth)} need a second person, and {author.actor} was the first: ask somebody else"
        )
    return False


def _worth(connection: Connection, row: Row[tuple[object, ...]]) -> Money:
    """What a remedy costs: its money, and the price of what is sent."""
    worth = row.amount
    if any(action["kind"] in GOODS for action in row.actions):
        price = select(ORDER_LINES.c.amount_minor).where(ORDER_LINES.c.order_line_id == row.order_line_id)
        worth += connection.scalars(price).one()
    return Money(worth, row.currency)


def _reserved(connection: Connection, row: Row[tuple[object, ...]]) -> Owed:
    """The remedy as approved, with its part of the price and of the stock set aside."""
    held = remedy_of(row, ())
    remedy = replace(held, state="approved")
    entry = Owed(remedy, _refund(remedy), _mail(connection, row.remedy_id), 0)
    if not row.refund_reserved and not take_refund(connection, entry):
        raise ReviewError(f"remedy {row.remedy_id} does not fit what was paid for its order line: reject it")
    if not row.goods_reserved and not take_goods(connection, remedy):
        raise ReviewError(f"too few of the item of remedy {row.remedy_id} are in stock: import the stock, then approve")
    return entry


def _refund(remedy: Remedy) -> Money:
    back = sum(action.amount_minor or 0 for action in remedy.actions if action.kind in REFUND_ACTIONS)
    return Money(back, remedy.currency)


def _mail(connection: Connection, remedy_id: str) -> Mail | None:
    row = connection.execute(select(MAILS).where(MAILS.c.remedy_id == remedy_id)).first()
    return Mail(**row._asdict()) if row else None


def _reverse_debt(connection: Connection, remedy: Remedy, at: int) -> None:
    """What was posted as owed is so no more."""
    account = owed_account(remedy.order_line_id)
    posted = select(POSTINGS.c.amount_minor).where(
        POSTINGS.c.remedy_id == remedy.remedy_id, POSTINGS.c.account == account
    )
    balance = sum(connection.scalars(posted))
    if balance < 0:
        amount = Money(-balance, remedy.currency)
        post(connection, [Transfer(remedy.remedy_id, "called off", account, EXPENSE, amount, at)])
