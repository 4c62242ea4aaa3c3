"""What is compared, and what was asked: arms that are what they are called."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, or_, select

from remediation.ledger.tables import REMEDIES
from remediation.verifying.actions import actions
from remediation.verifying.breach import Breach


def arms(connection: Connection, _now: int) -> Iterator[Breach]:
    """Hold-outs with a credit, and those with goodwill who were given none: they would be compared with themselves."""
    of_remedy = actions(connection)
    credit = select(of_remedy.c.remedy_id).where(of_remedy.c.kind == "credit", of_remedy.c.amount_minor > 0).subquery()
    has_credit, withheld = credit.c.remedy_id.is_not(None), REMEDIES.c.withheld_minor > 0
    wrong = or_(
        and_(REMEDIES.c.arm == "holdout", or_(has_credit, ~withheld)),
        and_(REMEDIES.c.arm == "goodwill", ~has_credit),
        and_(REMEDIES.c.arm.is_distinct_from("holdout"), withheld),
    )
    query = (
        select(REMEDIES.c.remedy_id, REMEDIES.c.arm, REMEDIES.c.withheld_minor, has_credit.label("has_credit"))
        .select_from(REMEDIES.outerjoin(credit, credit.c.remedy_id == REMEDIES.c.remedy_id))
        .where(wrong)
        .order_by(REMEDIES.c.remedy_id)
    )
    for row in connection.execute(query):
        given = "a credit" if row.has_credit else "no credit"
        told = f"its arm is {row.arm or 'none'}, and it has {given} and {row.withheld_minor} withheld"
        yield Breach("remedies", row.remedy_id, told)
