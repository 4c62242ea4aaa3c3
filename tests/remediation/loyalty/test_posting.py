"""Surveys leave through the sender of all mails: once, with links of their own, and not at all when things changed."""

import re
from email import message_from_bytes, policy
from pathlib import Path

from sqlalchemy import Engine, delete, update

from remediation.database import writing
from remediation.forgetting import forget
from remediation.gateways.errors import SilentError
from remediation.gateways.file_mails import FileMailer
from remediation.ledger.audit import Author
from remediation.ledger.control import Mode, set_mode
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import CUSTOMERS, OUTBOX
from remediation.loyalty.posting import STALE_MS, PostSurveys
from remediation.mail import Invitation
from remediation.mailing.bounces import Bounce
from remediation.mailing.returned import take
from remediation.mailing.suppressed import suppress
from remediation.notices.envelope import address
from remediation.outbox.states import State
from remediation.outbox.worker import Passed, Worker
from remediation.reviewing.cases import list_cases
from tests.remediation.ledger.evenings import MORNING, rows
from tests.remediation.loyalty.asked import (
    DAY,
    LINKS,
    TOKENS,
    WEEK_LATER,
    asked,
    asked_and_sent,
    invitations,
    made_good,
    sent,
    surveys,
    token_of,
    unsubscribed,
)
from tests.remediation.notices.letters import SENDER
from tests.remediation.outbox.senders import Mailbox

ADA = Author("person ada", WEEK_LATER)


def raises(error: Exception) -> None:
    raise error


def test_each_customer_gets_one_with_links_of_their_own(ledger: Engine) -> None:
    made_good(ledger, "C-1", "C-2")
    mails = asked_and_sent(ledger)
    assert set(mails) == {"c-1@example.com", "c-2@example.com"}
    for customer, mail in zip(("C-1", "C-2"), (mails["c-1@example.com"], mails["c-2@example.com"]), strict=True):
        token = token_of(ledger, customer)
        assert f"https://shop.example/rate?token={token}\n" in mail.text
        assert f"https://shop.example/off?list=survey&token={token}\n" in mail.text
        for score in range(11):
            assert f'href="https://shop.example/rate?token={token}&amp;score={score}"' in mail.html
        assert mail.unsubscribe == f"https://shop.example/off?list=survey&token={token}"
        assert "survey.invalid" not in mail.text + mail.html
        assert not {customer, customer.lower(), f"{customer.lower()}@example.com"} & set(
            re.split(r"[\s\"<>=]", mail.text)
        )
        assert token not in repr([*rows(ledger, SURVEYS), *rows(ledger, OUTBOX)])
    assert sent(ledger, WEEK_LATER + DAY).surveys == Passed()


def test_a_survey_waits_for_its_links_and_the_switch_and_can_be_left_with_one_click(
    ledger: Engine, tmp_path: Path
) -> None:
    made_good(ledger, "C-1")
    asked(ledger)
    assert sent(ledger, WEEK_LATER, links=None).surveys == Passed(waiting=1)
    set_mode(ledger, Mode.OFF, ADA, "a drill")
    assert sent(ledger, WEEK_LATER).surveys == Passed(waiting=1)
    set_mode(ledger, Mode.NORMAL, ADA, "the drill is over")
    assert sent(ledger, WEEK_LATER, FileMailer(tmp_path, SENDER)).surveys == Passed(sent=1)
    (survey,) = rows(ledger, SURVEYS)
    wire = (tmp_path / f"{survey['survey_id']}.eml").read_bytes()
    url = f"https://shop.example/off?list=survey&token={token_of(ledger, 'C-1')}"
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in wire
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in wire
    assert message_from_bytes(wire, policy=policy.SMTP)["List-Unsubscribe"] == f"<{url}>"


def test_the_longest_url_that_may_be_configured_stays_one_line() -> None:
    url = f"https://shop.example/{'a' * 279}"
    links = type(LINKS).of(url, url, TOKENS)
    filled = links.filled(a_plain_mail())
    wire = bytes(address(filled, "rick@example.com", SENDER))
    assert f"\r\nList-Unsubscribe: <{filled.unsubscribe}>\r\n".encode() in wire
    assert max(map(len, wire.split(b"\r\n"))) <= 998


def a_plain_mail() -> Invitation:
    survey_id = "5e1a3d2c-0f5b-5c7e-9a51-0c2a4b6d8e10"
    return Invitation(survey_id, "a" * 26, "en", "Hello", "Hello", "<p>Hello</p>", "")


