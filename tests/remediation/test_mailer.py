import contextlib
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from remediation.database import writing
from remediation.gateways.errors import DeferredError, RefusedError, RejectedMailError, SilentError
from remediation.gateways.file_mails import FileMailer
from remediation.gateways.refunds import RefundStatus
from remediation.ledger.audit import Author
from remediation.ledger.tables import CUSTOMERS, OUTBOX
from remediation.mail import Mail
from remediation.mailer import PostMails
from remediation.mailing.suppressed import allow, suppress
from remediation.notices.envelope import Sender
from remediation.outbox.worker import Passed, Worker
from remediation.settling import settle
from tests.remediation.ledger.evenings import MORNING, a_mail, a_remedy
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, in_turn, pay, quiet, states

HOUR = 3_600_000
DAY = 24 * HOUR


class Relay(Mailbox):
    """A mail relay: what it took is gone, and cannot be looked up."""

    def find(self, mail: Mail) -> str | None:
        raise SilentError(f"a relay cannot be asked for {mail.message_id}")


def refusing() -> None:
    raise RefusedError("550 5.1.1")


def deferring() -> None:
    raise DeferredError("451 4.7.1")


def silent() -> None:
    raise SilentError("no reply to the final dot")


def breaking() -> None:
    raise OSError("the line went dead")


def post_mails(ledger: Engine, mailbox: Mailbox, at: int) -> Passed:
    return Worker(ledger, PostMails(ledger, mailbox, lambda: at), lambda: at, lambda: True).run()


def approve_and_pay(ledger: Engine, count: int = 1) -> None:
    approve(ledger, count)
    pay(ledger, Gateway(), MORNING)


def mail_states(ledger: Engine) -> list[str]:
    return [state for kind, state in states(ledger) if kind == "mail"]


def test_a_mail_waits_for_its_money(ledger: Engine) -> None:
    approve(ledger)
    mailbox = Mailbox()
    assert post_mails(ledger, mailbox, MORNING) == Passed(waiting=1)
    assert mailbox.taken == []


def test_a_refused_mail_has_failed_and_the_next_one_goes_out(ledger: Engine) -> None:
    approve_and_pay(ledger, 2)
    assert post_mails(ledger, Mailbox(before=in_turn(refusing, quiet)), MORNING) == Passed(sent=1, failed=1)


def test_a_mail_that_was_put_off_goes_out_later_and_keeps_no_other_waiting(ledger: Engine) -> None:
    approve_and_pay(ledger, 2)
    mailbox = Mailbox(before=in_turn(deferring, quiet, quiet))
    assert post_mails(ledger, mailbox, MORNING) == Passed(sent=1, later=1)
    assert post_mails(ledger, mailbox, MORNING + HOUR) == Passed(sent=1)
    assert len({recipient for _, recipient in mailbox.taken}) == 1
    assert len({mail.remedy_id for mail, _ in mailbox.taken}) == 2


def test_a_mail_whose_acceptance_nobody_can_tell_goes_to_a_person(ledger: Engine) -> None:
    approve_and_pay(ledger)
    relay = Relay(after=silent)
    assert post_mails(ledger, relay, MORNING) == Passed(manual=1)
    relay.after = quiet
    assert post_mails(ledger, relay, MORNING + HOUR) == Passed()
    assert len(relay.taken) == 1


@pytest.mark.parametrize("lost", ["the mail", "the reply"])
def test_a_mail_that_cannot_be_traced_is_never_sent_again(ledger: Engine, lost: str) -> None:
    approve_and_pay(ledger)
    relay = Relay(before=breaking) if lost == "the mail" else Relay(after=breaking)
    with pytest.raises(OSError, match="went dead"):
        post_mails(ledger, relay, MORNING)
    relay.before = relay.after = quiet
    assert post_mails(ledger, relay, MORNING) == Passed(manual=1)
    assert len(relay.taken) == (0 if lost == "the mail" else 1)
    assert mail_states(ledger) == ["manual"]


