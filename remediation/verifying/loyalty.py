"""What is compared and what was asked: arms that are what they are called, surveys that came in their time."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, func, or_, select

from remediation.durations import DAY_MS
from remediation.ledger.control_tables import AUDIT
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import OUTBOX, REMEDIES
from remediation.outbox.claims import SURVEY
from remediation.outbox.states import State
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


def belong(connection: Connection, _now: int) -> Iterator[Breach]:
    """Surveys without their item, or about another customer's remedy."""
    item = and_(OUTBOX.c.outbox_id == SURVEYS.c.survey_id, OUTBOX.c.kind == SURVEY)
    same = OUTBOX.c.remedy_id == SURVEYS.c.remedy_id
    query = (
        select(SURVEYS.c.survey_id, OUTBOX.c.outbox_id)
        .select_from(SURVEYS.join(REMEDIES).outerjoin(OUTBOX, and_(item, same)))
        .where(or_(OUTBOX.c.outbox_id.is_(None), REMEDIES.c.customer_id != SURVEYS.c.customer_id))
        .order_by(SURVEYS.c.survey_id)
    )
    for row in connection.execute(query):
        told = "its item is not in the outbox" if row.outbox_id is None else "its remedy is another customer's"
        yield Breach("surveys", row.survey_id, told)


def written(connection: Connection, _now: int) -> Iterator[Breach]:
    """Surveys that are still to be sent and have no text any more: a ledger of an older version has none."""
    is_gone = ~select(SURVEYS.c.survey_id).where(SURVEYS.c.survey_id == OUTBOX.c.outbox_id).exists()
    to_send = OUTBOX.c.state.in_((State.APPROVED, State.SENDING, State.UNKNOWN))
    query = select(OUTBOX.c.outbox_id, OUTBOX.c.state).where(OUTBOX.c.kind == SURVEY, to_send, is_gone)
    for row in connection.execute(query.order_by(OUTBOX.c.outbox_id)):
        yield Breach("outbox", row.outbox_id, f"this survey is {row.state}, and its text is gone")


def once_a_period(connection: Connection, _now: int) -> Iterator[Breach]:
    """Surveys that came sooner after another one to the same customer than the policy of then allowed."""
    survey = SURVEYS.c
    before = func.lag(survey.asked_at).over(partition_by=survey.customer_id, order_by=survey.asked_at)
    each = select(survey.survey_id, survey.asked_at, survey.every_days, before.label("before")).subquery()
    too_soon = each.c.asked_at - each.c.before < each.c.every_days * DAY_MS
    for row in connection.execute(select(each).where(too_soon).order_by(each.c.survey_id)):
        days = (row.asked_at - row.before) // DAY_MS
        yield Breach("surveys", row.survey_id, f"it came {days} days after another, and {row.every_days} were to pass")


def after_the_apology(connection: Connection, _now: int) -> Iterator[Breach]:
    """Surveys that were begun before the apology that they ask about had been sent."""
    apology, begun, told = OUTBOX.alias("apology"), AUDIT.alias("begun"), AUDIT.alias("told")
    of_survey = (begun.c.entity == "outbox", begun.c.entity_id == OUTBOX.c.outbox_id, begun.c.after == State.SENDING)
    sent = select(told.c.number).where(
        told.c.entity == "outbox",
        told.c.entity_id == apology.c.outbox_id,
        told.c.after.in_((State.SENT, State.SETTLED)),
        told.c.number < begun.c.number,
    )
    query = (
        select(OUTBOX.c.outbox_id, begun.c.number)
        .join(begun, and_(*of_survey))
        .outerjoin(apology, and_(apology.c.remedy_id == OUTBOX.c.remedy_id, apology.c.kind == "mail"))
        .where(OUTBOX.c.kind == SURVEY, ~sent.exists())
        .order_by(OUTBOX.c.outbox_id)
    )
    for row in connection.execute(query):
        told_of = f"row {row.number} of the audit log began to send this survey"
        yield Breach("outbox", row.outbox_id, f"{told_of}, and its apology had not been sent")


def replied(connection: Connection, _now: int) -> Iterator[Breach]:
    """Replies to surveys that were never sent, and replies of which the audit log does not tell."""
    sent = select(AUDIT.c.number).where(
        AUDIT.c.entity == "outbox", AUDIT.c.entity_id == SURVEYS.c.survey_id, AUDIT.c.after == State.SENDING
    )
    for column, word in ((SURVEYS.c.score, "answered"), (SURVEYS.c.unsubscribed_at, "unsubscribed")):
        told = select(AUDIT.c.number).where(
            AUDIT.c.entity == "survey", AUDIT.c.entity_id == SURVEYS.c.survey_id, AUDIT.c.after == word
        )
        query = select(SURVEYS.c.survey_id, sent.exists().label("was_sent")).where(
            column.is_not(None), or_(~sent.exists(), ~told.exists())
        )
        for row in connection.execute(query.order_by(SURVEYS.c.survey_id)):
            problem = "the audit log does not tell of it" if row.was_sent else "it was never sent"
            yield Breach("surveys", row.survey_id, f"it is {word}, and {problem}")
