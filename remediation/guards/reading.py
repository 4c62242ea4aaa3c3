"""What one guard read of a night: its figure, its limit, and both in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from remediation.guards.history import Usual

GuardName = Literal[
    "payouts",
    "money",
    "single_payout",
    "sessions",
    "order_lines",
    "concentration",
    "records",
    "sources",
    "order_book",
    "clock",
    "policy",
    "detector",
]


@dataclass(frozen=True, slots=True)
class Reading:
    """One guard's figure beside its limit; a night is held where any has tripped.

    `subject` says of what, where a guard looks at several: a currency, a source, a
    dimension. `value` and `limit` are in the unit that `reason` names; `reason` is
    one sentence with both, for a person, whether or not the guard tripped.
    `near_ratio` is how far it is on its way to tripping: 0 not at all, 1 at the
    limit; below 1 it never trips, above 1 it always does. Null where there is no
    way to measure, as where a guard knows only yes and no.
    """

    guard: GuardName
    subject: str
    value: float
    limit: float
    tripped: bool
    reason: str
    near_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a guard saw, and what a person is to think of it if that is out of the ordinary."""

    fact: str
    advice: str


def read(  # noqa: PLR0913 a field each
    guard: GuardName,
    subject: str,
    value: float,
    limit: float,
    said: Said,
    *,
    tripped: bool,
    near_ratio: float | None = None,
) -> Reading:
    """A reading; the advice is given only where it tripped."""
    fact = said.fact[:1].upper() + said.fact[1:]
    reason = f"{fact}: {said.advice}." if tripped else f"{fact}."
    return Reading(guard, subject, value, limit, tripped, reason, near_ratio)


def near(value: float, limit: float, usual: float = 0) -> float | None:
    """How much of the way from `usual` to `limit` a figure has gone, 0 where it lies on the other side.

    Null where the usual itself is the limit, or a figure that cannot be negative is.
    """
    if limit == usual or value < 0:
        return None
    return max(0.0, (value - usual) / (limit - usual))


def against(usual: Usual | None, limit: float, shown: Callable[[float], str]) -> str:
    """The limit and where it comes from, in words; `shown` spells a figure."""
    if usual is None:
        return f"too few released nights say what is usual, and the limit is {shown(limit)}"
    known = f"the median of {usual.nights} released nights is {shown(usual.value)}"
    return f"{known}, and the limit is {shown(limit)}"
