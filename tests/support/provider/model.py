"""What the fake payment provider is told, what it answers, and what it remembers having done."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

EVENING: Final = 1_795_291_200_000
"""2026-11-21T20:00:00Z: the provider's clock stands here until it is moved."""
HOUR_MS: Final = 3_600_000


class Status(StrEnum):
    """A refund's status in Stripe's words."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class Kind(StrEnum):
    """How a call goes wrong."""

    LOST = "lost"  # the connection breaks
    SLOW = "slow"  # the answer comes when nobody waits for it any more
    CONFLICT = "conflict"  # 409: another call with this key is on its way
    RATE_LIMITED = "rate_limited"  # 429, with Retry-After
    BROKEN = "broken"  # 500, saved under the key as Stripe does
    UNAVAILABLE = "unavailable"  # 503, a page of HTML from a machine in between
    GARBLED = "garbled"  # 200, and JSON that breaks off
    WRONG = "wrong"  # 200, and a refund of another amount


class Moment(StrEnum):
    """Whether the call has had its effect by then."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Fault:
    """One call that goes wrong."""

    kind: Kind
    moment: Moment

    @classmethod
    def parse(cls, text: str) -> Self:
        """The fault that `str` writes, such as `lost after`."""
        kind, moment = text.split()
        return cls(Kind(kind), Moment(moment))

    def __str__(self) -> str:
        return f"{self.kind} {self.moment}"


@dataclass(frozen=True, slots=True)
class Request:
    """A call of the API, out of its envelope: `params` from the query or the form, `secret` from the header."""

    method: str
    path: str
    params: Mapping[str, str]
    key: str | None = None
    secret: str = "sk_test_fake"  # noqa: S105 - any such key is accepted


class Fate(StrEnum):
    """Whether an answer reaches whoever asked."""

    ARRIVES = "arrives"
    LATE = "late"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over the wire, if it does."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    fate: Fate = Fate.ARRIVES


@dataclass(frozen=True, slots=True)
class Effect:
    """A refund that was really made. `created_ms` is by the provider's clock, `amount` in its units."""

    refund_id: str
    remedy_id: str | None
    charge_id: str
    amount: int
    currency: str
    status: Status
    created_ms: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One signed webhook."""

    body: bytes
    signature: str


def per_remedy(effects: Iterable[Effect]) -> Counter[str | None]:
    """How many refunds were made for each remedy."""
    return Counter(effect.remedy_id for effect in effects)
