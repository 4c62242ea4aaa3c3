"""Builders: customers who were made good to, asked a week later, and replied; a test names only what it is about."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any, Final

from sqlalchemy import Engine

from remediation.gateways.mails import Mailer
from remediation.gateways.refunds import RefundGateway
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import OUTBOX
from remediation.loyalty.importing import Replied, import_answers, import_unsubscriptions
from remediation.loyalty.inviting import Invited, invite
from remediation.loyalty.links import Links, Tokens
from remediation.loyalty.rules import SurveyRules
from remediation.mail import Invitation
from remediation.outbox.dispatch import Dispatched, Ways, dispatch
from tests.remediation.ledger.evenings import (
    MORNING,
    a_remedy,
    an_order,
    json_lines,
    owed,
    record_night,
    rows,
    with_orders,
)
from tests.remediation.outbox.senders import Gateway, Mailbox

DAY: Final = 86_400_000
RULES: Final = SurveyRules(enabled=True, after_days=7, until_days=30, every_days=90)
TOKENS: Final = Tokens.of("ab" * 32)
LINKS: Final = Links.of("https://shop.example/rate", "https://shop.example/off?list=survey", TOKENS)
WEEK_LATER: Final = MORNING + 7 * DAY


def made_good(ledger: Engine, *customers: str, at: int = MORNING, **fields: Any) -> None:
    """Each customer is refunded for a film of theirs, and told, at `at`."""
    lines = {customer: f"OL-{customer}-{at}" for customer in customers}
    with_orders(
        ledger, *(an_order(line, order_id=f"O-{line}", customer_id=customer) for customer, line in lines.items())
    )
    night = (owed(a_remedy(line, customer_id=customer, **fields), not_before=at) for customer, line in lines.items())
    record_night(ledger, *night, as_of=at)
    sent(ledger, at)


def sent(
    ledger: Engine,
    at: int,
    mailer: Mailer | None = None,
    gateway: RefundGateway | None = None,
    links: Links | None = LINKS,
) -> Dispatched:
    """One pass of the sender."""
    return dispatch(ledger, Ways(gateway or Gateway(), mailer or Mailbox(), links=links), lambda: at)


def asked(ledger: Engine, at: int = WEEK_LATER, rules: SurveyRules = RULES) -> Invited:
    """The invitation of one morning."""
    return invite(ledger, rules, at)


def invitations(mailbox: Mailbox) -> dict[str, Invitation]:
    """The surveys that were sent, by recipient."""
    return {recipient: mail for mail, recipient in mailbox.taken if isinstance(mail, Invitation)}


def asked_and_sent(ledger: Engine, at: int = WEEK_LATER) -> dict[str, Invitation]:
    """Everybody who is due is asked, and gets the mail."""
    mailbox = Mailbox()
    asked(ledger, at)
    sent(ledger, at, mailbox)
    return invitations(mailbox)


def token_of(ledger: Engine, customer_id: str) -> str:
    """The token in the links of this customer's last survey."""
    mine = [row for row in rows(ledger, SURVEYS) if row["customer_id"] == customer_id]
    return TOKENS.token(max(mine, key=lambda row: row["asked_at"])["survey_id"])


def an_answer(ledger: Engine, customer_id: str, score: object, at: object = WEEK_LATER + DAY) -> dict[str, object]:
    return {"token": token_of(ledger, customer_id), "score": score, "answered_at": at}


def answered(ledger: Engine, *answers: dict[str, object], now: int = WEEK_LATER + 2 * DAY) -> Replied:
    return import_answers(ledger, json_lines(*answers), "answers.jsonl", TOKENS, now)


def unsubscribed(ledger: Engine, customer_id: str, at: int = WEEK_LATER + DAY, token: str | None = None) -> Replied:
    reply = {"token": token or token_of(ledger, customer_id), "unsubscribed_at": at}
    return import_unsubscriptions(ledger, json_lines(reply), "off.jsonl", TOKENS, at)


def csv(*lines: str) -> BytesIO:
    return BytesIO("\n".join(lines).encode())


def scores(ledger: Engine) -> dict[str, int | None]:
    """What each customer's survey says."""
    return {row["customer_id"]: row["score"] for row in rows(ledger, SURVEYS)}


def surveys(ledger: Engine) -> list[tuple[str, str]]:
    """(state, customer) of every survey's item."""
    customers = {row["survey_id"]: row["customer_id"] for row in rows(ledger, SURVEYS)}
    items: Iterable[dict[str, Any]] = rows(ledger, OUTBOX)
    return sorted((row["state"], customers[row["outbox_id"]]) for row in items if row["outbox_id"] in customers)
