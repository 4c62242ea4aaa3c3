"""After the graph: what many failures share becomes tickets, and what belongs to no order is told."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from detectors.incidents import Tally, incidents
from pipelines.resolving import Resolving
from remediation.database import open_order_book
from remediation.ledger.journal import record
from remediation.ledger.parcels import read_mixups
from remediation.ledger.resolution import Resolution
from remediation.report.night import RejectRow
from remediation.tickets import Ticket, list_tickets, open_tickets
from remediation.unplaced import unplaced_contacts, unplaced_parcels


def find_causes(ledger: Engine, resolving: Resolving, tally: Tally) -> tuple[Ticket, ...]:
    """The tickets that this run opened or brought up to date; the same run again changes none."""
    run = resolving.run
    with _orders(ledger, resolving) as orders:
        mixups = read_mixups(ledger, orders, run.as_of)
    found = incidents(tally, mixups, resolving.policy.incidents)
    open_tickets(ledger, run.run_id, run.as_of, found)
    named = {incident.incident_id for incident in found}
    return tuple(ticket for ticket in list_tickets(ledger) if ticket.incident_id in named)


def tell_unplaced(ledger: Engine, resolving: Resolving) -> tuple[RejectRow, ...]:
    """Records contacts without an order for a person, and counts the parcels that no order line names."""
    with _orders(ledger, resolving) as orders:
        contacts = unplaced_contacts(ledger, orders, resolving.run.as_of)
        parcels = unplaced_parcels(ledger, orders)
    cases = [Resolution(findings=(), declined=contact) for contact in contacts]
    record(ledger, resolving.run, cases, resolving.caps)
    if not parcels:
        return ()
    reason = "No order line names the tracking number; its scans are kept, in case the order comes."
    return (RejectRow("scans", None, None, "field", "no_order_line", "tracking_number", reason, parcels),)


@contextmanager
def _orders(ledger: Engine, resolving: Resolving) -> Iterator[Engine]:
    """The service's own order book, or the ledger where that was imported."""
    if resolving.orders_url is None:
        yield ledger
        return
    orders = open_order_book(resolving.orders_url)
    yield orders
    orders.dispose()
