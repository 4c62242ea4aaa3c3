import json
import threading
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from remediation.database import writing
from remediation.gateways.file_mails import FileMailer
from remediation.gateways.file_refunds import FileGateway
from remediation.ledger.postings import unbalanced
from remediation.ledger.tables import CUSTOMERS, OUTBOX, POSTINGS
from remediation.notices.envelope import Sender
from remediation.outbox.dispatch import Dispatched, follow
from remediation.outbox.lock import SenderBusyError, sender_lock
from remediation.outbox.worker import Passed
from remediation.remedy import Action
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, rows, with_orders
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, send, states

SENDER = Sender("Playhouse", "care@example.com", "care@example.com", "example.com")


def test_the_money_goes_out_and_then_the_mail(ledger: Engine, tmp_path: Path) -> None:
    (resolution,) = approve(ledger)
    gateway, mailer = FileGateway(tmp_path / "refunds"), FileMailer(tmp_path / "mails", SENDER)
    assert send(ledger, gateway, mailer, MORNING) == Dispatched(Passed(sent=1), Passed(), Passed(sent=1))
    remedy_id = resolution.remedy.remedy_id if resolution.remedy else ""
    assert json.loads((tmp_path / "refunds" / f"{remedy_id}.json").read_text()) == {
        "remedy_id": remedy_id,
        "order_line_id": "OL-1",
        "payment_id": "pay-OL-1",
        "amount_minor": 299,
        "currency": "USD",
    }
    mail = message_from_bytes((tmp_path / "mails" / f"{remedy_id}.eml").read_bytes(), policy=SMTP)
    assert (mail["To"], mail["Subject"]) == ("c-1@example.com", "Your refund")
    assert states(ledger) == [("mail", "sent"), ("refund", "settled")]
    assert {row["account"]: row["amount_minor"] for row in rows(ledger, POSTINGS) if row["posted_at"] == MORNING} == {
        "expense:goodwill_and_refunds": 299,
        "owed:OL-1": 299,
        "provider:file": -299,
    }
    assert unbalanced(ledger) == ()


def test_dispatching_again_sends_nothing(ledger: Engine) -> None:
    approve(ledger, 2)
    gateway, mailbox = Gateway(), Mailbox()
    send(ledger, gateway, mailbox, MORNING)
    assert send(ledger, gateway, mailbox, MORNING + 1) == Dispatched(Passed(), Passed(), Passed())
    assert (len(gateway.made), len(mailbox.taken)) == (2, 2)


def test_a_mail_waits_for_its_hour_and_its_refund_does_not(ledger: Engine) -> None:
    approve(ledger)
    mailbox = Mailbox()
    early = send(ledger, Gateway(), mailbox, MORNING - 1)
    assert early == Dispatched(Passed(sent=1), Passed(), Passed(waiting=1))
    assert send(ledger, Gateway(), mailbox, MORNING).mails == Passed(sent=1)


def test_a_mail_about_a_credit_waits_until_a_person_has_given_it(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy(actions=[Action("refund", 299), Action("credit", 50)])))
    assert send(ledger, Gateway(), Mailbox(), MORNING) == Dispatched(Passed(sent=1), Passed(), Passed(waiting=1))


def test_what_is_held_is_not_sent(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy(state="held")))
    assert send(ledger, Gateway(), Mailbox(), MORNING) == Dispatched(Passed(), Passed(), Passed())


def test_a_customer_who_is_gone_is_refunded_and_the_mail_fails(ledger: Engine) -> None:
    approve(ledger)
    with writing(ledger) as connection:
        connection.execute(delete(CUSTOMERS))
    assert send(ledger, Gateway(), Mailbox(), MORNING) == Dispatched(Passed(sent=1), Passed(), Passed(failed=1))


def test_a_second_sender_is_turned_away(ledger: Engine) -> None:
    approve(ledger)
    with sender_lock(ledger), pytest.raises(SenderBusyError, match="let it finish"):
        send(ledger, Gateway(), Mailbox(), MORNING)
    assert send(ledger, Gateway(), Mailbox(), MORNING).refunds == Passed(sent=1)


def test_senders_at_once_send_everything_once(ledger: Engine, tmp_path: Path) -> None:
    approve(ledger, 10)
    mailbox = Mailbox()

    def keep_sending() -> None:
        done = False
        while not done:
            try:
                send(ledger, FileGateway(tmp_path), mailbox, MORNING)
                done = True
            except SenderBusyError:
                done = False

    threads = [threading.Thread(target=keep_sending) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.glob("*.json"))) == len(mailbox.taken) == 10
    assert all(row["attempts"] == 1 for row in rows(ledger, OUTBOX))
    assert set(states(ledger)) == {("mail", "sent"), ("refund", "settled")}


def test_a_sender_that_follows_goes_on_until_it_is_stopped_and_past_another_sender(ledger: Engine) -> None:
    approve(ledger, 2)
    busy, rests = [True, False, False], iter([False, False, True])
    told: list[Dispatched] = []

    def once() -> Dispatched:
        if busy.pop(0):
            raise SenderBusyError
        return send(ledger, Gateway(), Mailbox(), MORNING)

    follow(once, told.append, lambda: next(rests))
    assert [done.refunds for done in told] == [Passed(sent=2)]
    assert busy == []
