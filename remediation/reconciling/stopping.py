"""Order lines on which money may have gone out already: nothing more is sent on them until a person has looked."""

from enum import StrEnum
from typing import Final

from sqlalchemy import Engine

from remediation.blocks import block
from remediation.ledger.audit import Author, history

_KIND: Final = "manual_refund"


class Stop(StrEnum):
    """Whether a line is stopped because of a refund; `LIFTED` by a person, who knew of that refund."""

    NEW = "new"
    STANDING = "standing"
    LIFTED = "lifted"


def stop(engine: Engine, order_line_id: str, reference: str, author: Author) -> Stop:
    """Blocks an order line because of a refund that was not made from here, once for each such refund.

    A person who has lifted that block is not overruled: only another refund sets it again.
    """
    with engine.connect() as connection:
        said = history(connection, "block", f"{order_line_id} {_KIND}")
    named = next((nth for nth, entry in enumerate(said) if reference in entry.reason.split()), None)
    if named is not None:
        return Stop.LIFTED if any(entry.after != said[named].after for entry in said[named:]) else Stop.STANDING
    is_new = block(engine, order_line_id, _KIND, author, f"refund {reference} of its payment was not made from here")
    return Stop.NEW if is_new else Stop.STANDING
