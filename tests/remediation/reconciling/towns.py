"""A ledger and the provider that its refunds go through; what differs between the two is made by hand."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from remediation.ledger.audit import Entry, entries, first_break, history
from remediation.ledger.control_tables import BLOCKS
from remediation.ledger.postings import unbalanced
from remediation.ledger.tables import OUTBOX, POSTINGS
from remediation.outbox.worker import Passed
from remediation.reconciling.reconcile import Reconciled, reconcile
from remediation.remedy import Remedy
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, rows, with_orders
from tests.remediation.outbox.senders import pay
from tests.support.provider import EVENING, Fault, InProcessGateway, Kind, Moment, Provider, Status
from tests.support.provider.model import Request

HOUR = 3_600_000
DAY = 24 * HOUR
LOST = Fault(Kind.LOST, Moment.AFTER)
"""The refund is made, and nobody here hears of it."""


def a_provider() -> Provider:
    """Its clock shows the same as everybody's."""
    provider = Provider()
    provider.advance(MORNING - EVENING)
    return provider


def charge_of(order_line_id: str) -> str:
    """Its payment; lines of one order, such as `OL-1 a` and `OL-1 b`, were paid together."""
    return f"ch_{order_line_id.partition(' ')[0].replace('-', '')}"


@dataclass
class Town:
    ledger: Engine
    provider: Provider = field(default_factory=a_provider)
    gateway: InProcessGateway = field(init=False)

    def __post_init__(self) -> None:
        self.gateway = InProcessGateway(self.provider)

    def sells(self, *lines: str) -> None:
        """Order lines of 2.99 USD; the provider could refund more than that of each payment."""
        with_orders(self.ledger, *(an_order(line, payment_id=charge_of(line)) for line in lines))
        for payment in {charge_of(line) for line in lines}:
            self.provider.charge(payment, 1000, payment_intent=payment.replace("ch_", "pi_"))

    def owes(self, *lines: str, **fields: Any) -> list[Remedy]:
        """A remedy of 2.99 USD on each of these order lines, which were sold before."""
        self.sells(*lines)
        remedies = [a_remedy(line, **fields) for line in lines]
        record_night(self.ledger, *(owed(remedy) for remedy in remedies))
        return remedies

    def pays(self, at: int = MORNING) -> Passed:
        return pay(self.ledger, self.gateway, at)

    def makes(
        self, remedy_id: str | None, line: str = "OL-1", *, amount: int = 299, key: str = "by somebody", **more: str
    ) -> str:
        """A refund that was not made from here; its reference."""
        params = {"charge": charge_of(line), "amount": str(amount), **more}
        if remedy_id is not None:
            params["metadata[remedy_id]"] = remedy_id
        made = len(self.provider.effects())
        self.provider.answer(Request("POST", "/v1/refunds", params, f"{key} {made}"))
        (*_, effect) = self.provider.effects()
        assert len(self.provider.effects()) == made + 1, "the provider has refused it"
        return effect.refund_id

    def moves(self, status: Status, nth: int = -1) -> None:
        self.provider.move(self.provider.effects()[nth].refund_id, status)

    def reconciles(self, at: int = MORNING + HOUR, since_ms: int | None = None) -> Reconciled:
        """And whatever it finds, the books are sound afterwards."""
        found = reconcile(self.ledger, self.gateway, lambda: at, since_ms)
        assert found.seen == found.agree + found.others + found.differ
        assert faults(self.ledger) == []
        return found

    def refunds(self) -> list[str]:
        return [row["state"] for row in rows(self.ledger, OUTBOX) if row["kind"] == "refund"]

    def blocked(self) -> list[str]:
        return [row["order_line_id"] for row in rows(self.ledger, BLOCKS)]

    def story(self, remedy: Remedy) -> list[Entry]:
        """What the log says of a remedy's refund."""
        (item,) = (
            row for row in rows(self.ledger, OUTBOX) if (row["remedy_id"], row["kind"]) == (remedy.remedy_id, "refund")
        )
        with self.ledger.connect() as connection:
            return list(history(connection, "outbox", item["outbox_id"]))


def faults(ledger: Engine) -> list[str]:
    """What is wrong with the books: the log's chain, the balance, and money that is posted for each refund."""
    with ledger.connect() as connection:
        broken = first_break(entries(connection))
    posted: dict[str, int] = {}
    for row in rows(ledger, POSTINGS):
        if row["account"].startswith("provider:"):
            posted[row["remedy_id"]] = posted.get(row["remedy_id"], 0) - row["amount_minor"]
    wrong = [
        f"{row['state']} refund with {posted.get(row['remedy_id'], 0)} posted"
        for row in rows(ledger, OUTBOX)
        if row["kind"] == "refund"
        and posted.get(row["remedy_id"], 0) != (row["amount_minor"] if row["state"] in {"sent", "settled"} else 0)
    ]
    return [*([broken] if broken else []), *unbalanced(ledger), *wrong]
