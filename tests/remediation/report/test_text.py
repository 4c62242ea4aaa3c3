from dataclasses import replace

from remediation.ledger.run import Objection, RunInput
from remediation.report.night import Counts, Night
from remediation.report.text import summary_lines
from remediation.tickets import TicketState
from tests.remediation.report.nights import (
    A_NIGHT,
    a_decline,
    a_reject,
    a_remedy,
    a_row,
    a_ticket,
)


def told(night: Night) -> dict[str, str]:
    return dict(summary_lines(night))


def test_the_night_in_a_dozen_lines() -> None:
    night = replace(
        A_NIGHT,
        remedies=(
            a_row(a_remedy("line-1", 299)),
            a_row(a_remedy("line-2", 400, "JPY")),
            a_row(a_remedy("line-3", 8_990, state="held"), mailed=False),
        ),
        declined=(a_decline(), a_decline("session-10", "review", "several_orders")),
        findings_by_kind={"playback_stalls": 2, "slow_start": 1},
        rejects=(a_reject(count=4), a_reject(scope="field", count=31)),
        flagged_sessions=3,
    )

    assert told(night) == {
        "night up to": "22 November 2026, 06:00 UTC",
        "records": "1,200 in = 1,190 used + 6 duplicate + 4 rejected + 0 late",
        "sessions": "40, 3 of them flagged (7.5 %)",
        "findings": "3: 2 playback stalled and 1 slow start",
        "remedies": "2 approved, 1 held for a person",
        "to be paid": "400 JPY and 2.99 USD",
        "held back": "89.90 USD",
        "declined": "1 declined, 1 for review",
        "rejects": "4 records and 31 fields left out of records in use",
        "mails": "2 in out/mail",
        "report": "out/report.html",
        "ledger": "run run-1 recorded",
    }


def test_goods_and_common_causes_have_their_own_lines() -> None:
    tickets = (a_ticket(), a_ticket(), a_ticket(state=TicketState.DONE))

    lines = told(replace(A_NIGHT, order_lines=300, flagged_order_lines=50, tickets=tickets))
    assert lines["order lines"] == "300 of goods, 50 of them flagged (16.7 %)"
    assert lines["tickets"] == "2 open, 1 done"
    assert not {"order lines", "tickets"} & set(told(A_NIGHT))


def test_the_same_night_again_says_that_nothing_changed() -> None:
    assert told(replace(A_NIGHT, new=False))["ledger"] == "nothing changed: this night was already recorded"


def test_a_run_that_is_held_says_why() -> None:
    storm = Objection("sessions", "412 of 1,000 sessions\nwere flagged.")
    assert "run" not in told(A_NIGHT)
    held = told(replace(A_NIGHT, run_state="held", objections=(storm,)))
    assert held["run"] == "held, nothing of it is sent: 412 of 1,000 sessions were flagged."


def test_a_bad_row_of_the_order_book_shows() -> None:
    orders = RunInput("orders", "orders.jsonl", 100, "cd" * 32, 9)
    rejects = (a_reject(count=4), a_reject("bad_orders_row", source="orders.jsonl"))

    lines = told(replace(A_NIGHT, inputs=(*A_NIGHT.inputs, orders), rejects=rejects))
    assert lines["rejects"] == "4 records and 1 row of the order book"


def test_a_lost_record_shows() -> None:
    lost = replace(A_NIGHT, counts=Counts(records=10, used=8, duplicate=0, rejected=1, late=0))

    assert told(lost)["records"] == "10 in ≠ 8 used + 0 duplicate + 1 rejected + 0 late"


def test_an_empty_night_has_no_share_and_no_money() -> None:
    empty = replace(
        A_NIGHT,
        counts=Counts(0, 0, 0, 0, 0),
        sessions=0,
        flagged_sessions=0,
        findings_by_kind={},
        remedies=(),
        declined=(),
        rejects=(),
        mail_dir=None,
        report_path=None,
    )

    lines = told(empty)
    assert lines["sessions"] == "0, 0 of them flagged"
    assert lines["findings"] == "0"
    assert lines["to be paid"] == "nothing"
    assert lines["mails"] == "0"
    assert lines["report"] == "not written"


def test_a_hostile_path_can_not_steer_the_terminal() -> None:
    lines = told(replace(A_NIGHT, mail_dir="out\x1b[2J", run_id="r\x07"))

    assert "\x1b" not in lines["mails"]
    assert "\x07" not in lines["ledger"]
