"""Taking items from the outbox and moving them forward; every change names the state that it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.control import Mode
from remediation.ledger.control_tables import BLOCKS, CONTROL
from remediation.ledger.tables import OUTBOX, REMEDIES, RUNS
from remediation.outbox.states import FORWARD, State

SURVEY: Final = "survey"
"""The kind of item that asks a customer, days after everything else."""
_TOLD: Final = ("refund", "credit", "replacement", "exchange")
"""What a mail says has been done."""
_DONE: Final = (State.SENT, State.SETTLED)
_TRYING: Final = (State.SENDING, State.UNKNOWN)
_NOW: Final = bindparam("now", type_=BigInteger)


class StateChangedError(RuntimeError):
    """An item was no longer in the state that this process had put it in: another one works on it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the outbox as it was read or claimed.

    `claimed_at` is when the first attempt under its key began, in milliseconds since
    the epoch: the age of the key.
    """

    outbox_id: str
    remedy_id: str
    kind: str
    state: State
    amount_minor: int | None
    currency: str | None
    attempts: int
    claimed_at: int | None


def claim(engine: Engine, kind: str, author: Author) -> Item | None:
    """The next item of this kind that is due, for this caller alone: a new one as `sending`, else one to try again.

    New ones must be due by `not_before`, of a released run, not blocked, and served
    in the present mode; all this is decided by the very statement that takes them,
    so that the kill switch works from the next item on. A mail also waits until
    the money and the goods of its remedy are out. None when nothing is due.
    """
    with writing(engine) as connection:
        return _first_attempt(connection, kind, author) or _next_attempt(connection, kind, author)


def recover(engine: Engine, kind: str, author: Author) -> int:
    """What an earlier process left in the middle of an attempt becomes `unknown`, to be asked for now; their number.

    Only for who holds the sender's lock: else the attempt may still be under way.
    """
    broken_off = _broken_off(kind)
    with engine.connect() as connection:
        if connection.execute(broken_off).first() is None:
            return 0
    with writing(engine) as connection:
        items = [item_of(row) for row in connection.execute(broken_off)]
        for item in items:
            reason = "a process ended in the middle of this attempt"
            if item.state is State.SENDING:
                advance(connection, item, State.UNKNOWN, author, reason, retry_at=author.at)
            else:
                put_off(connection, item, author.at, reason)
    return len(items)


def may_be_sent(engine: Engine, item: Item) -> bool:
    """Whether the item may still leave the house: by its run, its block and the mode, and a mail by what it tells."""
    query = select(OUTBOX.c.outbox_id).where(OUTBOX.c.outbox_id == item.outbox_id, _may_leave(item.kind))
    with engine.connect() as connection:
        return connection.execute(query).first() is not None


def waiting(engine: Engine, kind: str) -> int:
    """How many items of this kind are approved and not yet begun."""
    with engine.connect() as connection:
        return connection.execute(_not_begun(kind)).scalar_one()


def advance(
    connection: Connection,
    item: Item,
    state: State,
    author: Author,
    reason: str,
    **values: str | int | None,
) -> Item:
    """The item in its next state, provided that it still is in the one that `item` names; it is written in the log.

    Raises:
      ValueError: No path leads from the one state to the other.
      StateChangedError: It has left that state meanwhile; nothing was changed.
    """
    if state not in FORWARD[item.state]:
        raise ValueError(
            f"outbox item {item.outbox_id} cannot go from {item.state} to {state}: states only move forward"
        )
    changed = _change(connection, item, {"state": state, "retry_at": None, **values})
    note(connection, author, [Change("outbox", item.outbox_id, str(item.state), str(state), reason)])
    return changed


def put_off(connection: Connection, item: Item, retry_at: int, problem: str) -> Item:
    """The item in the state in which it is, to be tried again at `retry_at` (milliseconds since the epoch).

    Raises:
      StateChangedError: It has left that state meanwhile; nothing was changed.
    """
    return _change(connection, item, {"retry_at": retry_at, "problem": problem})


def renew(connection: Connection, item: Item, at: int) -> Item:
    """The item with a key as of `at`, since nobody has ever used the old one (milliseconds since the epoch).

    Raises:
      StateChangedError: It has left its state meanwhile; nothing was changed.
    """
    return _change(connection, item, {"claimed_at": at})


def cancel(connection: Connection, item: Item, author: Author, reason: str) -> None:
    """Ends an item that has not left; one that was put off fails first, since states only move forward.

    Raises:
      StateChangedError: It has left that state meanwhile; nothing was changed.
    """
    if item.state is State.SENDING:
        item = advance(connection, item, State.FAILED, author, reason)
    advance(connection, item, State.CANCELLED, author, reason)


def _change(connection: Connection, item: Item, values: Mapping[str, object]) -> Item:
    changed = connection.execute(
        update(OUTBOX)
        .where(OUTBOX.c.outbox_id == item.outbox_id, OUTBOX.c.state == item.state)
        .values(values)
        .returning(OUTBOX)
    ).first()
    if changed is None:
        raise StateChangedError(f"outbox item {item.outbox_id} is no longer {item.state}: another process changed it")
    return item_of(changed)


def _first_attempt(connection: Connection, kind: str, author: Author) -> Item | None:
    row = connection.execute(_beginning(kind), {_NOW.key: author.at}).first()
    if row is None:
        return None
    note(connection, author, [Change("outbox", row.outbox_id, "approved", "sending", "its hour has come")])
    return item_of(row)


def _next_attempt(connection: Connection, kind: str, author: Author) -> Item | None:
    row = connection.execute(_trying_again(kind), {_NOW.key: author.at}).first()
    return item_of(row) if row else None


@cache  # put together once a kind: that takes longer than all the rest of taking an item
def _beginning(kind: str) -> Executable:
    """Takes the item whose hour came first."""
    due = and_(
        OUTBOX.c.kind == kind,
        OUTBOX.c.state == State.APPROVED,
        OUTBOX.c.not_before <= _NOW,
        _may_leave(kind),
    )
    order = (OUTBOX.c.not_before, OUTBOX.c.outbox_id)
    first = select(OUTBOX.c.outbox_id).where(due).order_by(*order).limit(1).scalar_subquery()
    return (
        update(OUTBOX)
        .where(OUTBOX.c.outbox_id == first, OUTBOX.c.state == State.APPROVED)
        .values(state=State.SENDING, attempts=1, claimed_at=_NOW, retry_at=None)
        .returning(OUTBOX)
    )


@cache
def _broken_off(kind: str) -> Select[Any]:
    """What is in the middle of an attempt."""
    trying = and_(OUTBOX.c.kind == kind, OUTBOX.c.state.in_(_TRYING), OUTBOX.c.retry_at.is_(None))
    return select(OUTBOX).where(trying).order_by(OUTBOX.c.outbox_id)


@cache
def _not_begun(kind: str) -> Select[int]:
    return select(func.count()).where(OUTBOX.c.kind == kind, OUTBOX.c.state == State.APPROVED)


@cache
def _trying_again(kind: str) -> Executable:
    """Takes the item that has waited longest.

    Something that certainly was not done is sent again only while it may be sent;
    asking what became of the unknown is always allowed.
    """
    due = and_(OUTBOX.c.kind == kind, OUTBOX.c.state.in_(_TRYING), OUTBOX.c.retry_at <= _NOW)
    allowed = or_(OUTBOX.c.state == State.UNKNOWN, _may_leave(kind))
    order = (OUTBOX.c.retry_at, OUTBOX.c.outbox_id)
    first = select(OUTBOX.c.outbox_id).where(due, allowed).order_by(*order).limit(1).scalar_subquery()
    return (
        update(OUTBOX)
        .where(OUTBOX.c.outbox_id == first, OUTBOX.c.retry_at <= _NOW)
        .values(attempts=OUTBOX.c.attempts + 1, retry_at=None)
        .returning(OUTBOX)
    )


def _may_leave(kind: str) -> ColumnElement[bool]:
    """Whether an item may leave the house now. A refund may fail while its mail waits, which then would not be true."""
    if kind == "mail":
        return and_(_is_open(), _deeds_are_done())
    return and_(_is_open(), all_is_final(OUTBOX.c.remedy_id)) if kind == SURVEY else _is_open()


def is_put_off() -> ColumnElement[bool]:
    """Whether an item was tried, did certainly not go out, and waits to be tried again."""
    return and_(OUTBOX.c.state == State.SENDING, OUTBOX.c.retry_at.is_not(None))


def all_is_final(remedy_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether all that a remedy sends has been done for good, so that its customer may be asked about it."""
    item = OUTBOX.alias("item")
    is_final = or_(item.c.state == State.SETTLED, and_(item.c.state == State.SENT, item.c.kind != "refund"))
    return not_(
        select(item.c.outbox_id).where(item.c.remedy_id == remedy_id, item.c.kind != SURVEY, not_(is_final)).exists()
    )


