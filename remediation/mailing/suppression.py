"""Which failures of a mail mean that its address must not be written to again."""

from typing import Final

GONE: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""Enhanced status codes (RFC 3463, RFC 7505) of an address that no later mail will reach.

No such mailbox, no such domain, not an address, moved without a forward, a
domain that takes no mail, mailbox closed. A full mailbox (5.2.2) gets emptied,
policy and content (5.7.x, 5.6.x) speak of the one mail, routing (5.4.x) of
somebody's servers, and an expired delivery (4.4.7) of a bad day.
"""


def address_is_gone(status: str | None) -> bool:
    """Whether a failure with this enhanced status code is the address's own and lasting.

    Without a code it is not: a bare `550` means an unknown user to one server
    and a bad reputation of the sender to the next.
    """
    return status in GONE
