"""What goes when its days are over: which rows, how old they are, and what becomes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Column, ColumnElement, FromClause, Select, Subquery, Table, Text, case, cast, func, select, true

from remediation.ledger.control_tables import CLAIMS, SESSION_PRINTS
from remediation.ledger.survey_tables import SURVEYS, UNSAID
from remediation.ledger.tables import (
    CONTACTS,
    CUSTOMERS,
    FINDINGS,
    GRANTS,
    MAILS,
    ORDER_LINES,
    REMEDIES,
    REMEDY_FINDINGS,
    RUNS,
    SCANS,
)
from remediation.mail import ERASED
from remediation.retention.needed import doubted
from remediation.retention.rules import RetentionRules

_FOR_EVER: Final = 10**14


@dataclass(frozen=True, slots=True)
class Sweep:
    """One kind of thing that is not kept for ever.

    A row of `table` whose `moment` is too long ago is removed, or has `values` put
    in place of what it said; unless its `link`, an order line, parcel or customer,
    is still needed. `more` leaves out what went before; `source` is where the
    moment and the link stand, if that is not the table itself.
    """

    what: str
    days: Callable[[RetentionRules], int]
    table: Table
    moment: ColumnElement[int]
    link: Column[str] | None
    values: Mapping[str, object] = field(default_factory=dict)
    more: ColumnElement[bool] = field(default_factory=true)
    source: FromClause | None = None

    def old(self, before: int, needed: Subquery) -> Select[*tuple[object, ...]]:
        """The keys of the rows from before that moment (milliseconds since the epoch) which nobody needs any more."""
        source = self.table if self.source is None else self.source
        keys = select(*self.table.primary_key.columns).where(self.moment < before, self.more)
        if self.link is None:
            return keys.select_from(source)
        still = needed.c[self.link.name]
        return keys.select_from(source.outerjoin(needed, still == self.link)).where(still.is_(None))


def _last_orders() -> Subquery:
    """When each customer bought, or could use what was bought, for the last time; a running subscription never ends."""
    line = ORDER_LINES.c
    is_running = (line.kind == "subscription") & line.available_until.is_(None)
    used_until = case((is_running, _FOR_EVER), (line.available_until > line.purchased_at, line.available_until))
    last = func.max(func.coalesce(used_until, line.purchased_at)).label("last")
    return select(line.customer_id, last).group_by(line.customer_id).subquery("orders")


_ORDERS: Final = _last_orders()

SWEEPS: Final = (
    Sweep(
        "mail texts",
        lambda rules: rules.mail_texts,
        MAILS,
        REMEDIES.c.as_of,
        REMEDIES.c.order_line_id,
        values=dict.fromkeys(("subject", "text", "html"), ERASED),
        more=MAILS.c.text != ERASED,
        source=MAILS.join(REMEDIES),
    ),
    Sweep(
        "figures of findings",
        lambda rules: rules.evidence,
        FINDINGS,
        FINDINGS.c.occurred_to,
        FINDINGS.c.order_line_id,
        values={"evidence": {}},
        more=(cast(FINDINGS.c.evidence, Text) != "{}") & ~doubted(),
    ),
    Sweep(
        "figures of remedies",
        lambda rules: rules.evidence,
        REMEDY_FINDINGS,
        REMEDIES.c.as_of,
        REMEDIES.c.order_line_id,
        values={"evidence": {}},
        more=cast(REMEDY_FINDINGS.c.evidence, Text) != "{}",
        source=REMEDY_FINDINGS.join(REMEDIES),
    ),
    Sweep(
        "claims",
        lambda rules: rules.evidence,
        CLAIMS,
        RUNS.c.as_of,
        CLAIMS.c.order_line_id,
        source=CLAIMS.join(RUNS),
    ),
    Sweep("contacts", lambda rules: rules.contacts, CONTACTS, CONTACTS.c.event_time, CONTACTS.c.order_line_id),
    Sweep("scans", lambda rules: rules.scans, SCANS, SCANS.c.event_time, SCANS.c.tracking_number),
    Sweep(
        "destinations",
        lambda rules: rules.destinations,
        ORDER_LINES,
        ORDER_LINES.c.purchased_at,
        ORDER_LINES.c.order_line_id,
        values={"ship_to": None},
        more=ORDER_LINES.c.ship_to.is_not(None),
    ),
    Sweep("grants", lambda rules: rules.grants, GRANTS, GRANTS.c.granted_at, GRANTS.c.order_line_id),
    Sweep(
        "surveys",
        lambda rules: rules.surveys,
        SURVEYS,
        SURVEYS.c.asked_at,
        None,
        values=UNSAID,
        more=SURVEYS.c.text != ERASED,
    ),
    Sweep("session prints", lambda rules: rules.session_prints, SESSION_PRINTS, SESSION_PRINTS.c.first_seen, None),
    Sweep(
        "customers",
        lambda rules: rules.customers,
        CUSTOMERS,
        _ORDERS.c.last,
        CUSTOMERS.c.customer_id,
        source=CUSTOMERS.join(_ORDERS, _ORDERS.c.customer_id == CUSTOMERS.c.customer_id),
    ),
)
"""In this order; customers last, since what they are needed for may have gone before."""
