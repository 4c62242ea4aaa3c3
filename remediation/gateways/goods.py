"""Warehouses: what every one of them must be able to do."""

from dataclasses import dataclass
from typing import Protocol


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
    """Whoever sends goods. Both calls may raise any of `gateways.errors`."""

    def order(self, goods: GoodsOrder) -> str:
        """Orders the goods, or finds them ordered under this key; the desk's own reference."""
        ...

    def find(self, key: str) -> str | None:
        """The reference of what was ordered under this key; None where asking for it (again) is safe."""
        ...