def _is_open() -> ColumnElement[bool]:
    """Whether the item's run is released, its order line is not blocked, and the mode serves its customer."""
    mode = CONTROL.c.mode
    served = or_(mode == Mode.NORMAL, and_(mode == Mode.CANARY, OUTBOX.c.canary_percentile < CONTROL.c.canary_percent))
    released = (
        select(REMEDIES.c.remedy_id)
        .join(RUNS, RUNS.c.run_id == REMEDIES.c.run_id)
        .where(REMEDIES.c.remedy_id == OUTBOX.c.remedy_id, RUNS.c.state == "released")
    )
    blocked = (
        select(BLOCKS.c.kind)
        .join(REMEDIES, REMEDIES.c.order_line_id == BLOCKS.c.order_line_id)
        .where(REMEDIES.c.remedy_id == OUTBOX.c.remedy_id)
    )
    return and_(exists(select(CONTROL.c.mode).where(served)), released.exists(), not_(blocked.exists()))


def _deeds_are_done() -> ColumnElement[bool]:
    deed = OUTBOX.alias("deed")
    undone = select(deed.c.outbox_id).where(
        deed.c.remedy_id == OUTBOX.c.remedy_id, deed.c.kind.in_(_TOLD), deed.c.state.not_in(_DONE)
    )
    return not_(undone.exists())


def item_of(row: Row[tuple[object, ...]]) -> Item:
    """The item of a row of `tables.OUTBOX`."""
    return Item(
        row.outbox_id,
        row.remedy_id,
        row.kind,
        State(row.state),
        row.amount_minor,
        row.currency,
        row.attempts,
        row.claimed_at,
    )
