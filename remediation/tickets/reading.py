"""Tickets as the ledger holds them; only reads."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Engine, Row, select

from detectors.finding import Subject
from detectors.incidents import Affected, Figures
from remediation.ledger.tables import FINDINGS, TICKET_CHANGES, TICKET_LINES, TICKETS
from remediation.report.formats import listed, one_line
from remediation.tickets.ticket import Change, Ticket, TicketState


class UnknownTicketError(LookupError):
    """The ledger holds no ticket of this id."""


class UnknownTicketStateError(ValueError):
    """A state that no ticket can have; the text names those that it can."""


def known_state(state: str) -> TicketState:
    """The state of this name.

    Raises:
      UnknownTicketStateError: There is none.
    """
    try:
        return TicketState(state)
    except ValueError:
        names = listed(list(TicketState))
        raise UnknownTicketStateError(f"{one_line(state)!r} is no state of a ticket: choose from {names}") from None


def list_tickets(engine: Engine, state: str | None = None) -> tuple[Ticket, ...]:
    """All tickets, or those in one state: the latest opened first, then those that touched most customers.

    Raises:
      UnknownTicketStateError: There is no such state.
    """
    latest = (TICKETS.c.opened_at.desc(), TICKETS.c.confirmed_by_customers.desc(), TICKETS.c.ticket_id)
    query = select(TICKETS).order_by(*latest)
    if state is not None:
        query = query.where(TICKETS.c.state == known_state(state))
    with engine.connect() as connection:
        return tuple(ticket_of(connection, row) for row in connection.execute(query).all())


def show_ticket(engine: Engine, ticket_id: str) -> Ticket:
    """One ticket.

    Raises:
      UnknownTicketError: There is no such ticket.
    """
    with engine.connect() as connection:
        return ticket_of(connection, ticket_row(connection, ticket_id))


def corrected_items(engine: Engine, item_ids: Collection[str]) -> frozenset[str]:
    """Of these items, those whose listing a person has corrected: a ticket is done and none is still to do.

    A correction after which another mix-up came did not help, so that nobody may
    be told of it.
    """
    claimed = select(TICKETS.c.cohort, TICKETS.c.state).where(
        TICKETS.c.kind == "listing", TICKETS.c.state != TicketState.REJECTED
    )
    with engine.connect() as connection:
        listings = [(row.cohort["item_id"], row.state) for row in connection.execute(claimed)]
    done = {item_id for item_id, state in listings if state == TicketState.DONE}
    to_do = {item_id for item_id, state in listings if state != TicketState.DONE}
    return frozenset(done - to_do) & frozenset(item_ids)


def ticket_row(connection: Connection, ticket_id: str) -> Row[tuple[object, ...]]:
    """One row of `tickets`, which nobody else changes until a transaction that writes has ended.

    Raises:
      UnknownTicketError: There is no such ticket.
    """
    query = select(TICKETS).where(TICKETS.c.ticket_id == ticket_id).with_for_update()
    row = connection.execute(query).first() if _is_storable(ticket_id) else None
    if row is None:
        raise UnknownTicketError(
            f"the ledger holds no ticket {one_line(ticket_id)!r}: list the tickets to see their ids"
        )
    return row


def ticket_of(connection: Connection, row: Row[tuple[object, ...]]) -> Ticket:
    """The ticket of a row of `tickets`, with its lines and changes."""
    lines = _lines(connection, row.ticket_id)
    return Ticket(
        ticket_id=row.ticket_id,
        incident_id=row.incident_id,
        number=row.number,
        kind=row.kind,
        cohort=row.cohort,
        failure_kinds=tuple(row.failure_kinds),
        claim=row.claim,
        fault=row.fault,
        figures=None if row.figures is None else Figures(**row.figures),
        affected_count=row.affected_count,
        confirmed_by_customers=row.confirmed_by_customers,
        suggested_action=row.suggested_action,
        state=TicketState(row.state),
        opened_at=row.opened_at,
        as_of=row.as_of,
        closed_at=row.closed_at,
        lines=lines,
        order_line_ids=_order_lines(connection, row.ticket_id, lines),
        changes=_changes(connection, row.ticket_id),
    )


def _lines(connection: Connection, ticket_id: str) -> tuple[Affected, ...]:
    oldest_first = (TICKET_LINES.c.occurred_at, TICKET_LINES.c.subject_id)
    query = select(TICKET_LINES).where(TICKET_LINES.c.ticket_id == ticket_id).order_by(*oldest_first)
    return tuple(
        Affected(Subject(row.subject_type, row.subject_id), row.occurred_at) for row in connection.execute(query)
    )


def _order_lines(connection: Connection, ticket_id: str, lines: Iterable[Affected]) -> tuple[str, ...]:
    """The order lines among the subjects, and those to which a finding bound its session."""
    same = (TICKET_LINES.c.subject_type == FINDINGS.c.subject_type) & (
        TICKET_LINES.c.subject_id == FINDINGS.c.subject_id
    )
    bound = select(FINDINGS.c.order_line_id).join(TICKET_LINES, same).where(TICKET_LINES.c.ticket_id == ticket_id)
    found = {line for line in connection.scalars(bound.distinct()) if line is not None}
    return tuple(sorted(found | {item.subject.id for item in lines if item.subject.type == "order_line"}))


def _changes(connection: Connection, ticket_id: str) -> tuple[Change, ...]:
    query = select(TICKET_CHANGES).where(TICKET_CHANGES.c.ticket_id == ticket_id).order_by(TICKET_CHANGES.c.number)
    return tuple(
        Change(TicketState(row.state_before), TicketState(row.state_after), row.actor, row.reason, row.changed_at)
        for row in connection.execute(query)
    )


def _is_storable(text: str) -> bool:
    """Whether databases take the text at all: NUL and lone surrogates, which a shell can pass, are errors to them."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