@pytest.mark.parametrize("lost", ["the mail", "the reply"])
def test_a_mail_that_can_be_traced_is_sent_once(ledger: Engine, lost: str) -> None:
    approve_and_pay(ledger)
    mailbox = Mailbox(before=breaking) if lost == "the mail" else Mailbox(after=breaking)
    with pytest.raises(OSError, match="went dead"):
        post_mails(ledger, mailbox, MORNING)
    mailbox.before = mailbox.after = quiet
    assert post_mails(ledger, mailbox, MORNING) == Passed(sent=1)
    assert len(mailbox.taken) == 1


def test_at_night_in_the_customers_own_zone_a_mail_waits_until_eight(ledger: Engine) -> None:
    approve_and_pay(ledger)
    with writing(ledger) as connection:
        connection.execute(update(CUSTOMERS).values(timezone="Asia/Tokyo"))
    nine_in_the_evening = MORNING + 3 * HOUR  # 12:00 UTC
    mailbox = Mailbox()
    assert post_mails(ledger, mailbox, nine_in_the_evening) == Passed(later=1)
    assert post_mails(ledger, mailbox, nine_in_the_evening + 11 * HOUR - 1) == Passed()
    assert post_mails(ledger, mailbox, nine_in_the_evening + 11 * HOUR) == Passed(sent=1)


@pytest.mark.parametrize("lost", [None, "the mail"], ids=["put off", "broken off"])
def test_a_mail_that_waits_is_not_sent_when_its_refund_has_failed_meanwhile(ledger: Engine, lost: str | None) -> None:
    approve(ledger)
    gateway = Gateway(status=RefundStatus.PENDING)
    pay(ledger, gateway, MORNING)
    mailbox = Mailbox(before=breaking if lost else deferring)
    with contextlib.suppress(OSError):
        post_mails(ledger, mailbox, MORNING)
    mailbox.before = quiet
    gateway.status = RefundStatus.FAILED
    assert settle(ledger, gateway, lambda: MORNING + DAY, lambda: True, None).failed == 1
    post_mails(ledger, mailbox, MORNING + DAY)
    assert mailbox.taken == []
    with writing(ledger) as connection:
        connection.execute(update(OUTBOX).where(OUTBOX.c.kind == "refund").values(state="settled"))
    post_mails(ledger, mailbox, MORNING + 2 * DAY)
    assert len(mailbox.taken) == 1


def test_nobody_who_wants_no_mail_gets_one(ledger: Engine) -> None:
    approve_and_pay(ledger, 2)
    care = Author("person ada", MORNING)
    assert suppress(ledger, "C-1@Example.com", "bounce", care)
    assert not suppress(ledger, "c-1@example.com", "complaint", care)
    mailbox = Mailbox()
    assert post_mails(ledger, mailbox, MORNING) == Passed(failed=2)
    assert mailbox.taken == []


@pytest.mark.parametrize(("status", "later"), [("5.1.1", Passed(failed=1)), ("5.7.1", Passed(sent=1))])
def test_an_address_that_the_server_knows_to_be_gone_gets_no_other_mail(
    ledger: Engine, status: str, later: Passed
) -> None:
    approve_and_pay(ledger, 2)

    def rejecting() -> None:
        raise RejectedMailError(f"550 {status}", status)

    mailbox = Mailbox(before=in_turn(rejecting, quiet))
    done = post_mails(ledger, mailbox, MORNING)
    assert Passed(sent=done.sent, failed=done.failed - 1) == later


def test_who_wants_mail_again_gets_it(ledger: Engine) -> None:
    approve_and_pay(ledger)
    care = Author("person ada", MORNING)
    suppress(ledger, "c-1@example.com", "request", care)
    assert allow(ledger, "c-1@example.com", "she asked for it", care)
    assert post_mails(ledger, Mailbox(), MORNING) == Passed(sent=1)


def test_a_file_mailer_refuses_what_is_not_one_address(tmp_path: Path) -> None:
    mailer = FileMailer(tmp_path, Sender("Playhouse", "care@example.com", "care@example.com", "example.com"))
    with pytest.raises(RefusedError) as caught:
        mailer.send(a_mail(a_remedy()), "rick@example.com, eve@example.com")
    assert "rick" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
