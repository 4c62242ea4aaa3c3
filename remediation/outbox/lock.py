"""One sender at a time on a ledger.

A second one would find the first one's mail half sent and could not tell it from
the trace of a crash.
"""

from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import Engine

from remediation.locks import BusyError, IsHeld, Right, held


class SenderBusyError(BusyError):
    """Another process is sending from this ledger."""


SENDER: Final = Right(
    "sender",
    0x73656E64,
    "another process is sending from this ledger",
    "let it finish, then dispatch again",
    SenderBusyError,
)


def sender_lock(engine: Engine) -> AbstractContextManager[IsHeld]:
    """Holds the right to send for as long as the context lasts; see `locks.held`.

    Raises:
      SenderBusyError: Another process, or another thread, holds it.
    """
    return held(engine, SENDER)
