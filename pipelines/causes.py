"""After the graph: what many failures share becomes tickets, for a person to confirm."""

from sqlalchemy import Engine

from detectors.incidents import Tally, incidents
from pipelines.resolving import Resolving
from remediation.database import open_order_book
from remediation.ledger.parcels import read_mixups
from remediation.tickets import Ticket, list_tickets, open_tickets


def find_causes(ledger: Engine, resolving: Resolving, tally: Tally) -> tuple[Ticket, ...]:
    """The tickets that this run opened or brought up to date; the same run again changes none."""
    run = resolving.run
    orders = open_order_book(resolving.orders_url) if resolving.orders_url else ledger
    mixups = read_mixups(ledger, orders, run.as_of)
    if orders is not ledger:
        orders.dispose()
    found = incidents(tally, mixups, resolving.policy.incidents)
    open_tickets(ledger, run.run_id, run.as_of, found)
    named = {incident.incident_id for incident in found}
    return tuple(ticket for ticket in list_tickets(ledger) if ticket.incident_id in named)
