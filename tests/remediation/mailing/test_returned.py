"""What a report on one of our mails leads to."""

from sqlalchemy import Engine

from remediation.ledger.audit import Author
from remediation.ledger.control_tables import SUPPRESSIONS
from remediation.ledger.tables import MAILS
from remediation.mailing.bounces import Bounce
from remediation.mailing.returned import Taken, take
from remediation.reviewing.cases import list_cases
from tests.remediation.ledger.evenings import MORNING, count, rows
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, send, states

BOUNCES = Author("bounces", MORNING + 1)
GONE = "5.1.1"


def told(ledger: Engine) -> Bounce:
    """One mail that was sent, and the report that its address is gone."""
    approve(ledger)
    send(ledger, Gateway(), Mailbox(), MORNING)
    (mail,) = rows(ledger, MAILS)
    return Bounce("failed", GONE, mail["message_id"], "somebody@elsewhere.example")


def test_an_address_that_is_gone_gets_no_more_mail_and_a_person_hears_of_it(ledger: Engine) -> None:
    bounce = told(ledger)
    taken = take(ledger, bounce, BOUNCES)
    assert (taken.suppressed, taken.failed) == (True, True)
    assert states(ledger) == [("mail", "failed"), ("refund", "settled")]
    (case,) = list_cases(ledger)
    assert case.reason == "it came back from the customer's mail server (5.1.1)"
    assert take(ledger, bounce, BOUNCES) == Taken(taken.remedy_id)
    assert count(ledger, SUPPRESSIONS) == 1


def test_the_customers_address_is_suppressed_and_not_the_one_that_the_report_names(ledger: Engine) -> None:
    take(ledger, told(ledger), BOUNCES)
    approve(ledger, 2)
    mailbox = Mailbox()
    assert send(ledger, Gateway(), mailbox, MORNING).mails.failed == 1
    assert mailbox.taken == []


def test_a_full_mailbox_is_written_to_again(ledger: Engine) -> None:
    bounce = told(ledger)
    taken = take(ledger, Bounce("failed", "5.2.2", bounce.message_id, None), BOUNCES)
    assert (taken.suppressed, taken.failed) == (False, True)


def test_a_mail_that_is_delayed_is_only_noted(ledger: Engine) -> None:
    bounce = told(ledger)
    taken = take(ledger, Bounce("delayed", "4.4.1", bounce.message_id, None), BOUNCES)
    assert (taken.suppressed, taken.failed) == (False, False)
    assert states(ledger)[0] == ("mail", "sent")


def test_who_complains_was_told_and_is_left_alone(ledger: Engine) -> None:
    bounce = told(ledger)
    taken = take(ledger, Bounce("complaint", None, bounce.message_id, None), BOUNCES)
    assert (taken.suppressed, taken.failed) == (True, False)


def test_a_report_on_no_mail_of_ours_does_nothing(ledger: Engine) -> None:
    told(ledger)
    for message_id in ("a" * 26, None):
        assert take(ledger, Bounce("failed", GONE, message_id, "c-1@example.com"), BOUNCES) == Taken(None)
    assert count(ledger, SUPPRESSIONS) == 0
