"""Who is asked, when, and how often."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, update

from remediation.blocks import block
from remediation.database import writing
from remediation.forgetting import forget
from remediation.gateways.refunds import RefundStatus
from remediation.ledger.audit import Author
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import CUSTOMERS, OUTBOX, REMEDIES
from remediation.loyalty.inviting import Invited
from remediation.mailing.suppressed import suppress
from remediation.outbox.states import State
from remediation.policy.load import default_policy
from remediation.remedy import Action
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, count, owed, record_night, rows, with_orders
from tests.remediation.loyalty.asked import (
    DAY,
    RULES,
    WEEK_LATER,
    asked,
    asked_and_sent,
    made_good,
    sent,
    surveys,
    unsubscribed,
)
from tests.remediation.outbox.senders import Gateway

ADA = Author("person ada", MORNING + DAY)
HOUR = 3_600_000


def test_nobody_is_asked_unless_the_policy_says_so(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    assert not default_policy().survey.enabled
    assert asked(ledger, rules=RULES.model_copy(update={"enabled": False})) == Invited()
    assert count(ledger, SURVEYS) == 0


def test_customers_are_asked_from_a_week_after_the_apology_until_it_is_a_month_ago(ledger: Engine) -> None:
    days = {"C-too-soon": 6.99, "C-a-week": 7, "C-still": 29.9, "C-too-late": 30}
    for customer, ago in days.items():
        made_good(ledger, customer, at=MORNING - round(ago * DAY))
    assert asked(ledger, MORNING) == Invited(2)
    assert [customer for _, customer in surveys(ledger)] == ["C-a-week", "C-still"]


def test_the_survey_is_a_mail_of_its_own_in_the_outbox_and_comes_once(ledger: Engine) -> None:
    made_good(ledger, "C-1", "C-2")
    assert asked(ledger) == Invited(2)
    (first, _) = (row for row in rows(ledger, OUTBOX) if row["kind"] == "survey")
    assert (first["state"], first["not_before"], first["amount_minor"]) == ("approved", WEEK_LATER, None)
    told = {row["text"] for row in rows(ledger, SURVEYS)}
    assert all("How likely are you to recommend us" in text and "survey.invalid" in text for text in told)
    before = rows(ledger, SURVEYS), rows(ledger, OUTBOX)
    assert asked(ledger) == Invited()
    assert (rows(ledger, SURVEYS), rows(ledger, OUTBOX)) == before


def test_a_customer_is_asked_once_in_the_policys_days_about_what_was_last(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    made_good(ledger, "C-1", at=MORNING + DAY)
    assert asked(ledger, MORNING + 8 * DAY) == Invited(1)
    made_good(ledger, "C-1", at=MORNING + 20 * DAY)
    assert asked(ledger, MORNING + 27 * DAY) == Invited()
    made_good(ledger, "C-1", at=MORNING + 91 * DAY)
    assert asked(ledger, MORNING + 98 * DAY - 1) == Invited()
    assert asked(ledger, MORNING + 98 * DAY) == Invited(1)
    by_time = sorted(rows(ledger, SURVEYS), key=lambda row: row["asked_at"])
    lines = {row["remedy_id"]: row["order_line_id"] for row in rows(ledger, REMEDIES)}
    assert [lines[row["remedy_id"]] for row in by_time] == [
        f"OL-C-1-{MORNING + DAY}",
        f"OL-C-1-{MORNING + 91 * DAY}",
    ]


def test_a_survey_waits_for_the_morning_of_its_customer(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    with writing(ledger) as connection:
        connection.execute(update(CUSTOMERS).values(timezone="Pacific/Auckland"))
    asked(ledger, WEEK_LATER)  # 21:20 in Auckland
    (item,) = [row for row in rows(ledger, OUTBOX) if row["kind"] == "survey"]
    assert 0 < item["not_before"] - WEEK_LATER < 12 * HOUR
    assert sent(ledger, WEEK_LATER).surveys.waiting == 1
    assert sent(ledger, item["not_before"]).surveys.sent == 1


def test_nobody_is_asked_while_their_money_is_not_final_or_something_of_theirs_is_open(ledger: Engine) -> None:
    pending, credit = an_order("pending", customer_id="C-pending"), an_order("credit", customer_id="C-credit")
    with_orders(ledger, pending, credit)
    gift = (Action("refund", 299), Action("credit", 60))
    record_night(ledger, owed(a_remedy("pending", customer_id="C-pending"), not_before=MORNING), as_of=MORNING)
    gateway = Gateway(status=RefundStatus.PENDING)
    assert sent(ledger, MORNING, gateway=gateway).mails.sent == 1
    made_good(ledger, "C-fine", "C-held", "C-failed", "C-disputed", "C-silenced", "C-forgotten", "C-untitled")
    record_night(ledger, owed(a_remedy("credit", customer_id="C-credit", actions=gift)), as_of=MORNING + 1)
    assert sent(ledger, MORNING + 1).mails.waiting == 1
    made_good(ledger, "C-held", at=MORNING + DAY, state="held")
    failed = remedy_of_customer(ledger, "C-failed")
    with writing(ledger) as connection:
        connection.execute(
            update(OUTBOX).where(OUTBOX.c.kind == "refund", OUTBOX.c.remedy_id == failed).values(state=State.FAILED)
        )
    block(ledger, f"OL-C-disputed-{MORNING}", "dispute", ADA, "the bank says so")
    suppress(ledger, "c-silenced@example.com", "request", ADA)
    forget(ledger, "C-forgotten", ADA, "request 17")
    with_orders(ledger, an_order(f"OL-C-untitled-{MORNING}", title="\u200b", customer_id="C-untitled"))
    assert asked(ledger) == Invited(invited=1, suppressed=1, unwritten=1)
    assert surveys(ledger) == [("approved", "C-fine")]

    gateway.status = RefundStatus.SUCCEEDED
    sent(ledger, WEEK_LATER, gateway=gateway)
    assert asked(ledger) == Invited(invited=1, suppressed=1, unwritten=1)
    assert ("approved", "C-pending") in surveys(ledger)


def remedy_of_customer(ledger: Engine, customer_id: str) -> str:
    (found,) = (row["remedy_id"] for row in rows(ledger, REMEDIES) if row["customer_id"] == customer_id)
    return str(found)


def test_who_has_unsubscribed_is_never_asked_again_under_whichever_id(ledger: Engine) -> None:
    made_good(ledger, "C-1", "C-2", "C-3")
    asked_and_sent(ledger)
    unsubscribed(ledger, "C-1")
    with writing(ledger) as connection:
        connection.execute(update(CUSTOMERS).where(CUSTOMERS.c.customer_id == "C-2").values(email="C-1@Example.com"))
    later = MORNING + 200 * DAY
    made_good(ledger, "C-1", "C-3", at=later)
    with_orders_of_the_same_address(ledger, later)
    assert asked(ledger, later + 7 * DAY) == Invited(1)
    assert {row["customer_id"] for row in rows(ledger, SURVEYS) if row["asked_at"] > later} == {"C-3"}


def with_orders_of_the_same_address(ledger: Engine, at: int) -> None:
    """C-2 is another id of the person who is C-1."""
    made_good(ledger, "C-2", at=at + 1)
    with writing(ledger) as connection:
        connection.execute(update(CUSTOMERS).where(CUSTOMERS.c.customer_id == "C-2").values(email="C-1@Example.com"))


def test_both_arms_are_asked_alike(ledger: Engine) -> None:
    made_good(ledger, "C-1", refund=200, arm="holdout", withheld_minor=60)
    made_good(ledger, "C-2", refund=200)
    asked(ledger)
    held_out, other = ({**row} for row in rows(ledger, SURVEYS))
    assert [without_ids(held_out, "C-1"), held_out["asked_at"]] == [without_ids(other, "C-2"), other["asked_at"]]


def without_ids(survey: dict[str, Any], customer_id: str) -> list[str]:
    return [survey[part].replace(customer_id, "C") for part in ("subject", "text", "html", "language")]


def test_the_survey_is_in_the_language_of_the_apology(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    with_orders(ledger, an_order("OL-2", customer_id="C-2"))
    resolution = owed(a_remedy("OL-2", customer_id="C-2"))
    assert resolution.mail
    record_night(ledger, replace(resolution, mail=replace(resolution.mail, language="ja")), as_of=MORNING + 1)
    sent(ledger, MORNING + 1)
    asked(ledger, WEEK_LATER + 1)
    assert {row["customer_id"]: row["language"] for row in rows(ledger, SURVEYS)} == {"C-1": "en", "C-2": "ja"}
