from collections.abc import Callable

import pytest
from sqlalchemy import Engine, update

from remediation.database import writing
from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError
from remediation.gateways.refunds import Payout, Receipt, RefundStatus
from remediation.hearing import ask
from remediation.ledger.control_tables import BREAKERS
from remediation.ledger.postings import unbalanced
from remediation.ledger.tables import OUTBOX, POSTINGS
from remediation.outbox.worker import Passed
from remediation.payer import STATES
from remediation.settling import settle
from tests.remediation.ledger.evenings import MORNING, count, rows
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, in_turn, pay, quiet, send, states

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY


def silent() -> None:
    raise SilentError("no answer")


def refusing() -> None:
    raise RefusedError("the card is closed")


def busy() -> None:
    raise DeferredError("too many requests", retry_after_ms=20 * MINUTE)


def locked_out() -> None:
    raise UnusableError("the key is not accepted")


class Forgetful(Gateway):
    """It pays every time: that of an old key, nobody remembers."""

    def refund(self, payout: Payout) -> Receipt:
        self.made.append(payout)
        return super().refund(payout)


def refund_states(ledger: Engine) -> list[str]:
    return [state for kind, state in states(ledger) if kind == "refund"]


def problems(ledger: Engine) -> list[str]:
    return [row["problem"] for row in rows(ledger, OUTBOX) if row["kind"] == "refund"]


def test_a_refused_refund_has_failed_and_its_debt_stays(ledger: Engine) -> None:
    approve(ledger)
    assert pay(ledger, Gateway(before=refusing), MORNING) == Passed(failed=1)
    assert (refund_states(ledger), count(ledger, POSTINGS)) == (["failed"], 2)
    assert problems(ledger) == ["the card is closed"]
    assert pay(ledger, Gateway(), MORNING + WEEK) == Passed()


@pytest.mark.parametrize("lost", ["the call", "the reply"])
def test_a_silent_gateway_is_asked_before_it_is_called_again(ledger: Engine, lost: str) -> None:
    approve(ledger)
    gateway = Gateway(before=silent) if lost == "the call" else Gateway(after=silent)
    assert pay(ledger, gateway, MORNING) == Passed(unknown=1)
    assert refund_states(ledger) == ["unknown"]
    gateway.before = gateway.after = quiet
    assert pay(ledger, gateway, MORNING + DAY) == Passed(sent=1)
    assert (refund_states(ledger), len(gateway.made)) == (["settled"], 1)


def test_the_unknown_is_asked_for_at_ever_longer_intervals(ledger: Engine) -> None:
    approve(ledger)
    asked: list[int] = []
    expected = [0, 1, 6, 36, 156, 516, 876, 1236]
    for minute in sorted({max(0, each + around) for each in expected for around in (-1, 0, 1)}):

        def no_answer(minute: int = minute) -> None:
            asked.append(minute)
            raise SilentError

        pay(ledger, Gateway(before=no_answer), MORNING + minute * MINUTE)
    assert asked == expected


def test_a_gateway_that_stays_silent_leaves_the_rest_approved_and_is_left_alone(ledger: Engine) -> None:
    approve(ledger, 5)
    assert pay(ledger, Gateway(before=silent), MORNING) == Passed(unknown=3, waiting=2)
    untouched = Gateway()
    assert pay(ledger, untouched, MORNING + MINUTE - 1) == Passed(waiting=2)
    assert untouched.made == []
    assert pay(ledger, Gateway(before=silent), MORNING + MINUTE).waiting == 1
    assert pay(ledger, Gateway(), MORNING + HOUR) == Passed(sent=5)


def test_one_lost_reply_does_not_stop_the_others(ledger: Engine) -> None:
    approve(ledger, 5)
    gateway = Gateway(before=in_turn(silent, quiet, silent, quiet, silent))
    assert pay(ledger, gateway, MORNING) == Passed(sent=2, unknown=3)


def test_a_gateway_that_asks_for_patience_gets_it(ledger: Engine) -> None:
    approve(ledger, 2)
    assert pay(ledger, Gateway(before=busy), MORNING) == Passed(later=1, waiting=1)
    assert pay(ledger, Gateway(), MORNING + 20 * MINUTE - 1) == Passed(waiting=1)
    assert pay(ledger, Gateway(), MORNING + 20 * MINUTE) == Passed(sent=2)


