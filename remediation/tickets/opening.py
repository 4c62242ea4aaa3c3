"""From incidents to tickets: opened once, kept up to date, never reopened behind a person's back."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Engine, func, insert, select, update

from detectors.finding import content_id
from detectors.incidents import Affected, Incident
from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.sql import Row, insert_new
from remediation.ledger.tables import TICKET_LINES, TICKETS
from remediation.tickets.ticket import TicketState


def open_tickets(engine: Engine, run_id: str, as_of: int, incidents: Sequence[Incident]) -> int:
    """Opens a ticket for every new incident, refreshes the ticket of a known one; returns how many it opened.

    A ticket gains the subjects that it did not name yet, and the figures of the
    latest run. One that a person has closed stays as it is: an incident with
    enough failures after that gets another ticket, with the next number and
    these failures alone. The same run again changes nothing.

    Args:
      engine: The ledger, which holds the run.
      run_id: The run that found the incidents.
      as_of: Its moment, in milliseconds since the epoch.
      incidents: What it found.
    """
    # Sorted, so that two runs meet their tickets in the same order and cannot wait for each other.
    in_order = sorted(incidents, key=lambda incident: incident.incident_id)
    with writing(engine) as connection:
        return sum(_file(connection, run_id, as_of, incident) for incident in in_order)


def _file(connection: Connection, run_id: str, as_of: int, incident: Incident) -> bool:
    """Puts one incident on its ticket; returns whether that is a new one."""
    of_incident = TICKETS.c.incident_id == incident.incident_id
    last = connection.execute(
        select(TICKETS).where(of_incident).order_by(TICKETS.c.number.desc()).limit(1).with_for_update()
    ).first()
    closed_at = connection.scalar(select(func.max(TICKETS.c.closed_at)).where(of_incident))
    lines = incident.affected
    if closed_at is not None:
        lines = tuple(item for item in lines if item.occurred_at > closed_at)
    if last is not None and last.closed_at is None:
        if as_of >= last.as_of:  # the figures of the latest run stand, in whatever order runs arrive
            this = TICKETS.c.ticket_id == last.ticket_id
            connection.execute(update(TICKETS).where(this).values(_figures(incident, as_of)))
        _add(connection, last.ticket_id, lines)
        return False
    if last is not None and len(lines) < incident.reopened_by:
        return False
    number = 1 if last is None else last.number + 1
    ticket_id = content_id(incident_id=incident.incident_id, ticket_number=str(number))
    head: Row = {
        "ticket_id": ticket_id,
        "incident_id": incident.incident_id,
        "number": number,
        "kind": incident.kind,
        "cohort": dict(incident.cohort),
        "state": TicketState.OPEN,
        "opened_at": as_of,
        "run_id": run_id,
    }
    connection.execute(insert(TICKETS).values({**head, **_figures(incident, as_of)}))
    opened = Change("ticket", ticket_id, None, str(TicketState.OPEN), incident.claim)
    note(connection, Author(f"run {run_id}", as_of), [opened])
    _add(connection, ticket_id, lines)
    return True


def _figures(incident: Incident, as_of: int) -> Row:
    """What the next night may refresh."""
    return {
        "failure_kinds": list(incident.failure_kinds),
        "claim": incident.claim,
        "fault": incident.fault,
        "figures": None if incident.figures is None else asdict(incident.figures),
        "affected_count": incident.affected_count,
        "confirmed_by_customers": incident.confirmed_by_customers,
        "suggested_action": incident.suggested_action,
        "as_of": as_of,
    }


def _add(connection: Connection, ticket_id: str, lines: Iterable[Affected]) -> None:
    rows = [
        {
            "ticket_id": ticket_id,
            "subject_type": item.subject.type,
            "subject_id": item.subject.id,
            "occurred_at": item.occurred_at,
        }
        for item in lines
    ]
    insert_new(connection, TICKET_LINES, rows)
