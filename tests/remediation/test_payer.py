from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from remediation.ledger.tables import OUTBOX, POSTINGS
from remediation.payer import GatewaySilentError, Paid, RefundRefusedError, pay
from tests.remediation.ledger.evenings import MORNING, count, rows
from tests.remediation.outbox.senders import Gateway, approve, in_turn, quiet, states

DAY = 86_400_000


def silent() -> None:
    raise GatewaySilentError


def refusing() -> None:
    raise RefundRefusedError


def refund_states(ledger: Engine) -> list[str]:
    return [state for kind, state in states(ledger) if kind == "refund"]


def test_a_refused_refund_has_failed_and_its_debt_stays(ledger: Engine) -> None:
    approve(ledger)
    assert pay(ledger, Gateway(before=refusing), MORNING) == Paid(failed=1)
    assert (refund_states(ledger), count(ledger, POSTINGS)) == (["failed"], 2)
    assert pay(ledger, Gateway(), MORNING) == Paid()


@pytest.mark.parametrize("lost", ["the call", "the reply"])
def test_a_silent_gateway_is_asked_before_it_is_called_again(ledger: Engine, lost: str) -> None:
    approve(ledger)
    gateway = Gateway(before=silent) if lost == "the call" else Gateway(after=silent)
    assert pay(ledger, gateway, MORNING) == Paid(unknown=1)
    assert refund_states(ledger) == ["unknown"]
    gateway.before = gateway.after = quiet
    assert pay(ledger, gateway, MORNING + DAY) == Paid(sent=1)
    assert (refund_states(ledger), len(gateway.made)) == (["settled"], 1)


def test_a_gateway_that_stays_silent_leaves_the_rest_approved(ledger: Engine) -> None:
    approve(ledger, 5)
    assert pay(ledger, Gateway(before=silent), MORNING) == Paid(unknown=3, waiting=2)
    assert pay(ledger, Gateway(before=silent), MORNING) == Paid(unknown=3, waiting=2)
    assert pay(ledger, Gateway(), MORNING) == Paid(sent=5)


def test_one_lost_reply_does_not_stop_the_others(ledger: Engine) -> None:
    approve(ledger, 5)
    gateway = Gateway(before=in_turn(silent, quiet, silent, quiet, silent))
    assert pay(ledger, gateway, MORNING) == Paid(sent=2, unknown=3)


@pytest.mark.parametrize(
    ("later_ms", "paid"),
    [(DAY - 3_600_001, Paid(sent=1)), (DAY - 3_600_000, Paid(manual=1))],
    ids=["the key is remembered", "the key may be forgotten"],
)
def test_a_key_that_the_provider_may_have_forgotten_is_not_used_again(
    ledger: Engine, later_ms: int, paid: Paid
) -> None:
    approve(ledger)
    gateway = Gateway(before=silent, key_lifetime_ms=DAY - 3_600_000)
    pay(ledger, gateway, MORNING)
    gateway.before = quiet
    assert pay(ledger, gateway, MORNING + later_ms) == paid
    assert len(gateway.made) == paid.sent


def test_a_refund_found_under_a_forgotten_key_is_sent_all_the_same(ledger: Engine) -> None:
    approve(ledger)
    gateway = Gateway(after=silent, key_lifetime_ms=1)
    pay(ledger, gateway, MORNING)
    gateway.after = quiet
    assert pay(ledger, gateway, MORNING + DAY) == Paid(sent=1)


def test_a_refund_that_takes_days_settles_when_the_provider_says_so(ledger: Engine) -> None:
    approve(ledger)
    gateway = Gateway(settles=False)
    assert pay(ledger, gateway, MORNING) == Paid(sent=1)
    assert pay(ledger, gateway, MORNING + DAY) == Paid()
    assert refund_states(ledger) == ["sent"]
    gateway.settles = True
    pay(ledger, gateway, MORNING + 2 * DAY)
    refund = next(row for row in rows(ledger, OUTBOX) if row["kind"] == "refund")
    assert (refund["state"], refund["settled_at"]) == ("settled", MORNING + 2 * DAY)
    assert count(ledger, POSTINGS) == 4


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
    assert pay(ledger, gateway, MORNING) == Paid(sent=1)
    assert len(gateway.made) == 1
