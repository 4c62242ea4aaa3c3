"""Who was asked how likely they are to recommend the service, and what they answered.

Times are milliseconds since the epoch. What is written here names nobody: the
address is looked up when the mail is sent, and the token in its links is filled in then.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from remediation.ledger.tables import METADATA
from remediation.mail import ERASED

SURVEYS: Final = Table(
    "surveys",
    METADATA,
    Column("survey_id", String(36), primary_key=True),  # that of its outbox item, which the token names
    Column("remedy_id", ForeignKey("remedies.remedy_id"), nullable=False, unique=True),
    Column("customer_id", String, nullable=False),
    Column("asked_at", BigInteger, nullable=False),  # as_of of the invitation
    # The policy's days between two surveys of a customer, and which such period since the epoch this one is in.
    Column("every_days", BigInteger, nullable=False),  # in milliseconds, as below, a quarter is more than 32 bits hold
    Column("period", Integer, nullable=False),
    Column("message_id", String, nullable=False, unique=True),
    Column("language", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("score", Integer),
    Column("answered_at", BigInteger),
    Column("unsubscribed_at", BigInteger),
    # Two in one period are too many wherever in it they are; how far apart they are, a row cannot tell.
    UniqueConstraint("customer_id", "every_days", "period", name="uq_surveys_once_a_period"),
    CheckConstraint("every_days >= 1", name="every_days_positive"),
    CheckConstraint("period = asked_at / (every_days * 86400000)", name="period_of_asking"),
    CheckConstraint("score >= 0 AND score <= 10", name="score_from_0_to_10"),
    CheckConstraint("(score IS NULL) = (answered_at IS NULL)", name="score_with_its_moment"),
    CheckConstraint("answered_at >= asked_at", name="answered_after_asking"),
)

UNSAID: Final[Mapping[str, object]] = {
    **dict.fromkeys(("subject", "text", "html"), ERASED),
    "score": None,
    "answered_at": None,
}
"""What is left once it is erased: that somebody was asked stays, and that they want to be asked no more."""
