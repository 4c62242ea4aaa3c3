"""The states of what is sent. They only move forward, so that nothing is ever sent a second time."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a refund, an order of goods or a mail stands.

    `SENDING` is an attempt under way, or one that certainly had no effect and will
    be made again. `UNKNOWN` is one of which nobody here can say whether it had: the
    other side is asked before anything else happens. `FAILED` and `MANUAL` wait for a
    person, who ends them as `SETTLED` (done by hand) or `CANCELLED`. `HELD` and
    `REJECTED` exist only before sending.
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
    State.FAILED: frozenset({State.MANUAL, State.SETTLED, State.CANCELLED}),
    State.MANUAL: frozenset({State.SETTLED, State.CANCELLED}),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""The states that may follow each state; no path leads back to one that was left, but for a hold before sending."""

FINAL: Final = frozenset({State.SENT, State.SETTLED, State.REJECTED, State.CANCELLED})
"""Nothing more is to be done. `SENT` is one of them: the other side has taken it on."""

WITH_A_PERSON: Final = frozenset({State.FAILED, State.MANUAL, State.HELD})
