"""What the ledger knows of refunds, by remedy, by payment and by age."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, and_, func, not_, select

from remediation.hearing import OPEN
from remediation.ledger.postings import provider_account
from remediation.ledger.sql import CHUNK_KEYS, chunks
from remediation.ledger.tables import ORDER_LINES, OUTBOX, POSTINGS, REMEDIES
from remediation.money import Money
from remediation.outbox.states import State
from remediation.reviewing.by_hand import BY_HAND

_REMEDY_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WITHOUT_ITEM: Final = {
    "proposed": State.PROPOSED,
    "held": State.HELD,
    "rejected": State.REJECTED,
    "withdrawn": State.CANCELLED,
}
"""Where a remedy's refund stands that was never put into the outbox."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One remedy's refund as the ledger knows it.

    `state` is null where the remedy owes no refund at all; `outbox_id` and `amount`
    are null where none was put into the outbox.
    """

    remedy_id: str
    order_line_id: str
    state: State | None
    outbox_id: str | None = None
    amount: Money | None = None
    reference: str | None = None
    is_by_hand: bool = False

    @property
    def is_unsent(self) -> bool:
        """Whether nothing of it has begun to be sent."""
        return self.state in {State.PROPOSED, State.HELD, State.APPROVED}

    @property
    def waits(self) -> bool:
        """Whether a person has to bring it to its end."""
        return self.state in {State.FAILED, State.MANUAL}

    @property
    def in_words(self) -> str:
        """The state, for a sentence about the remedy."""
        return str(self.state) if self.state else "without a refund"


@dataclass(frozen=True, slots=True)
class Line:
    """An order line that was paid by a payment, with the refunds of its remedies."""

    order_line_id: str
    entries: tuple[Entry, ...]


def is_remedy_id(text: str) -> bool:
    """Whether a remedy of ours could have this id: what stands in a provider's list, anybody may have written."""
    return _REMEDY_ID.fullmatch(text) is not None


def entries_of(connection: Connection, remedy_ids: Collection[str]) -> Mapping[str, Entry]:
    """The refunds of these remedies, by remedy; those that the ledger does not know are left out."""
    return {
        row.remedy_id: _entry(row)
        for chunk in chunks(remedy_ids)
        for row in connection.execute(_of_remedies().where(REMEDIES.c.remedy_id.in_(chunk)))
    }


def lines_of(connection: Connection, payment_ids: Collection[str]) -> Mapping[str, tuple[Line, ...]]:
    """The order lines of these payments, by payment; payments that the ledger does not know are left out."""
    payment_of: dict[str, str] = {}
    for chunk in chunks(payment_ids):
        paid = select(ORDER_LINES.c.order_line_id, ORDER_LINES.c.payment_id).where(ORDER_LINES.c.payment_id.in_(chunk))
        payment_of |= {row.order_line_id: row.payment_id for row in connection.execute(paid)}
    entries: dict[str, list[Entry]] = {line: [] for line in payment_of}
    for chunk in chunks(payment_of):
        for row in connection.execute(_of_remedies().where(REMEDIES.c.order_line_id.in_(chunk))):
            entries[row.order_line_id].append(_entry(row))
    lines: dict[str, list[Line]] = {}
    for line_id in sorted(payment_of):
        lines.setdefault(payment_of[line_id], []).append(Line(line_id, tuple(entries[line_id])))
    return {payment_id: tuple(each) for payment_id, each in lines.items()}


def open_on(connection: Connection, payment_ids: Collection[str]) -> list[Entry]:
    """The refunds on these payments of which nobody knows yet how they ended."""
    awaited = OUTBOX.c.state.in_((*OPEN, State.SENT))
    query = _items().join(ORDER_LINES).where(awaited, ORDER_LINES.c.payment_id.in_(payment_ids))
    return [_entry(row) for row in connection.execute(query.order_by(OUTBOX.c.outbox_id))]


def oldest_open(connection: Connection) -> int | None:
    """When the oldest refund was begun that has not ended yet (milliseconds since the epoch)."""
    awaited = (OUTBOX.c.kind == "refund", OUTBOX.c.state.in_((*OPEN, State.SENT)))
    oldest: int | None = connection.scalars(select(func.min(OUTBOX.c.claimed_at)).where(*awaited)).one()
    return oldest


def sent_since(engine: Engine, gateway: str, since_ms: int) -> Iterator[list[Entry]]:
    """The refunds that went out through this provider and were begun at this moment or later, in portions.

    Not asked for by state: SQLite would go through all of a state anew for each portion.
    """
    through = and_(_paid_through(provider_account(gateway)), not_(_paid_through(provider_account(BY_HAND))))
    begun = _items().where(OUTBOX.c.claimed_at >= since_ms, through).order_by(OUTBOX.c.outbox_id).limit(CHUNK_KEYS)
    last = ""
    while True:
        with engine.connect() as connection:
            portion = [_entry(row) for row in connection.execute(begun.where(OUTBOX.c.outbox_id > last))]
        if not portion:
            return
        yield portion
        last = str(portion[-1].outbox_id)


def _of_remedies() -> Select[tuple[object, ...]]:
    refund = and_(OUTBOX.c.remedy_id == REMEDIES.c.remedy_id, OUTBOX.c.kind == "refund")
    return _columns().select_from(REMEDIES.outerjoin(OUTBOX, refund))


def _items() -> Select[tuple[object, ...]]:
    return _columns().select_from(OUTBOX.join(REMEDIES)).where(OUTBOX.c.kind == "refund")


def _columns() -> Select[tuple[object, ...]]:
    return select(
        REMEDIES.c.remedy_id,
        REMEDIES.c.order_line_id,
        REMEDIES.c.state.label("remedy_state"),
        OUTBOX.c.outbox_id,
        OUTBOX.c.state,
        OUTBOX.c.amount_minor,
        OUTBOX.c.currency,
        OUTBOX.c.provider_reference,
        _paid_through(provider_account(BY_HAND)).label("is_by_hand"),
    )


def _paid_through(account: str) -> ColumnElement[bool]:
    """Whether the remedy's money went out through this account."""
    paid = (POSTINGS.c.remedy_id == REMEDIES.c.remedy_id, POSTINGS.c.account == account, POSTINGS.c.amount_minor < 0)
    return select(POSTINGS.c.transaction_id).where(*paid).exists()


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    if row.outbox_id is None:
        return Entry(row.remedy_id, row.order_line_id, _WITHOUT_ITEM.get(row.remedy_state))
    return Entry(
        row.remedy_id,
        row.order_line_id,
        State(row.state),
        row.outbox_id,
        Money(row.amount_minor, row.currency),
        row.provider_reference,
        row.is_by_hand,
    )
