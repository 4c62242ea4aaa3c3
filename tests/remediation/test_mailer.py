from pathlib import Path

import pytest
from sqlalchemy import Engine

from remediation.mail import Mail
from remediation.mailer import MailRefusedError, MailUntraceableError, Posted, post_mails
from remediation.notices import Sender
from remediation.outbox.file_mailer import FileMailer
from remediation.payer import pay
from tests.remediation.ledger.evenings import MORNING, a_mail, a_remedy
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, in_turn, quiet, states


class Relay(Mailbox):
    """A mail relay: what it took is gone, and cannot be looked up."""

    def find(self, mail: Mail) -> str | None:
        raise MailUntraceableError(mail.message_id)


def refusing() -> None:
    raise MailRefusedError


def breaking() -> None:
    raise OSError("the line went dead")


def approve_and_pay(ledger: Engine, count: int = 1) -> None:
    approve(ledger, count)
    pay(ledger, Gateway(), MORNING)


def mail_states(ledger: Engine) -> list[str]:
    return [state for kind, state in states(ledger) if kind == "mail"]


def test_a_mail_waits_for_its_money(ledger: Engine) -> None:
    approve(ledger)
    mailbox = Mailbox()
    assert post_mails(ledger, mailbox, MORNING) == Posted(waiting=1)
    assert mailbox.taken == []


def test_a_refused_mail_has_failed_and_the_next_one_goes_out(ledger: Engine) -> None:
    approve_and_pay(ledger, 2)
    assert post_mails(ledger, Mailbox(before=in_turn(refusing, quiet)), MORNING) == Posted(sent=1, failed=1)


@pytest.mark.parametrize("lost", ["the mail", "the reply"])
def test_a_mail_that_cannot_be_traced_is_never_sent_again(ledger: Engine, lost: str) -> None:
    approve_and_pay(ledger)
    relay = Relay(before=breaking) if lost == "the mail" else Relay(after=breaking)
    with pytest.raises(OSError, match="went dead"):
        post_mails(ledger, relay, MORNING)
    relay.before = relay.after = quiet
    assert post_mails(ledger, relay, MORNING) == Posted(manual=1)
    assert len(relay.taken) == (0 if lost == "the mail" else 1)
    assert mail_states(ledger) == ["manual"]


@pytest.mark.parametrize("lost", ["the mail", "the reply"])
def test_a_mail_that_can_be_traced_is_sent_once(ledger: Engine, lost: str) -> None:
    approve_and_pay(ledger)
    mailbox = Mailbox(before=breaking) if lost == "the mail" else Mailbox(after=breaking)
    with pytest.raises(OSError, match="went dead"):
        post_mails(ledger, mailbox, MORNING)
    mailbox.before = mailbox.after = quiet
    assert post_mails(ledger, mailbox, MORNING) == Posted(sent=1)
    assert len(mailbox.taken) == 1


def test_a_file_mailer_refuses_what_is_not_one_address(tmp_path: Path) -> None:
    mailer = FileMailer(tmp_path, Sender("Playhouse", "care@example.com", "care@example.com", "example.com"))
    with pytest.raises(MailRefusedError) as caught:
        mailer.send(a_mail(a_remedy()), "rick@example.com, eve@example.com")
    assert "rick" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
