"""Double entry: every movement of money is two postings that sum to zero in one currency."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, func, select

from detectors.finding import content_id
from remediation.ledger.sql import insert_new
from remediation.ledger.tables import POSTINGS
from remediation.money import Money

EXPENSE: Final = "expense:goodwill_and_refunds"


@dataclass(frozen=True, slots=True)
class Transfer:
    """An amount that moves from the credited to the debited account, for one remedy.

    `event` names what happened (`approved`, `sent`); together with the remedy it
    identifies the transfer, so that it is posted once. `posted_at` is in
    milliseconds since the epoch.

    Raises:
      ValueError: The amount is not positive, or both accounts are the same.
    """

    remedy_id: str
    event: str
    debit: str
    credit: str
    amount: Money
    posted_at: int

    def __post_init__(self) -> None:
        """Refuses what would not be a movement of money."""
        if self.amount.minor <= 0 or self.debit == self.credit:
            raise ValueError(f"transfer {self.event} of remedy {self.remedy_id} moves nothing: check its amount")

    @property
    def transaction_id(self) -> str:
        """One transaction a remedy and event."""
        return content_id(remedy_id=self.remedy_id, event=self.event)


def owed_account(order_line_id: str) -> str:
    """The account of what is owed for one order line."""
    return f"owed:{order_line_id}"


def provider_account(gateway: str) -> str:
    """The account of the payment provider through which refunds go out."""
    return f"provider:{gateway}"


def post(connection: Connection, transfers: list[Transfer]) -> int:
    """Posts what was not posted before and returns the number of postings written."""
    rows = [
        {
            "transaction_id": transfer.transaction_id,
            "account": account,
            "remedy_id": transfer.remedy_id,
            "currency": transfer.amount.currency,
            "amount_minor": amount,
            "posted_at": transfer.posted_at,
        }
        for transfer in transfers
        for account, amount in ((transfer.debit, transfer.amount.minor), (transfer.credit, -transfer.amount.minor))
    ]
    return insert_new(connection, POSTINGS, rows)


def unbalanced(engine: Engine) -> tuple[str, ...]:
    """The ids of transactions that do not sum to zero in a single currency; in a sound ledger there is none."""
    wrong = (
        select(POSTINGS.c.transaction_id)
        .group_by(POSTINGS.c.transaction_id)
        .having((func.sum(POSTINGS.c.amount_minor) != 0) | (func.count(POSTINGS.c.currency.distinct()) != 1))
        .order_by(POSTINGS.c.transaction_id)
    )
    with engine.connect() as connection:
        return tuple(connection.scalars(wrong))
