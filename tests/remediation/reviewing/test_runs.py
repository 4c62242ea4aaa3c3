import pytest
from sqlalchemy import Engine

from remediation.ledger.audit import Author
from remediation.ledger.journal import record
from remediation.ledger.run import Objection
from remediation.ledger.tables import ORDER_LINES, REMEDIES, RUNS
from remediation.reviewing.cases import list_cases
from remediation.reviewing.runs import release, withdraw
from remediation.reviewing.verdicts import ReviewError
from tests.remediation.ledger.evenings import (
    GENEROUS,
    MORNING,
    a_remedy,
    a_run,
    an_order,
    owed,
    record_night,
    rows,
    with_orders,
)
from tests.remediation.outbox.senders import Gateway, Mailbox, send

ADA = Author("person ada", MORNING + 1)
STORM = Objection("flag_rate", "Half of all sessions were flagged.")


def a_storm(ledger: Engine) -> str:
    with_orders(ledger, an_order("OL-1"), an_order("OL-2"))
    record_night(ledger, owed(a_remedy("OL-1")), owed(a_remedy("OL-2", state="held")), objections=[STORM])
    return a_run().run_id


def refunded(ledger: Engine) -> list[str]:
    gateway = Gateway()
    send(ledger, gateway, Mailbox(), MORNING + 2)
    return [payout.order_line_id for payout in gateway.made]


def test_a_held_run_is_on_the_list_with_what_stands_against_it(ledger: Engine) -> None:
    run_id = a_storm(ledger)
    assert [(case.case_id, case.reason) for case in list_cases(ledger) if case.what == "run"] == [
        (run_id, STORM.reason)
    ]


def test_a_released_run_is_sent_and_its_held_remedies_stay_held(ledger: Engine) -> None:
    run_id = a_storm(ledger)
    release(ledger, run_id, ADA, "the outage was real")
    assert refunded(ledger) == ["OL-1"]
    with pytest.raises(ReviewError, match="released already"):
        withdraw(ledger, run_id, ADA, "after all")


def test_a_run_that_broke_off_can_be_released(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record(ledger, a_run(), [owed(a_remedy())], GENEROUS)
    assert [case.state for case in list_cases(ledger)] == ["recording"]
    release(ledger, a_run().run_id, ADA, "the machine died after recording")
    assert refunded(ledger) == ["OL-1"]


def test_a_withdrawn_run_sends_nothing_and_frees_everything(ledger: Engine) -> None:
    run_id = a_storm(ledger)
    assert withdraw(ledger, run_id, ADA, "the app reported nonsense") == 2
    assert refunded(ledger) == []
    assert [row["owed_minor"] for row in rows(ledger, ORDER_LINES)] == [0, 0]
    assert {row["state"] for row in rows(ledger, REMEDIES)} == {"withdrawn"}
    assert [row["state"] for row in rows(ledger, RUNS)] == ["withdrawn"]
    assert list_cases(ledger) == ()


def test_a_run_that_nobody_made_cannot_be_released(ledger: Engine) -> None:
    with pytest.raises(ReviewError, match="there is no run nobody"):
        release(ledger, "nobody", ADA, "why not")