def test_a_wrong_key_ends_the_pass_and_loses_nothing(ledger: Engine) -> None:
    approve(ledger, 3)
    assert pay(ledger, Gateway(before=locked_out), MORNING) == Passed(later=1, waiting=2)
    assert refund_states(ledger) == ["approved", "approved", "sending"]
    assert pay(ledger, Gateway(), MORNING + HOUR) == Passed(sent=3)


@pytest.mark.parametrize("answer", [silent, locked_out], ids=["silence", "a wrong key"])
def test_what_nobody_can_clear_up_within_a_week_goes_to_a_person(ledger: Engine, answer: Callable[[], None]) -> None:
    approve(ledger)
    for hour in range(0, 24 * 9, 6):
        pay(ledger, Gateway(before=answer), MORNING + hour * HOUR)
    assert refund_states(ledger) == ["manual"]
    assert "given up after 32 attempts" in problems(ledger)[0]


@pytest.mark.parametrize(
    ("later_ms", "paid"),
    [(23 * HOUR - 1, Passed(sent=1)), (23 * HOUR, Passed(manual=1))],
    ids=["the key is remembered", "the key may be forgotten"],
)
def test_a_key_that_the_provider_may_have_forgotten_is_not_used_again(
    ledger: Engine, later_ms: int, paid: Passed
) -> None:
    approve(ledger)
    gateway = Gateway(before=silent, key_lifetime_ms=23 * HOUR)
    pay(ledger, gateway, MORNING)
    gateway.before = quiet
    assert pay(ledger, gateway, MORNING + later_ms) == paid
    assert len(gateway.made) == paid.sent


@pytest.mark.parametrize(
    ("back_ms", "paid"),
    [(HOUR - 1, Passed(sent=1)), (HOUR, Passed(manual=1))],
    ids=["clocks that differ a little", "a clock that was set right"],
)
def test_a_key_from_the_future_has_no_known_age(ledger: Engine, back_ms: int, paid: Passed) -> None:
    approve(ledger)
    gateway = Gateway(before=silent, key_lifetime_ms=23 * HOUR)
    pay(ledger, gateway, MORNING)
    with writing(ledger) as connection:
        connection.execute(update(OUTBOX).values(retry_at=0))
        connection.execute(update(BREAKERS).values(open_until=0))
    gateway.before = quiet
    assert pay(ledger, gateway, MORNING - back_ms) == paid


def test_a_key_that_nobody_used_is_new_again_once_the_provider_knows_of_nothing(ledger: Engine) -> None:
    approve(ledger)
    gateway = Gateway(before=busy, key_lifetime_ms=23 * HOUR)
    pay(ledger, gateway, MORNING)
    gateway.before = in_turn(quiet, silent)
    assert pay(ledger, gateway, MORNING + 2 * DAY) == Passed(unknown=1)
    gateway.before = quiet
    assert pay(ledger, gateway, MORNING + 2 * DAY + HOUR) == Passed(sent=1)


def test_a_provider_that_puts_off_and_pays_all_the_same_is_found_out(ledger: Engine) -> None:
    approve(ledger)
    gateway = Forgetful(after=busy, key_lifetime_ms=23 * HOUR)
    pay(ledger, gateway, MORNING)
    gateway.after = quiet
    assert pay(ledger, gateway, MORNING + 2 * DAY) == Passed(sent=1)
    assert len(gateway.made) == 1


def test_a_refund_found_under_a_forgotten_key_is_sent_all_the_same(ledger: Engine) -> None:
    approve(ledger)
    gateway = Gateway(after=silent, key_lifetime_ms=1)
    pay(ledger, gateway, MORNING)
    gateway.after = quiet
    assert pay(ledger, gateway, MORNING + DAY) == Passed(sent=1)


