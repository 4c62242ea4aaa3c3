"""What the ledger and the order book know of loyalty: who was made good to, what they answered, what they bought since.

Customer ids are read to count each customer once, and go no further than `measuring`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from remediation.ledger.control_tables import FORGOTTEN
from remediation.ledger.sql import chunks
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import FINDINGS, ORDER_LINES, OUTBOX, REMEDIES, REMEDY_FINDINGS
from remediation.mail import ERASED
from remediation.notices.leading import rank
from remediation.outbox.states import State
from remediation.remedy import Arm

_LABELS: Final = {
    "exchange": "exchange",
    "replacement": "replacement",
    "refund": "refund",
    "shipping_refund": "refund",
    "credit": "goodwill",
    "letter": "letter",
}
"""What a remedy is called after, in the order in which it is said."""
_NO_KIND: Final = "unknown"


@dataclass(frozen=True, slots=True)
class MadeGood:
    """One remedy: of whom, when it was decided (milliseconds since the epoch), what had failed, what was given."""

    remedy_id: str
    customer_id: str
    order_id: str
    as_of: int
    arm: Arm | None
    kind: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One survey that reached its customer; without a score it was not answered."""

    remedy_id: str
    customer_id: str
    asked_at: int
    score: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """All of it. `bought` are (order, moment) of each customer who bought anything, oldest first.

    `orders_until` is the last moment of which the order book knows; null where it
    knows none. The rest are customers and surveys that are not among the others.
    """

    made_good: tuple[MadeGood, ...]
    asked: tuple[Asked, ...]
    bought: Mapping[str, tuple[tuple[str, int], ...]]
    orders_until: int | None
    forgotten_count: int
    taken_back_count: int
    erased_count: int


def read(ledger: Engine, orders: Engine, since: int, as_of: int) -> Known:
    """What was decided from `since` to `as_of` (milliseconds since the epoch); `orders` may be the ledger itself."""
    with ledger.connect() as connection:
        gone = frozenset(connection.scalars(select(FORGOTTEN.c.customer_id)))
        decided = (REMEDIES.c.as_of >= since, REMEDIES.c.as_of <= as_of)
        made_good, taken_back = _made_good(connection, decided, gone)
        asked, erased = _asked(connection, decided, gone)
        forgotten = {row for row in connection.scalars(select(REMEDIES.c.customer_id).where(*decided)) if row in gone}
    with orders.connect() as connection:
        latest = select(func.max(ORDER_LINES.c.purchased_at)).where(ORDER_LINES.c.purchased_at <= as_of)
        until = connection.execute(latest).scalar()
        bought = _bought(connection, {each.customer_id for each in made_good}, since, as_of)
    return Known(made_good, asked, bought, until, len(forgotten), taken_back, erased)


def _made_good(
    connection: Connection, decided: Iterable[Any], gone: Collection[str]
) -> tuple[tuple[MadeGood, ...], int]:
    query = select(REMEDIES, ORDER_LINES.c.order_id).join(ORDER_LINES).where(*decided)
    rows = [row for row in connection.execute(query) if row.customer_id not in gone]
    standing = [row for row in rows if row.state not in {"rejected", "withdrawn"}]
    kinds = _kinds(connection, decided)
    found = (
        MadeGood(
            row.remedy_id,
            row.customer_id,
            row.order_id,
            row.as_of,
            row.arm,
            kinds.get(row.remedy_id, _NO_KIND),
            _label({action["kind"] for action in row.actions}),
        )
        for row in standing
    )
    return tuple(sorted(found, key=lambda each: (each.as_of, each.remedy_id))), len(rows) - len(standing)


def _kinds(connection: Connection, decided: Iterable[Any]) -> Mapping[str, str]:
    """What had failed most, by remedy, as the mail tells it."""
    query = (
        select(REMEDY_FINDINGS.c.remedy_id, FINDINGS)
        .join(FINDINGS, FINDINGS.c.finding_id == REMEDY_FINDINGS.c.finding_id)
        .join(REMEDIES, REMEDIES.c.remedy_id == REMEDY_FINDINGS.c.remedy_id)
        .where(*decided)
    )
    found: defaultdict[str, list[tuple[tuple[float, int, int], str]]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.remedy_id].append((rank(row.severity, row.kind, row.occurred_from), row.kind))
    return {remedy_id: min(ranked)[1] for remedy_id, ranked in found.items()}


def _label(kinds: Collection[str]) -> str:
    said = dict.fromkeys(label for kind, label in _LABELS.items() if kind in kinds)
    return " and ".join(said) or "nothing"


def _asked(connection: Connection, decided: Iterable[Any], gone: Collection[str]) -> tuple[tuple[Asked, ...], int]:
    """Surveys that were taken on, or answered after all; those whose answers were erased are counted apart."""
    query = (
        select(SURVEYS, OUTBOX.c.state)
        .join(OUTBOX, OUTBOX.c.outbox_id == SURVEYS.c.survey_id)
        .join(REMEDIES, REMEDIES.c.remedy_id == SURVEYS.c.remedy_id)
        .where(*decided)
    )
    rows = [
        row
        for row in connection.execute(query)
        if row.customer_id not in gone and (row.state in {State.SENT, State.SETTLED} or row.score is not None)
    ]
    kept = [row for row in rows if row.text != ERASED]
    found = (Asked(row.remedy_id, row.customer_id, row.asked_at, row.score) for row in kept)
    return tuple(sorted(found, key=lambda each: (each.asked_at, each.remedy_id))), len(rows) - len(kept)


def _bought(
    connection: Connection, customer_ids: Collection[str], since: int, as_of: int
) -> Mapping[str, tuple[tuple[str, int], ...]]:
    """What was paid for; something that costs nothing is no purchase."""
    line = ORDER_LINES.c
    found: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
    for chunk in chunks(customer_ids):
        theirs = (line.customer_id.in_(chunk), line.amount_minor > 0)
        when = (line.purchased_at > since, line.purchased_at <= as_of)
        query = select(line.customer_id, line.order_id, line.purchased_at).where(*theirs, *when)
        for row in connection.execute(query):
            found[row.customer_id].add((row.purchased_at, row.order_id))
    return {
        customer_id: tuple((order_id, at) for at, order_id in sorted(orders)) for customer_id, orders in found.items()
    }
