"""Who is asked, and when: what is decided here goes into the outbox, and is sent like every other mail.

Customers with and without goodwill are asked by the same rules, about the same
kind of day, in the same words: else their answers could not be compared.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, and_, exists, func, not_, select

from detectors.finding import content_id
from remediation.database import writing
from remediation.durations import DAY_MS
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.control import control, percentile
from remediation.ledger.control_tables import AUDIT, BLOCKS, FORGOTTEN
from remediation.ledger.sql import chunks, insert_new
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import CUSTOMERS, MAILS, ORDER_LINES, OUTBOX, REMEDIES
from remediation.loyalty.asking import ask
from remediation.loyalty.posting import ACTOR
from remediation.loyalty.rules import SurveyRules
from remediation.mail import Mail
from remediation.mailing.hours import hours
from remediation.mailing.suppressed import suppression
from remediation.notices.errors import NoticeError
from remediation.notices.locales import subtags
from remediation.orders import OrderLine
from remediation.outbox.claims import SURVEY, all_is_final
from remediation.outbox.states import State
from remediation.policy.quiet_hours import UnknownTimezoneError, next_allowed


@dataclass(frozen=True, slots=True)
class Invited:
    """How many are asked, how many get no mails at all, and how many surveys could not be written."""

    invited: int = 0
    suppressed: int = 0
    unwritten: int = 0


def invite(engine: Engine, rules: SurveyRules, as_of: int) -> Invited:
    """Writes the surveys that are due at `as_of` (milliseconds since the epoch) into the outbox; sends none.

    A customer is asked about the apology that they got last, once all their money
    and goods are final, and once in the policy's days. The same moment again, or
    two at once, ask nobody twice.
    """
    if not rules.enabled:
        return Invited()
    with engine.connect() as connection:
        due = _latest(connection.execute(_due(rules, as_of)).all())
    done = Invited()
    for chunk in chunks(sorted(due)):
        with writing(engine) as connection:
            # Asked once more under the lock: a block, a refund that fails or another invitation may have come between.
            still = _latest(connection.execute(_due(rules, as_of).where(REMEDIES.c.customer_id.in_(chunk))).all())
            done = _sum(done, _write(connection, still, rules, as_of))
    return done


def _due(rules: SurveyRules, as_of: int) -> Select[Any]:
    """Remedies about which their customer may be asked: with the order line, the customer, and when was written."""
    apology = OUTBOX.alias("apology")
    is_apology = and_(apology.c.remedy_id == REMEDIES.c.remedy_id, apology.c.kind == "mail")
    was_sent = and_(AUDIT.c.entity == "outbox", AUDIT.c.entity_id == apology.c.outbox_id, AUDIT.c.after == State.SENT)
    customer = CUSTOMERS.c
    whose = (customer.email, customer.locale, customer.timezone, MAILS.c.language)
    when = (AUDIT.c.at <= as_of - rules.after_days * DAY_MS, AUDIT.c.at > as_of - rules.until_days * DAY_MS)
    return (
        select(REMEDIES.c.remedy_id, REMEDIES.c.policy_sha256, ORDER_LINES, *whose, AUDIT.c.at.label("wrote_at"))
        .join(apology, is_apology)
        .join(AUDIT, was_sent)
        .join(MAILS, MAILS.c.remedy_id == REMEDIES.c.remedy_id)
        .join(ORDER_LINES, ORDER_LINES.c.order_line_id == REMEDIES.c.order_line_id)
        .join(CUSTOMERS, customer.customer_id == REMEDIES.c.customer_id)
        .where(REMEDIES.c.state == "approved", apology.c.state.in_((State.SENT, State.SETTLED)), *when)
        .where(~_has_open_case(), ~_was_asked(rules, as_of), ~_is_left_alone())
    )


def _has_open_case() -> ColumnElement[bool]:
    """Whether anything of this customer is not decided, not done for good, or blocked."""
    other = REMEDIES.alias("other")
    undecided = other.c.state.in_(("proposed", "held"))
    undone = and_(other.c.state == "approved", not_(all_is_final(other.c.remedy_id)))
    blocked = exists().where(BLOCKS.c.order_line_id == other.c.order_line_id)
    theirs = other.c.customer_id == REMEDIES.c.customer_id
    return exists(select(other.c.remedy_id).where(theirs, undecided | undone | blocked))


def _was_asked(rules: SurveyRules, as_of: int) -> ColumnElement[bool]:
    """Whether this customer was asked within the policy's days, or about this very remedy, whatever became of it."""
    lately = SURVEYS.c.asked_at > as_of - rules.every_days * DAY_MS
    about_this = SURVEYS.c.remedy_id == REMEDIES.c.remedy_id
    theirs = SURVEYS.c.customer_id == REMEDIES.c.customer_id
    return exists(select(SURVEYS.c.survey_id).where(theirs, lately | about_this))


