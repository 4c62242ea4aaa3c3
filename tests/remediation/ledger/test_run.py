import pytest
from sqlalchemy import Engine

from remediation.ledger.audit import Author
from remediation.ledger.journal import record
from remediation.ledger.run import (
    Objection,
    Run,
    RunInput,
    Standing,
    UnknownRunError,
    finish_run,
    judge_run,
    released_figures,
    standing,
    start_run,
)
from remediation.ledger.tables import RUN_INPUTS, RUNS
from remediation.outbox.worker import Passed
from tests.remediation.ledger.evenings import (
    GENEROUS,
    MORNING,
    a_remedy,
    a_run,
    an_order,
    count,
    declined,
    owed,
    record_night,
    rows,
    with_orders,
)
from tests.remediation.outbox.senders import Gateway, Mailbox, send

BEACONS = RunInput("telemetry", "tonight/beacons.parquet", bytes=10, sha256="b" * 64, rows=3)
ORDERS = RunInput("orders", "orders.jsonl", bytes=20, sha256="c" * 64, rows=4)


def test_a_run_is_new_once(ledger: Engine) -> None:
    assert start_run(ledger, a_run(MORNING, BEACONS, ORDERS))
    assert not start_run(ledger, a_run(MORNING, ORDERS, BEACONS))
    assert [row["name"] for row in rows(ledger, RUN_INPUTS)] == ["orders.jsonl", "tonight/beacons.parquet"]


def test_a_file_that_has_moved_is_the_same_input(ledger: Engine) -> None:
    moved = RunInput("telemetry", "archive/renamed.parquet", bytes=10, sha256="b" * 64, rows=3)
    start_run(ledger, a_run(MORNING, BEACONS))
    assert not start_run(ledger, a_run(MORNING, moved))
    assert count(ledger, RUN_INPUTS) == 1


@pytest.mark.parametrize(
    "other",
    [
        a_run(MORNING + 1, BEACONS),
        a_run(MORNING),
        a_run(MORNING, BEACONS, RunInput("telemetry", "copy.parquet", bytes=10, sha256="b" * 64, rows=3)),
        a_run(MORNING, RunInput("orders", BEACONS.name, bytes=10, sha256="b" * 64, rows=3)),
        Run(MORNING, "f" * 64, "1", (BEACONS,)),
        Run(MORNING, "a" * 64, "2", (BEACONS,)),
    ],
    ids=["moment", "fewer files", "the same file twice", "role", "policy", "detectors"],
)
def test_anything_else_is_another_run(other: Run) -> None:
    assert other.run_id != a_run(MORNING, BEACONS).run_id


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"telemetry input tonight/beacons\.parquet is named twice"):
        a_run(MORNING, BEACONS, BEACONS)


def test_the_counts_of_the_first_complete_pass_stay(ledger: Engine) -> None:
    run = a_run()
    start_run(ledger, run)
    finish_run(ledger, run.run_id, {"used": 3}, {})
    finish_run(ledger, run.run_id, {"used": 4}, {})
    assert rows(ledger, RUNS)[0]["counts"] == {"used": 3}


def test_how_many_records_a_file_holds_is_written_at_the_end(ledger: Engine) -> None:
    run = a_run(MORNING, BEACONS, ORDERS)
    start_run(ledger, run)
    finish_run(ledger, run.run_id, {"used": 7}, {BEACONS.name: 7})
    assert {row["name"]: row["rows"] for row in rows(ledger, RUN_INPUTS)} == {BEACONS.name: 7, ORDERS.name: ORDERS.rows}


STORM = Objection("flag_rate", "Half of all sessions were flagged.")
GUARDS = Author("guards", MORNING)


def test_nothing_of_a_run_is_sent_before_it_is_released(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record(ledger, a_run(), [owed(a_remedy())], GENEROUS)
    gateway = Gateway()
    assert send(ledger, gateway, Mailbox(), MORNING).refunds == Passed(waiting=1)
    judge_run(ledger, a_run().run_id, GUARDS, {"sessions": 9}, [])
    assert send(ledger, gateway, Mailbox(), MORNING).refunds == Passed(sent=1)


def test_a_held_run_sends_nothing_and_no_other_run_is_held(ledger: Engine) -> None:
    with_orders(ledger, an_order("OL-1"), an_order("OL-2"))
    record_night(ledger, owed(a_remedy("OL-1")), objections=[STORM])
    record_night(ledger, owed(a_remedy("OL-2")), as_of=MORNING + 1)
    gateway = Gateway()
    send(ledger, gateway, Mailbox(), MORNING)
    assert [payout.order_line_id for payout in gateway.made] == ["OL-2"]
    assert standing(ledger, a_run().run_id) == Standing("held", (STORM,))


def test_a_run_is_judged_once(ledger: Engine) -> None:
    start_run(ledger, a_run())
    assert judge_run(ledger, a_run().run_id, GUARDS, {}, [STORM]) == "held"
    assert judge_run(ledger, a_run().run_id, GUARDS, {}, []) == "held"
    assert standing(ledger, a_run().run_id).objections == (STORM,)


def test_only_released_runs_teach_the_guards(ledger: Engine) -> None:
    for night, objections in enumerate([[], [STORM], []]):
        run = a_run(MORNING + night)
        start_run(ledger, run)
        judge_run(ledger, run.run_id, GUARDS, {"night": night}, list(objections))
    start_run(ledger, a_run(MORNING + 3))
    assert released_figures(ledger, 9) == ({"night": 0}, {"night": 2})
    assert released_figures(ledger, 1) == ({"night": 2},)


def test_a_run_that_was_never_started_cannot_end(ledger: Engine) -> None:
    with pytest.raises(UnknownRunError, match="start it"):
        finish_run(ledger, "no such run", {}, {})


def test_recording_starts_its_run_where_nobody_did(ledger: Engine) -> None:
    record_night(ledger, declined())
    assert not start_run(ledger, a_run())
