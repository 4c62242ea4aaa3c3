"""Root-cause tickets: what many failures share, for a person to confirm, to mend or to reject.

The program opens tickets and keeps their figures. It never confirms or closes
one, and it withdraws nothing: that is a person's, by name and with a reason.
"""

from remediation.tickets.changing import TicketChangeError, set_state
from remediation.tickets.opening import open_tickets
from remediation.tickets.reading import (
    UnknownTicketError,
    UnknownTicketStateError,
    corrected_items,
    list_tickets,
    show_ticket,
)
from remediation.tickets.ticket import Change, Ticket, TicketState

__all__ = [
    "Change",
    "Ticket",
    "TicketChangeError",
    "TicketState",
    "UnknownTicketError",
    "UnknownTicketStateError",
    "corrected_items",
    "list_tickets",
    "open_tickets",
    "set_state",
    "show_ticket",
]