def test_a_refund_that_takes_days_settles_when_the_provider_says_so(ledger: Engine) -> None:
    approve(ledger)
    gateway = Gateway(status=RefundStatus.PENDING)
    assert send(ledger, gateway, Mailbox(), MORNING).mails == Passed(sent=1)
    send(ledger, gateway, Mailbox(), MORNING + DAY)
    assert refund_states(ledger) == ["sent"]
    gateway.status = RefundStatus.SUCCEEDED
    send(ledger, gateway, Mailbox(), MORNING + 2 * DAY)
    refund = next(row for row in rows(ledger, OUTBOX) if row["kind"] == "refund")
    assert (refund["state"], refund["settled_at"]) == ("settled", MORNING + 2 * DAY)
    assert count(ledger, POSTINGS) == 4


@pytest.mark.parametrize("answer", [silent, refusing], ids=["silence", "a refusal"])
def test_one_refund_that_nobody_can_ask_for_keeps_no_other_from_settling(
    ledger: Engine, answer: Callable[[], None]
) -> None:
    approve(ledger, 3)
    gateway = Gateway(status=RefundStatus.PENDING)
    send(ledger, gateway, Mailbox(), MORNING)
    gateway.status = RefundStatus.SUCCEEDED
    gateway.before = in_turn(answer, quiet, quiet)
    for _ in range(2):
        settle(ledger, gateway, lambda: MORNING + DAY, lambda: True, None)
    assert sorted(refund_states(ledger)) == ["sent", "settled", "settled"]
    gateway.before = quiet
    assert settle(ledger, gateway, lambda: MORNING + 2 * DAY, lambda: True, None).settled == 1


@pytest.mark.parametrize("status", [RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.PENDING])
@pytest.mark.parametrize("answer", [quiet, silent], ids=["an answer", "silence"])
def test_a_webhook_that_is_faster_than_the_sender_does_not_stop_it(
    ledger: Engine, answer: Callable[[], None], status: RefundStatus
) -> None:
    approve(ledger, 2)
    gateway = Gateway(status=RefundStatus.PENDING)
    send(ledger, gateway, Mailbox(), MORNING)

    def webhook() -> None:
        gateway.before, gateway.after = answer, quiet
        for row in rows(ledger, OUTBOX):
            if row["kind"] == "refund":
                ask(ledger, told, row["outbox_id"], "webhook", lambda: MORNING + DAY)

    told = Gateway(status=status, made=gateway.made)
    gateway.status, gateway.after = status, webhook
    settle(ledger, gateway, lambda: MORNING + DAY, lambda: True, None)
    assert set(refund_states(ledger)) == {STATES[status]}


def test_a_refund_that_fails_after_all_is_owed_again_and_a_persons_business(ledger: Engine) -> None:
    approve(ledger)
    gateway = Gateway(status=RefundStatus.PENDING)
    send(ledger, gateway, Mailbox(), MORNING)
    gateway.status = RefundStatus.FAILED
    send(ledger, gateway, Mailbox(), MORNING + DAY)
    send(ledger, gateway, Mailbox(), MORNING + WEEK)
    assert refund_states(ledger) == ["failed"]
    balances: dict[str, int] = {}
    for row in rows(ledger, POSTINGS):
        balances[row["account"]] = balances.get(row["account"], 0) + row["amount_minor"]
    assert balances == {"expense:goodwill_and_refunds": 299, "owed:OL-1": -299, "provider:test": 0}
    assert unbalanced(ledger) == ()


def test_a_refund_that_fails_at_once_is_never_told(ledger: Engine) -> None:
    approve(ledger)
    mailbox = Mailbox()
    done = send(ledger, Gateway(status=RefundStatus.FAILED), mailbox, MORNING)
    assert (done.refunds, done.mails, mailbox.taken) == (Passed(failed=1), Passed(waiting=1), [])


@pytest.mark.parametrize("fault", [ValueError, OSError], ids=["a bug", "a full disk"])
def test_any_other_error_stops_the_pass_and_is_cleared_up_by_the_next(
    ledger: Engine, fault: Callable[[], Exception]
) -> None:
    approve(ledger)

    def broken() -> None:
        raise fault()

    gateway = Gateway(after=broken)
    with pytest.raises((ValueError, OSError)):
        pay(ledger, gateway, MORNING)
    assert refund_states(ledger) == ["sending"]
    gateway.after = quiet
    assert pay(ledger, gateway, MORNING) == Passed(sent=1)
    assert len(gateway.made) == 1
