"""Sends surveys through the sender of all mails, and calls off those that are not to be sent any more."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, Engine, Select, and_, case, not_, or_, select

from remediation.database import writing
from remediation.durations import DAY_MS
from remediation.gateways.errors import RefusedError
from remediation.ledger.audit import Author
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import OUTBOX, REMEDIES
from remediation.loyalty.links import Links
from remediation.mail import Mail
from remediation.mailer import Addressed, PostMails, stored
from remediation.outbox.claims import SURVEY, Item, all_is_final, cancel, is_put_off, item_of
from remediation.outbox.states import State
from remediation.outbox.worker import Done

ACTOR: Final = "surveys"
STALE_MS: Final = 14 * DAY_MS
"""A survey that could not be sent for two weeks asks about what is long over."""


@dataclass(frozen=True, slots=True)
class PostSurveys(PostMails):
    """The errand of surveys: their mails, with links in the place of placeholders."""

    links: Links

    kind: ClassVar[str] = SURVEY
    actor: ClassVar[str] = ACTOR

    def do(self, item: Item) -> Done:
        """Sends it as `PostMails` does, unless the customer has unsubscribed.

        Raises:
          RefusedError: They have, or as for every mail.
          DeferredError: It is night at the customer's.
        """
        with self.engine.connect() as connection:
            if has_unsubscribed(connection, item.remedy_id):
                raise RefusedError("the customer has unsubscribed from surveys")
        return PostMails.do(self, item)

    def addressed(self, connection: Connection, item: Item) -> Addressed:
        """The stored survey of an item."""
        row = stored(connection, SURVEYS, item.remedy_id)
        mail = Mail(row.survey_id, row.message_id, row.language, row.subject, row.text, row.html)
        return Addressed(self.links.filled(mail), row.email, row.timezone, row.policy_sha256)


def has_unsubscribed(connection: Connection, remedy_id: str) -> bool:
    """Whether the customer of this remedy has unsubscribed by any survey of theirs."""
    other = SURVEYS.alias("other")
    same = (other.c.customer_id == REMEDIES.c.customer_id, other.c.unsubscribed_at.is_not(None))
    query = select(REMEDIES.c.remedy_id).join(other, and_(*same)).where(REMEDIES.c.remedy_id == remedy_id)
    return connection.execute(query.limit(1)).first() is not None


def call_off(engine: Engine, at: int) -> int:
    """Ends surveys of which nothing may or can come any more; returns how many. `at` is milliseconds since the epoch.

    A survey that was refused or came back, or of which nobody knows whether it
    arrived, needs nobody: it is not sent again, and no person asks in its place.
    """
    with engine.connect() as connection:
        found = connection.execute(_idle(at)).all()
    if not found:
        return 0
    author = Author(ACTOR, at)
    with writing(engine) as connection:
        found = connection.execute(_idle(at)).all()
        for row in found:
            cancel(connection, item_of(row), author, row.reason)
    return len(found)


def _idle(at: int) -> Select[Any]:
    """Items of surveys that are to be ended, with the `reason`; none that is being sent this very moment."""
    survey = OUTBOX.c
    is_gone = not_(select(SURVEYS.c.survey_id).where(SURVEYS.c.survey_id == survey.outbox_id).exists())
    stands = and_(REMEDIES.c.state == "approved", all_is_final(survey.remedy_id))
    reason = case(
        (survey.state.in_((State.FAILED, State.MANUAL)), "it did not arrive or nobody can tell, and is not sent again"),
        (is_gone, "its text is gone"),
        (not_(stands), "what it asks about is not done for good any more"),
        (survey.not_before < at - STALE_MS, "it has waited too long to be sent"),
    )
    waits = or_(survey.state.in_((State.APPROVED, State.FAILED, State.MANUAL)), is_put_off())
    query = select(OUTBOX, reason.label("reason")).join(REMEDIES).where(survey.kind == SURVEY, waits)
    return query.where(reason.is_not(None)).order_by(survey.outbox_id)