class TestWhatIsCalledOff:
    def test_what_nobody_may_or_can_be_asked_about_any_more(self, ledger: Engine) -> None:
        made_good(ledger, "C-failed", "C-lost", "C-fine")
        asked(ledger)
        ids = {row["customer_id"]: row for row in rows(ledger, SURVEYS)}
        failed, lost = ids["C-failed"]["remedy_id"], ids["C-lost"]["survey_id"]
        with writing(ledger) as connection:
            refund = (OUTBOX.c.kind == "refund", OUTBOX.c.remedy_id == failed)
            connection.execute(update(OUTBOX).where(*refund).values(state=State.FAILED))
            connection.execute(delete(SURVEYS).where(SURVEYS.c.survey_id == lost))
        assert sent(ledger, WEEK_LATER + STALE_MS, links=None).surveys == Passed(waiting=1)
        states = {row["outbox_id"]: row["state"] for row in rows(ledger, OUTBOX)}
        assert [states[ids[who]["survey_id"]] for who in sorted(ids)] == ["cancelled", "approved", "cancelled"]
        assert sent(ledger, WEEK_LATER + STALE_MS + 1).surveys == Passed()
        assert surveys(ledger) == [("cancelled", "C-failed"), ("cancelled", "C-fine")]

    def test_one_of_a_customer_who_unsubscribes_meanwhile(self, ledger: Engine) -> None:
        made_good(ledger, "C-1", "C-2")
        asked_and_sent(ledger)
        later, old = MORNING + 95 * DAY, token_of(ledger, "C-2")
        made_good(ledger, "C-1", "C-2", at=later)
        asked(ledger, later + 7 * DAY)
        unsubscribed(ledger, "C-2", later + 7 * DAY, old)
        assert sent(ledger, later + 7 * DAY).surveys == Passed(sent=1)
        assert surveys(ledger) == [("cancelled", "C-2"), ("sent", "C-1"), ("sent", "C-1"), ("sent", "C-2")]

    def test_one_that_is_refused_or_may_have_arrived_needs_nobody_and_is_not_sent_again(self, ledger: Engine) -> None:
        made_good(ledger, "C-1", "C-2")
        asked(ledger)
        suppress(ledger, "c-1@example.com", "complaint", ADA)
        mailbox = Mailbox(after=lambda: raises(SilentError("the line broke after the final dot")))
        assert sent(ledger, WEEK_LATER, mailbox).surveys == Passed(failed=1, manual=1)
        assert sent(ledger, WEEK_LATER + DAY).surveys == Passed()
        assert [recipient for _, recipient in mailbox.taken] == ["c-2@example.com"]
        assert surveys(ledger) == [("cancelled", "C-1"), ("cancelled", "C-2")]
        assert list_cases(ledger) == ()


def test_a_refund_that_fails_while_surveys_are_being_sent_stops_its_own(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    asked(ledger)
    with writing(ledger) as connection:
        connection.execute(update(OUTBOX).where(OUTBOX.c.kind == "refund").values(state=State.FAILED))
    mailbox = Mailbox()  # what was to be called off has been, and then the refund failed
    errand = PostSurveys(ledger, mailbox, lambda: WEEK_LATER, LINKS)
    assert Worker(ledger, errand, lambda: WEEK_LATER, lambda: True).run() == Passed(waiting=1)
    assert mailbox.taken == []


def test_a_survey_to_who_is_forgotten_meanwhile_is_called_off(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    asked(ledger)
    assert forget(ledger, "C-1", ADA, "request 17").mails_called_off == 1
    assert surveys(ledger) == [("cancelled", "C-1")]


def test_who_unsubscribed_the_moment_before_gets_none(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    asked(ledger)
    with writing(ledger) as connection:
        connection.execute(update(SURVEYS).values(unsubscribed_at=WEEK_LATER))
    mailbox = Mailbox()
    assert sent(ledger, WEEK_LATER, mailbox).surveys == Passed(failed=1)
    assert mailbox.taken == []


def test_it_goes_to_the_present_address_in_the_hours_of_its_customer(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    asked(ledger)
    with writing(ledger) as connection:
        connection.execute(update(CUSTOMERS).values(email="new@example.com", timezone="America/Los_Angeles"))
    mailbox = Mailbox()
    assert sent(ledger, WEEK_LATER, mailbox).surveys == Passed(later=1)  # half past midnight there
    assert sent(ledger, WEEK_LATER + DAY // 2, mailbox).surveys == Passed(sent=1)
    assert set(invitations(mailbox)) == {"new@example.com"}


def test_one_that_comes_back_is_known_by_its_own_id(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    (mail,) = asked_and_sent(ledger).values()
    taken = take(ledger, Bounce("failed", "5.1.1", mail.message_id, None), ADA)
    assert (taken.suppressed, taken.failed) == (True, True)
    assert surveys(ledger) == [("failed", "C-1")]
    sent(ledger, WEEK_LATER + DAY)
    assert (surveys(ledger), list_cases(ledger)) == ([("cancelled", "C-1")], ())
