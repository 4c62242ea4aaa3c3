"""What customers reply: answers and unsubscriptions, as the service's own pages took them.

JSON Lines or CSV, one record a row. The token is the survey's; whatever else a row
said would name somebody.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from remediation.orders import EpochMs, Record

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]


class Answer(Record):
    """How likely the customer is to recommend the service, and when they said so."""

    token: Token
    score: Annotated[int, Field(ge=0, le=10)]
    answered_at: EpochMs


class Unsubscription(Record):
    """The customer is not to be asked any more."""

    token: Token
    unsubscribed_at: EpochMs
