"""What the steps that read or write the ledger have in common."""

from dataclasses import dataclass

import apache_beam as beam
from sqlalchemy import Engine

from detectors.telemetry.keys import KeyRing
from remediation.database import open_database, open_order_book
from remediation.ledger.book import SqlBook
from remediation.ledger.budgets import Caps
from remediation.ledger.run import Run
from remediation.loyalty.holdout import Holdout
from remediation.policy.model import Policy


@dataclass(frozen=True)
class Resolving:
    """What deciding needs: the ledger, the service's own order book if that is a database, policy and run."""

    ledger_url: str
    orders_url: str | None
    policy: Policy
    run: Run
    keys: KeyRing | None = None  # that beacons may be signed with
    holdout: Holdout | None = None  # who gets no goodwill, for comparison

    @property
    def caps(self) -> Caps:
        """The budgets of the policy."""
        return Caps.of(self.policy)


class LedgerFn(beam.DoFn):
    """A DoFn with the ledger open; engines are made on the worker, since they do not travel.

    `orders` is the service's own order book, or the ledger where that was imported.
    """

    ledger: Engine
    orders: Engine
    book: SqlBook

    def __init__(self, resolving: Resolving) -> None:
        self.resolving = resolving

    def setup(self) -> None:
        """Opens what the resolving names."""
        self.ledger = open_database(self.resolving.ledger_url)
        foreign = self.resolving.orders_url
        self.orders = open_order_book(foreign) if foreign else self.ledger
        self.book = SqlBook(self.ledger, self.orders)

    def teardown(self) -> None:
        """Closes both."""
        self.orders.dispose()
        self.ledger.dispose()
