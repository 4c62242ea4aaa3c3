"""What remedies are to do, as rows that SQL can join: the ledger keeps the actions of a remedy as JSON."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Connection, Subquery, and_, case, cast, column, func, select, true

from remediation.ledger.resolution import REFUND_ACTIONS
from remediation.ledger.tables import REMEDIES

_MOST_DIGITS: Final = 15
"""A longer amount is none, and would not fit into a column of amounts."""


def actions(connection: Connection) -> Subquery:
    """One row an action: `remedy_id`, `kind`, and `amount_minor`, null where it is no whole number."""
    on_server = connection.dialect.name == "postgresql"
    each = func.json_array_elements if on_server else func.json_each
    action = each(REMEDIES.c.actions).table_valued(column("value", JSON), name="action")
    amount = action.c.value["amount_minor"].as_string()
    # SQLite has patterns of its own only; PostgreSQL refuses to cast what is no number.
    is_whole = amount.regexp_match("^[0-9]+$") if on_server else amount.op("NOT GLOB")("*[^0-9]*")
    amount_minor = case((and_(is_whole, func.length(amount) <= _MOST_DIGITS), cast(amount, BigInteger)))
    return (
        select(
            REMEDIES.c.remedy_id,
            action.c.value["kind"].as_string().label("kind"),
            amount_minor.label("amount_minor"),
        )
        .select_from(REMEDIES.join(action, true()))
        .subquery("actions")
    )


def refunds(connection: Connection) -> Subquery:
    """What goes back by the way it was paid, of each remedy with such a part: `remedy_id`, `amount_minor`."""
    of_remedy = actions(connection)
    total = func.sum(of_remedy.c.amount_minor)
    return (
        select(of_remedy.c.remedy_id, cast(total, BigInteger).label("amount_minor"))
        .where(of_remedy.c.kind.in_(REFUND_ACTIONS))
        .group_by(of_remedy.c.remedy_id)
        .having(total > 0)
        .subquery("refunds")
    )
