"""Budgets: what may be paid without a person, a customer and a month, and in all a day.

"Sum what was spent, then add" lets two writers overshoot together (11 % measured on
PostgreSQL). So what is spent stands in one row, and a conditional UPDATE takes from
it or does not. A limit never denies: what does not fit waits for a person, and what
a person approves is not counted here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import Connection, case, update

from remediation.ledger.control_tables import BUDGETS, SPENDINGS
from remediation.ledger.sql import affected, insert, insert_new
from remediation.money import Money
from remediation.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits of a policy, in minor units by currency; a currency without a limit pays nothing by itself."""

    customer_month: Mapping[str, int]
    day: Mapping[str, int]
    payouts_per_customer_month: int

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """The limits that the policy sets."""
        return cls(
            customer_month={currency: figures.customer_month for currency, figures in policy.currencies.items()},
            day={currency: figures.day for currency, figures in policy.currencies.items()},
            payouts_per_customer_month=policy.limits.payouts_per_customer_month,
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """One row: its id, its limit by the policy in force, what is asked of it, and how it is called in a reason."""

    budget_id: str
    cap: int
    amount: int
    called: str

    def objection(self, amount: Money) -> str:
        """Why a person must decide where too little of it is left for a pay-out of `amount`."""
        limit = f"{self.cap:,}" if self.amount == 1 else f"{self.cap:,} {amount.currency} in minor units"
        return f"Held: {self.called} is used up ({limit}), so that a person must decide."


def spend(  # noqa: PLR0913, PLR0917 - whose pay-out, how much, when, and within what
    connection: Connection, remedy_id: str, customer_id: str, amount: Money, as_of: int, caps: Caps
) -> str | None:
    """Takes a pay-out from its budgets; the reason why a person must decide where one of them has too little left.

    All of them or none. The periods are those of `as_of` (milliseconds since the
    epoch) in UTC. Must be called once a remedy, in a transaction that `writing` began.
    """
    taken: list[Budget] = []
    for budget in budgets_of(customer_id, amount, as_of, caps):
        if not _take(connection, budget):
            for each in taken:
                _give_back(connection, each)
            return budget.objection(amount)
        taken.append(budget)
    rows = [{"budget_id": each.budget_id, "remedy_id": remedy_id, "amount": each.amount} for each in taken]
    insert_new(connection, SPENDINGS, rows)
    return None


def budgets_of(customer_id: str, amount: Money, as_of: int, caps: Caps) -> tuple[Budget, ...]:
    """From which budgets a pay-out is taken at `as_of` (milliseconds since the epoch), all of them or none."""
    moment = datetime.fromtimestamp(as_of // 1000, UTC)
    day, month, currency = f"{moment:%Y-%m-%d}", f"{moment:%Y-%m}", amount.currency
    count = Budget(
        f"payouts of a customer:{month}:{customer_id}",
        caps.payouts_per_customer_month,
        1,
        "the number of pay-outs to one customer in a month",
    )
    if not amount.minor:
        return (count,)
    return (
        Budget(f"day:{day}:{currency}", caps.day.get(currency, 0), amount.minor, f"the budget of {day}"),
        Budget(
            f"customer:{month}:{currency}:{customer_id}",
            caps.customer_month.get(currency, 0),
            amount.minor,
            f"this customer's budget of {month}",
        ),
        count,
    )


def _take(connection: Connection, budget: Budget) -> bool:
    """Opens the row where it is new, follows a changed policy, and takes the amount if it fits."""
    row = BUDGETS.c
    opening = insert(connection, BUDGETS).values(budget_id=budget.budget_id, cap=budget.cap, spent=0)
    # A policy that lowers a limit below what is spent already can only stop the rest.
    lowered = case((row.spent > budget.cap, row.spent), else_=budget.cap)
    connection.execute(opening.on_conflict_do_update(index_elements=[row.budget_id], set_={"cap": lowered}))
    taking = (
        update(BUDGETS)
        .where(row.budget_id == budget.budget_id, row.spent + budget.amount <= row.cap)
        .values(spent=row.spent + budget.amount)
    )
    return affected(connection, taking) == 1


def _give_back(connection: Connection, budget: Budget) -> None:
    of_it = BUDGETS.c.budget_id == budget.budget_id
    connection.execute(update(BUDGETS).where(of_it).values(spent=BUDGETS.c.spent - budget.amount))
