"""Taking items from the outbox and moving them forward; every change names the state that it leaves."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, func, not_, select, update

from remediation.database import writing
from remediation.ledger.tables import OUTBOX
from remediation.outbox.states import FORWARD, State

_TOLD = ("refund", "credit", "replacement", "exchange")
"""What a mail says has been done."""
_DONE = (State.SENT, State.SETTLED)


class StateChangedError(RuntimeError):
    """An item was no longer in the state that this process had put it in: another one works on it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the outbox as it was read or claimed; `claimed_at` is when its first attempt began."""

    outbox_id: str
    remedy_id: str
    state: State
    amount_minor: int | None
    currency: str | None
    claimed_at: int | None


def claim(engine: Engine, kind: str, now_ms: int) -> Item | None:
    """Moves the next due item of this kind from `approved` to `sending`, for this caller alone.

    Due is what `not_before` allows by `now_ms`; a mail also waits until the money
    and the goods of its remedy are out. None when nothing is due.
    """
    due = select(OUTBOX.c.outbox_id).where(_is_due(kind, now_ms)).order_by(OUTBOX.c.not_before, OUTBOX.c.outbox_id)
    # PostgreSQL passes over rows that another process is just claiming; SQLite has one writer at a time.
    next_due = due.limit(1).with_for_update(skip_locked=True).scalar_subquery()
    statement = (
        update(OUTBOX)
        .where(OUTBOX.c.outbox_id == next_due, OUTBOX.c.state == State.APPROVED)
        .values(
            state=State.SENDING,
            attempts=OUTBOX.c.attempts + 1,
            claimed_at=func.coalesce(OUTBOX.c.claimed_at, now_ms),
        )
        .returning(OUTBOX)
    )
    with writing(engine) as connection:
        row = connection.execute(statement).first()
    return _item(row) if row else None


def in_states(engine: Engine, kind: str, *states: State) -> list[Item]:
    """All items of this kind in these states, in a fixed order."""
    query = select(OUTBOX).where(OUTBOX.c.kind == kind, OUTBOX.c.state.in_(states)).order_by(OUTBOX.c.outbox_id)
    with engine.connect() as connection:
        return [_item(row) for row in connection.execute(query)]


def waiting(engine: Engine, kind: str) -> int:
    """How many items of this kind are approved and not yet claimed."""
    query = select(func.count()).where(OUTBOX.c.kind == kind, OUTBOX.c.state == State.APPROVED)
    with engine.connect() as connection:
        return connection.scalars(query).one()


def advance(connection: Connection, item: Item, state: State, **values: str | int) -> Item:
    """The item in its next state, provided that it still is in the one that `item` names.

    Raises:
      ValueError: No path leads from the one state to the other.
      StateChangedError: It has left that state meanwhile; nothing was changed.
    """
    if state not in FORWARD[item.state]:
        raise ValueError(
            f"outbox item {item.outbox_id} cannot go from {item.state} to {state}: states only move forward"
        )
    changed = connection.execute(
        update(OUTBOX)
        .where(OUTBOX.c.outbox_id == item.outbox_id, OUTBOX.c.state == item.state)
        .values(state=state, **values)
        .returning(OUTBOX)
    ).first()
    if changed is None:
        raise StateChangedError(f"outbox item {item.outbox_id} is no longer {item.state}: another process changed it")
    return _item(changed)


def _is_due(kind: str, now_ms: int) -> ColumnElement[bool]:
    due = and_(OUTBOX.c.kind == kind, OUTBOX.c.state == State.APPROVED, OUTBOX.c.not_before <= now_ms)
    if kind != "mail":
        return due
    deed = OUTBOX.alias("deed")
    undone = select(deed.c.outbox_id).where(
        deed.c.remedy_id == OUTBOX.c.remedy_id,
        deed.c.kind.in_(_TOLD),
        deed.c.state.not_in(_DONE),
    )
    return and_(due, not_(undone.exists()))


def _item(row: Row[tuple[object, ...]]) -> Item:
    return Item(row.outbox_id, row.remedy_id, State(row.state), row.amount_minor, row.currency, row.claimed_at)
