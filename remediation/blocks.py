"""Order lines on which no money moves by itself: somebody else is dealing with them."""

from typing import Final, Literal

from sqlalchemy import Engine, delete, select

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.control_tables import BLOCKS
from remediation.ledger.sql import insert_new
from remediation.ledger.tables import ORDER_LINES

BlockKind = Literal["dispute", "chargeback", "manual_refund", "fraud"]

_OPEN: Final = "open"
_BLOCKED: Final = "blocked"


class BlockError(ValueError):
    """A block that cannot be set or lifted; the text says what to do."""


def block(engine: Engine, order_line_id: str, kind: BlockKind, author: Author, reason: str) -> bool:
    """Stops everything on this order line that has not begun to be sent; False where it is blocked so already.

    Raises:
      BlockError: There is no such order line, or no reason.
    """
    why = _given(reason)
    with writing(engine) as connection:
        known = select(ORDER_LINES.c.order_line_id).where(ORDER_LINES.c.order_line_id == order_line_id)
        if connection.execute(known).first() is None:
            raise BlockError(f"there is no order line {order_line_id} in the ledger: import the orders first")
        row = {"order_line_id": order_line_id, "kind": kind, "reason": why, "since": author.at}
        if not insert_new(connection, BLOCKS, [row]):
            return False
        note(connection, author, [Change("block", f"{order_line_id} {kind}", _OPEN, _BLOCKED, why)])
    return True


def unblock(engine: Engine, order_line_id: str, kind: BlockKind, author: Author, reason: str) -> None:
    """Lets what was stopped go on.

    Raises:
      BlockError: The line is not blocked so, or there is no reason.
    """
    why = _given(reason)
    with writing(engine) as connection:
        this = (BLOCKS.c.order_line_id == order_line_id, BLOCKS.c.kind == kind)
        if connection.execute(delete(BLOCKS).where(*this).returning(BLOCKS.c.kind)).first() is None:
            raise BlockError(f"order line {order_line_id} is not blocked by a {kind}")
        note(connection, author, [Change("block", f"{order_line_id} {kind}", _BLOCKED, _OPEN, why)])


def _given(reason: str) -> str:
    why = " ".join(reason.split())
    if not why:
        raise BlockError("an order line is blocked, or let go, for a reason: name it")
    return why
