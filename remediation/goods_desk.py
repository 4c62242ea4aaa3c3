"""Orders the goods of remedies: replacements and exchanges, each at most once, before the mail says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, Engine, select

from remediation.gateways.goods import GoodsDesk, GoodsOrder
from remediation.ledger.tables import ORDER_LINES, OUTBOX, REMEDIES
from remediation.outbox.claims import Item
from remediation.outbox.worker import Done


@dataclass(frozen=True, slots=True)
class OrderGoods:
    """The errand of goods of one kind: replacements, or exchanges."""

    engine: Engine
    desk: GoodsDesk
    kind: str

    gateway: ClassVar[str] = "goods"
    actor: ClassVar[str] = "goods desk"
    repeat_is_safe_ms: ClassVar[int | None] = None  # the desk keeps one order a key, for ever: that is its contract
    can_ask: ClassVar[bool] = True
    settles_later: ClassVar[bool] = False

    def find(self, item: Item) -> Done | None:
        """What the desk has under this key."""
        reference = self.desk.find(item.outbox_id)
        return Done(reference) if reference is not None else None

    def do(self, item: Item) -> Done:
        """Orders the goods."""
        return Done(self.desk.order(self._goods(item)))

    def done(self, connection: Connection, item: Item, at: int) -> None:
        """Nothing more: goods move no money here."""

    def _goods(self, item: Item) -> GoodsOrder:
        line = ORDER_LINES.c
        query = (
            select(line.order_line_id, line.item_id, line.quantity, REMEDIES.c.actions)
            .select_from(OUTBOX.join(REMEDIES).join(ORDER_LINES))
            .where(OUTBOX.c.outbox_id == item.outbox_id)
        )
        with self.engine.connect() as connection:
            row = connection.execute(query).one()
        actions: list[Mapping[str, str | None]] = row.actions
        level = next((action["service_level"] for action in actions if action["kind"] == self.kind), None)
        return GoodsOrder(item.outbox_id, self.kind, row.order_line_id, row.item_id, row.quantity, level)
