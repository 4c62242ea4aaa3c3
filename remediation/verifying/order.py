"""What came before what, by the order of the audit log: nothing leaves the house before it may."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import ColumnElement, Connection, Subquery, and_, case, func, or_, select

from remediation.ledger.control import Mode
from remediation.ledger.control_tables import AUDIT
from remediation.ledger.run import RELEASED
from remediation.ledger.tables import OUTBOX, REMEDIES
from remediation.outbox.states import State
from remediation.remedy import GOODS
from remediation.verifying.breach import Breach

_TOLD: Final = ("refund", "credit", *GOODS)
"""What a mail says has been done."""
_DONE: Final = (State.SENT, State.SETTLED)
_BLOCK_KINDS: Final = ("dispute", "chargeback", "manual_refund", "fraud")


def released_first(connection: Connection, _now: int) -> Iterator[Breach]:
    """Items that were begun before their run was released, or without its ever being so."""
    begun = _begun()
    released = (
        select(AUDIT.c.entity_id, func.min(AUDIT.c.number).label("number"))
        .where(AUDIT.c.entity == "run", AUDIT.c.after == RELEASED)
        .group_by(AUDIT.c.entity_id)
        .subquery()
    )
    query = (
        select(begun.c.outbox_id, begun.c.number, REMEDIES.c.run_id)
        .select_from(begun.join(REMEDIES, REMEDIES.c.remedy_id == begun.c.remedy_id))
        .outerjoin(released, released.c.entity_id == REMEDIES.c.run_id)
        .where(or_(released.c.number.is_(None), released.c.number > begun.c.number))
    )
    for row in connection.execute(query):
        told = f"its run {row.run_id} had not been released"
        yield Breach("outbox", row.outbox_id, f"row {row.number} of the audit log began to send it, and {told}")


def mode_obeyed(connection: Connection, _now: int) -> Iterator[Breach]:
    """Items that were begun while the kill switch, or mode shadow, forbade it."""
    is_mode = and_(AUDIT.c.entity == "control", AUDIT.c.entity_id == "mode")
    shut = _spans(is_mode, AUDIT.c.after.in_((Mode.OFF, Mode.SHADOW)))
    begun = _begun()
    query = select(begun.c.outbox_id, begun.c.number, shut.c.after).join(shut, _within(begun, shut))
    for row in connection.execute(query):
        yield Breach(
            "outbox", row.outbox_id, f"row {row.number} of the audit log began to send it, and the mode was {row.after}"
        )


def blocks_obeyed(connection: Connection, _now: int) -> Iterator[Breach]:
    """Items that were begun while their order line was blocked."""
    stopped = _spans(AUDIT.c.entity == "block", AUDIT.c.after == "blocked")
    begun = _begun()
    # The log names a block by its order line and its kind.
    line = case(
        *(
            (
                stopped.c.entity_id.endswith(f" {kind}", autoescape=True),
                func.substr(stopped.c.entity_id, 1, func.length(stopped.c.entity_id) - len(kind) - 1),
            )
            for kind in _BLOCK_KINDS
        )
    )
    query = (
        select(begun.c.outbox_id, begun.c.number, stopped.c.entity_id)
        .select_from(stopped.join(REMEDIES, REMEDIES.c.order_line_id == line))
        .join(begun, and_(begun.c.remedy_id == REMEDIES.c.remedy_id, _within(begun, stopped)))
    )
    for row in connection.execute(query):
        told = f"order line {row.entity_id} was blocked"
        yield Breach("outbox", row.outbox_id, f"row {row.number} of the audit log began to send it, and {told}")


def deeds_before_words(connection: Connection, _now: int) -> Iterator[Breach]:
    """Mails that were begun before what they tell of had been done."""
    begun, deed = _begun(), OUTBOX.alias("deed")
    state_then = (
        select(AUDIT.c.after)
        .where(AUDIT.c.entity == "outbox", AUDIT.c.entity_id == deed.c.outbox_id, AUDIT.c.number < begun.c.number)
        .order_by(AUDIT.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(begun.c.outbox_id, begun.c.number, deed.c.kind)
        .select_from(begun.join(deed, deed.c.remedy_id == begun.c.remedy_id))
        .where(begun.c.kind == "mail", deed.c.kind.in_(_TOLD), func.coalesce(state_then, "").not_in(_DONE))
    )
    for row in connection.execute(query):
        told = f"the {row.kind} of which it tells had not been made"
        yield Breach("outbox", row.outbox_id, f"row {row.number} of the audit log began to send this mail, and {told}")


def _begun() -> Subquery:
    """Each item that was begun, with the row of the log that says so."""
    first = (
        select(AUDIT.c.entity_id, func.min(AUDIT.c.number).label("number"))
        .where(AUDIT.c.entity == "outbox", AUDIT.c.after == State.SENDING)
        .group_by(AUDIT.c.entity_id)
        .subquery()
    )
    return (
        select(OUTBOX.c.outbox_id, OUTBOX.c.remedy_id, OUTBOX.c.kind, first.c.number)
        .join(first, first.c.entity_id == OUTBOX.c.outbox_id)
        .subquery("begun")
    )


def _spans(of_what: ColumnElement[bool], begins: ColumnElement[bool]) -> Subquery:
    """From each row of the log that begins something to the next row on the same, or to the end of the log."""
    until = func.lead(AUDIT.c.number).over(partition_by=AUDIT.c.entity_id, order_by=AUDIT.c.number)
    log = select(AUDIT.c.entity_id, AUDIT.c.number, AUDIT.c.after, until.label("until"), begins.label("begins"))
    rows = log.where(of_what).subquery()
    return select(rows).where(rows.c.begins).subquery("spans")


def _within(begun: Subquery, span: Subquery) -> ColumnElement[bool]:
    is_before_its_end = or_(span.c.until.is_(None), begun.c.number < span.c.until)
    return and_(begun.c.number > span.c.number, is_before_its_end)
