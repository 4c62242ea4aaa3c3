"""The states of what is sent. They only move forward, so that nothing is ever sent a second time."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a refund or a mail stands.

    `UNKNOWN` is a refund of which nobody here can say whether it was made: the
    gateway is asked before anything else happens. `MANUAL` waits for a person.
    `HELD`, `REJECTED` and `CANCELLED` exist only before sending.
    """

    PROPOSED = "proposed"
    HELD = "held"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    SETTLED = "settled"
    UNKNOWN = "unknown"
    FAILED = "failed"
    MANUAL = "manual"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


FORWARD: Final[Mapping[State, frozenset[State]]] = {
    State.PROPOSED: frozenset({State.APPROVED, State.HELD, State.REJECTED, State.CANCELLED}),
    State.HELD: frozenset({State.APPROVED, State.REJECTED, State.CANCELLED}),
    State.APPROVED: frozenset({State.SENDING, State.HELD, State.CANCELLED}),
    State.SENDING: frozenset({State.SENT, State.UNKNOWN, State.FAILED, State.MANUAL}),
    State.UNKNOWN: frozenset({State.SENT, State.FAILED, State.MANUAL}),
    State.SENT: frozenset({State.SETTLED, State.FAILED}),
    State.SETTLED: frozenset({State.FAILED}),  # providers let a succeeded refund fail days later
    State.FAILED: frozenset({State.MANUAL}),
    State.MANUAL: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""The states that may follow each state; no path leads back to one that was left, but for a hold before sending."""