def _is_left_alone() -> ColumnElement[bool]:
    """Whether the customer is forgotten, or has unsubscribed, under whichever of their ids."""
    forgotten = exists().where(FORGOTTEN.c.customer_id == REMEDIES.c.customer_id)
    same = CUSTOMERS.alias("same")
    unsubscribed = (
        select(SURVEYS.c.survey_id)
        .outerjoin(same, same.c.customer_id == SURVEYS.c.customer_id)
        .where(
            SURVEYS.c.unsubscribed_at.is_not(None),
            (SURVEYS.c.customer_id == REMEDIES.c.customer_id)
            | (func.lower(same.c.email) == func.lower(CUSTOMERS.c.email)),
        )
        .correlate(REMEDIES, CUSTOMERS)
    )
    return forgotten | unsubscribed.exists()


def _latest(rows: Collection[Row[Any]]) -> Mapping[str, Row[Any]]:
    """Of each customer's remedies the one of which was written last."""
    ordered = sorted(rows, key=lambda row: (row.wrote_at, row.remedy_id))
    return {row.customer_id: row for row in ordered}


def _write(connection: Connection, due: Mapping[str, Row[Any]], rules: SurveyRules, as_of: int) -> Invited:
    done, salt = Invited(), control(connection).salt
    surveys, items, births = [], [], []
    for customer_id, row in sorted(due.items()):
        if suppression(connection, row.email):
            done = replace(done, suppressed=done.suppressed + 1)
            continue
        try:
            allowed = hours(connection, row.policy_sha256)
            not_before = next_allowed(as_of, row.timezone, allowed.start, allowed.end)
            mail = _asked(row)
        except (NoticeError, UnknownTimezoneError):
            done = replace(done, unwritten=done.unwritten + 1)
            continue
        surveys.append(_survey(mail, row, rules, as_of))
        items.append(_item(mail.remedy_id, row, not_before, percentile(customer_id, salt)))
        births.append(Change("outbox", mail.remedy_id, None, State.APPROVED, f"{SURVEY} about remedy {row.remedy_id}"))
    insert_new(connection, SURVEYS, surveys)
    insert_new(connection, OUTBOX, items)
    note(connection, Author(ACTOR, as_of), births)
    return replace(done, invited=len(surveys))


def _asked(row: Row[Any]) -> Mail:
    """In the language of the apology: who wrote to us in another one than their record's got that one, too."""
    line = OrderLine.model_validate({name: getattr(row, name) for name in OrderLine.model_fields})
    is_theirs = subtags(row.locale)[-1] == subtags(row.language)[-1]
    survey_id = content_id(remedy_id=row.remedy_id, kind=SURVEY)
    return ask(survey_id, line, row.locale if is_theirs else row.language, row.timezone, row.wrote_at)


def _survey(mail: Mail, row: Row[Any], rules: SurveyRules, as_of: int) -> dict[str, object]:
    texts = {**asdict(mail), "survey_id": mail.remedy_id, "remedy_id": row.remedy_id}
    period = as_of // (rules.every_days * DAY_MS)
    asked = {"customer_id": row.customer_id, "asked_at": as_of, "every_days": rules.every_days, "period": period}
    return {**texts, **asked}


def _item(survey_id: str, row: Row[Any], not_before: int, canary_percentile: int) -> dict[str, object]:
    return {
        "outbox_id": survey_id,
        "remedy_id": row.remedy_id,
        "kind": SURVEY,
        "state": State.APPROVED,
        "not_before": not_before,
        "canary_percentile": canary_percentile,
    }


def _sum(one: Invited, other: Invited) -> Invited:
    return Invited(one.invited + other.invited, one.suppressed + other.suppressed, one.unwritten + other.unwritten)
