import pytest
from sqlalchemy import Engine

from remediation.gateways.errors import DeferredError, RefusedError
from remediation.gateways.refunds import RefundStatus
from remediation.ledger.audit import Author
from remediation.ledger.postings import unbalanced
from remediation.ledger.tables import POSTINGS
from remediation.outbox.worker import Passed
from remediation.remedy import Action
from remediation.reviewing.by_hand import done, drop
from remediation.reviewing.cases import list_cases
from remediation.reviewing.verdicts import ReviewError
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, rows, with_orders
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, send, states

ADA = Author("person ada", MORNING + 1)
DAY = 86_400_000


def refused() -> None:
    raise RefusedError("the card is closed")


def put_off() -> None:
    raise DeferredError("not at this hour")


def balances(ledger: Engine) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows(ledger, POSTINGS):
        found[row["account"]] = found.get(row["account"], 0) + row["amount_minor"]
    return found


def a_failed_refund(ledger: Engine) -> str:
    approve(ledger)
    send(ledger, Gateway(before=refused), Mailbox(), MORNING)
    (case,) = list_cases(ledger)
    assert (case.what, case.reason) == ("refund", "the card is closed")
    return case.case_id


def test_what_a_person_has_paid_is_settled_and_told(ledger: Engine) -> None:
    done(ledger, a_failed_refund(ledger), ADA, "paid by bank transfer", "transfer 17")
    mailbox = Mailbox()
    send(ledger, Gateway(), mailbox, MORNING + 2)
    assert len(mailbox.taken) == 1
    assert balances(ledger) == {"expense:goodwill_and_refunds": 299, "owed:OL-1": 0, "provider:by hand": -299}


def test_what_is_dropped_is_owed_no_more_and_never_told(ledger: Engine) -> None:
    drop(ledger, a_failed_refund(ledger), ADA, "the customer waived it")
    mailbox = Mailbox()
    assert send(ledger, Gateway(), mailbox, MORNING + 2).mails == Passed()
    assert (mailbox.taken, states(ledger)) == ([], [("mail", "cancelled"), ("refund", "cancelled")])
    assert set(balances(ledger).values()) == {0}


def test_a_mail_that_was_put_off_ends_with_what_it_tells_of(ledger: Engine) -> None:
    approve(ledger)
    gateway, night = Gateway(status=RefundStatus.PENDING), Mailbox(before=put_off)
    send(ledger, gateway, night, MORNING)
    gateway.status = RefundStatus.FAILED
    send(ledger, gateway, night, MORNING + DAY)
    (case,) = list_cases(ledger)
    drop(ledger, case.case_id, ADA, "the customer waived it")
    mailbox = Mailbox()
    send(ledger, gateway, mailbox, MORNING + 2 * DAY)
    assert (mailbox.taken, states(ledger)) == ([], [("mail", "cancelled"), ("refund", "cancelled")])


def test_a_refund_that_failed_after_all_can_be_paid_by_hand(ledger: Engine) -> None:
    approve(ledger)
    gateway = Gateway(status=RefundStatus.PENDING)
    send(ledger, gateway, Mailbox(), MORNING)
    gateway.status = RefundStatus.FAILED
    send(ledger, gateway, Mailbox(), MORNING + DAY)
    (case,) = list_cases(ledger)
    done(ledger, case.case_id, ADA, "paid by bank transfer", "transfer 18")
    assert balances(ledger)["owed:OL-1"] == 0
    assert unbalanced(ledger) == ()


def test_a_credit_given_by_a_person_lets_the_mail_go_out(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy(actions=[Action("refund", 299), Action("credit", 50)])))
    mailbox = Mailbox()
    send(ledger, Gateway(), mailbox, MORNING)
    (case,) = list_cases(ledger)
    done(ledger, case.case_id, ADA, "given", "voucher 3")
    send(ledger, Gateway(), mailbox, MORNING + 2)
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize(("reason", "reference"), [("", "x"), ("x", " ")])
def test_without_reason_and_reference_nothing_is_done(ledger: Engine, reason: str, reference: str) -> None:
    item = a_failed_refund(ledger)
    with pytest.raises(ReviewError):
        done(ledger, item, ADA, reason, reference)
    assert ("refund", "failed") in states(ledger)


def test_what_does_not_wait_for_a_person_is_left_alone(ledger: Engine) -> None:
    item = a_failed_refund(ledger)
    done(ledger, item, ADA, "paid", "17")
    with pytest.raises(ReviewError, match="is settled and does not wait"):
        drop(ledger, item, ADA, "again")
