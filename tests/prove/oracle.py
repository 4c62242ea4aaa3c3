"""What is owed, and what may be sent, reckoned in plain Python: the judge of `test_money_model`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from remediation.ledger.budgets import Caps
from remediation.ledger.control import Mode
from remediation.remedy import GOODS, Remedy

CALLED_OFF: Final = frozenset({"rejected", "withdrawn"})


@dataclass
class Debt:
    """One remedy: how it stands, and what of the line's price and of the stock is set aside for it."""

    remedy: Remedy
    run_id: str
    state: str
    money_aside: int = 0
    goods_aside: int = 0

    @property
    def refund(self) -> int:
        return sum(action.amount_minor or 0 for action in self.remedy.actions if action.kind == "refund")

    @property
    def goods(self) -> int:
        return sum(action.kind in GOODS for action in self.remedy.actions)


@dataclass
class Oracle:
    """The same town as the ledger's, without any database."""

    paid: dict[str, int]
    stock: int
    caps: Caps
    mode: Mode = Mode.NORMAL
    canary_percent: int = 0
    percentiles: dict[str, int] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    debts: dict[str, Debt] = field(default_factory=dict)
    spent: Counter[str] = field(default_factory=Counter)

    @property
    def money_aside(self) -> dict[str, int]:
        """What is set aside of each line's price."""
        aside = dict.fromkeys(self.paid, 0)
        for debt in self.debts.values():
            aside[debt.remedy.order_line_id] += debt.money_aside
        return aside

    @property
    def goods_aside(self) -> int:
        """What is promised of the stock."""
        return sum(debt.goods_aside for debt in self.debts.values())

    def record(self, run_id: str, as_of: int, remedies: Iterable[Remedy]) -> set[str]:
        """Takes new remedies in; returns those that came approved and have to be held."""
        self.runs.setdefault(run_id, "recording")
        held = set()
        for remedy in sorted(remedies, key=lambda each: each.remedy_id):
            if remedy.remedy_id in self.debts:
                continue
            debt = self.debts[remedy.remedy_id] = Debt(remedy, run_id, remedy.state)
            fits = self.set_aside(debt) and (remedy.state != "approved" or self._spend(remedy, as_of))
            if remedy.state == "approved" and not fits:
                debt.state = "held"
                held.add(remedy.remedy_id)
        return held

    def judge(self, run_id: str, *, objected: bool) -> None:
        """A run is judged once."""
        if self.runs[run_id] == "recording":
            self.runs[run_id] = "held" if objected else "released"

    def set_aside(self, debt: Debt) -> bool:
        """Whether price and stock suffice; what fits is taken."""
        line = debt.remedy.order_line_id
        if not debt.money_aside and self.money_aside[line] + debt.refund > self.paid[line]:
            return False
        debt.money_aside = debt.refund
        if not debt.goods_aside and self.goods_aside + debt.goods > self.stock:
            return False
        debt.goods_aside = debt.goods
        return True

    def fits(self, debt: Debt) -> bool:
        """Whether `set_aside` would succeed."""
        money = debt.money_aside or self.money_aside[debt.remedy.order_line_id] + debt.refund
        goods = debt.goods_aside or self.goods_aside + debt.goods
        return money <= self.paid[debt.remedy.order_line_id] and goods <= self.stock

    def withdraw(self, run_id: str) -> None:
        """Takes a run back with all that it led to."""
        self.runs[run_id] = "withdrawn"
        for debt in self.debts.values():
            if debt.run_id == run_id and debt.state not in CALLED_OFF:
                self.call_off(debt, "withdrawn")

    def call_off(self, debt: Debt, state: str) -> None:
        debt.state = state
        debt.money_aside = debt.goods_aside = 0

    def may_be_sent(self, remedy_id: str) -> bool:
        """Whether anything of this remedy may leave the house now."""
        debt = self.debts.get(remedy_id)
        if debt is None or debt.state != "approved" or self.runs[debt.run_id] != "released":
            return False
        if debt.remedy.order_line_id in self.blocked:
            return False
        chosen = self.percentiles[debt.remedy.customer_id] < self.canary_percent
        return self.mode is Mode.NORMAL or (self.mode is Mode.CANARY and chosen)

    def _spend(self, remedy: Remedy, as_of: int) -> bool:
        moment = datetime.fromtimestamp(as_of // 1000, UTC)
        month = f"{moment:%Y-%m}"
        wanted = [(f"count {month} {remedy.customer_id}", 1, self.caps.payouts_per_customer_month)]
        if remedy.amount:
            currency = remedy.currency
            of_customer = f"customer {month} {remedy.customer_id} {currency}"
            wanted.append((of_customer, remedy.amount, self.caps.customer_month[currency]))
            wanted.append((f"day {moment:%Y-%m-%d} {currency}", remedy.amount, self.caps.day[currency]))
        if any(self.spent[name] + amount > cap for name, amount, cap in wanted):
            return False
        self.spent.update({name: amount for name, amount, _ in wanted})
        return True
