"""What a person does with a ticket, written down with name and reason."""

from dataclasses import asdict

from sqlalchemy import Engine, insert, update

from remediation.database import writing
from remediation.ledger import audit
from remediation.ledger.tables import TICKET_CHANGES, TICKETS
from remediation.report.formats import block, listed, one_line
from remediation.tickets.reading import known_state, show_ticket, ticket_of, ticket_row
from remediation.tickets.ticket import CLOSED, FORWARD, Change, Ticket


class TicketChangeError(ValueError):
    """A change that cannot follow, or for which nobody answers; the text says what to do."""


def set_state(  # noqa: PLR0913 - each is one word that the person has to say
    engine: Engine, ticket_id: str, state: str, *, actor: str, reason: str, at: int
) -> Ticket:
    """Moves a ticket forward, writes down who did it and why, and returns it.

    `at` is in milliseconds since the epoch.

    Raises:
      UnknownTicketError: There is no such ticket.
      UnknownTicketStateError: There is no such state.
      TicketChangeError: The state cannot follow, or nobody or no reason is named.
    """
    after = known_state(state)
    by, why = one_line(actor), block(reason).strip()
    if not by or not why:
        raise TicketChangeError("a ticket is changed by somebody and for a reason: name both")
    with writing(engine) as connection:
        ticket = ticket_of(connection, ticket_row(connection, ticket_id))
        if after not in FORWARD[ticket.state]:
            following = listed(sorted(FORWARD[ticket.state])) or "nothing else: new failures open a new ticket"
            raise TicketChangeError(
                f"ticket {ticket_id} is {ticket.state} and cannot become {after}: it may become {following}"
            )
        this = TICKETS.c.ticket_id == ticket_id
        closed_at = at if after in CLOSED else None
        connection.execute(update(TICKETS).where(this).values(state=after, closed_at=closed_at))
        change = asdict(Change(ticket.state, after, by, why, at))
        number = len(ticket.changes) + 1
        connection.execute(insert(TICKET_CHANGES).values(ticket_id=ticket_id, number=number, **change))
        moved = audit.Change("ticket", ticket_id, str(ticket.state), str(after), why)
        audit.note(connection, audit.Author(f"person {by}", at), [moved])
    return show_ticket(engine, ticket_id)
