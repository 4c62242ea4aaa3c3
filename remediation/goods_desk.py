"""Orders the goods of remedies: replacements and exchanges, each at most once, before the mail says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine, select

from remediation.database import writing
from remediation.ledger.tables import ORDER_LINES, OUTBOX, REMEDIES
from remediation.outbox.claims import Item, advance, claim, in_states, waiting
from remediation.outbox.states import State
from remediation.remedy import GOODS


@dataclass(frozen=True, slots=True)
class GoodsOrder:
    """What the warehouse is asked for. `key` names it: asked for again, it is the same order."""

    key: str
    kind: str
    order_line_id: str
    item_id: str
    quantity: int
    service_level: str | None


class GoodsDesk(Protocol):
    """Whoever sends goods. Both raise only what stops the pass; what was begun is asked for on the next one."""

    def order(self, goods: GoodsOrder) -> str:
        """Orders the goods, or finds them ordered under this key; the desk's own reference."""
        ...

    def find(self, key: str) -> str | None:
        """The reference of what was ordered under this key; None if there certainly is nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Ordered:
    """What became of goods in one pass."""

    sent: int = 0
    waiting: int = 0


def order_goods(engine: Engine, desk: GoodsDesk, now_ms: int) -> Ordered:
    """Clears up what an earlier pass left open, then orders everything that is approved (`now_ms` since the epoch).

    Raises:
      StateChangedError: Another process works on the same order.
    """
    sent = 0
    for kind in GOODS:
        for item in in_states(engine, kind, State.SENDING):
            _order(engine, desk, kind, item)
            sent += 1
        while item_claimed := claim(engine, kind, now_ms):
            _order(engine, desk, kind, item_claimed)
            sent += 1
    return Ordered(sent=sent, waiting=sum(waiting(engine, kind) for kind in GOODS))


def _order(engine: Engine, desk: GoodsDesk, kind: str, item: Item) -> None:
    goods = _goods(engine, kind, item)
    reference = desk.find(goods.key) or desk.order(goods)
    with writing(engine) as connection:
        advance(connection, item, State.SENT, provider_reference=reference)


def _goods(engine: Engine, kind: str, item: Item) -> GoodsOrder:
    line = ORDER_LINES.c
    query = (
        select(line.order_line_id, line.item_id, line.quantity, REMEDIES.c.actions)
        .select_from(OUTBOX.join(REMEDIES).join(ORDER_LINES))
        .where(OUTBOX.c.outbox_id == item.outbox_id)
    )
    with engine.connect() as connection:
        row = connection.execute(query).one()
    actions: list[Mapping[str, str | None]] = row.actions
    level = next((action["service_level"] for action in actions if action["kind"] == kind), None)
    return GoodsOrder(item.outbox_id, kind, row.order_line_id, row.item_id, row.quantity, level)
