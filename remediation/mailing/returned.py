"""What follows from a report on one of our mails: its address is left alone, and a person hears of it."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, and_, or_, select

from remediation.database import writing
from remediation.ledger.audit import Author
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import CUSTOMERS, MAILS, OUTBOX, REMEDIES
from remediation.mailing.bounces import Bounce
from remediation.mailing.suppressed import Reason, suppress_within
from remediation.outbox.claims import SURVEY, advance, item_of
from remediation.outbox.states import State


@dataclass(frozen=True, slots=True)
class Taken:
    """What a report led to. `remedy_id` is null where it names no mail of ours."""

    remedy_id: str | None
    suppressed: bool = False
    failed: bool = False


def take(engine: Engine, bounce: Bounce, author: Author) -> Taken:
    """Takes a report: only one that names a mail of ours by its own id has any effect, and the same one twice has none.

    A lasting failure of the address, or a complaint, suppresses the customer's
    present address, whatever address the report names: mails may be forwarded. A
    mail that came back is `failed`, for a person to tell the customer otherwise.
    """
    with writing(engine) as connection:
        row = _mail(connection, bounce.message_id)
        if row is None:
            return Taken(None)
        suppressed = bounce.suppresses and row.email is not None
        if suppressed:
            suppressed = suppress_within(connection, row.email, _reason(bounce), author)
        came_back = bounce.kind == "failed" and row.state == State.SENT
        if came_back:
            problem = f"it came back from the customer's mail server ({bounce.status or 'without a code'})"
            advance(connection, item_of(row), State.FAILED, author, problem, problem=problem)
    return Taken(row.remedy_id, suppressed, came_back)


def _mail(connection: Connection, message_id: str | None) -> Row[tuple[object, ...]] | None:
    """The outbox item of the apology or the survey with this id, and its customer's address."""
    if message_id is None:
        return None
    query = (
        select(OUTBOX, CUSTOMERS.c.email)
        .join(REMEDIES, REMEDIES.c.remedy_id == OUTBOX.c.remedy_id)
        .outerjoin(CUSTOMERS, CUSTOMERS.c.customer_id == REMEDIES.c.customer_id)
        .outerjoin(MAILS, and_(MAILS.c.remedy_id == OUTBOX.c.remedy_id, OUTBOX.c.kind == "mail"))
        .outerjoin(SURVEYS, and_(SURVEYS.c.remedy_id == OUTBOX.c.remedy_id, OUTBOX.c.kind == SURVEY))
        .where(or_(MAILS.c.message_id == message_id, SURVEYS.c.message_id == message_id))
    )
    return connection.execute(query).first()


def _reason(bounce: Bounce) -> Reason:
    return "complaint" if bounce.kind == "complaint" else "bounce"
