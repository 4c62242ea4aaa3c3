"""What does not go on by itself is named as somebody's to look at, and is not broken."""
# ruff: noqa: S608 - the ids in these statements are our own

from sqlalchemy import Connection, text

from remediation.verifying import loyalty, waiting
from remediation.verifying.checks import CHECKS
from tests.remediation.ledger.evenings import MORNING
from tests.remediation.verifying.ledgers import DAY, item_of, rows_named, run_of

HOUR = 3_600_000
REFUND = item_of("paid", "refund")


def under_way(connection: Connection, **values: object) -> None:
    sets = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(text(f"UPDATE outbox SET {sets} WHERE outbox_id = '{REFUND}'"), values)


def test_an_attempt_that_nobody_ended_is_stuck_after_an_hour(spoilt: Connection) -> None:
    under_way(spoilt, state="sending", retry_at=None, claimed_at=MORNING)
    assert rows_named(spoilt, waiting.stuck, MORNING + HOUR) == []
    told = "this refund is sending, and nobody has ended the attempt"
    assert rows_named(spoilt, waiting.stuck, MORNING + HOUR + 1) == [("outbox", REFUND, told)]


def test_an_attempt_that_nobody_repeats_is_stuck_after_a_day(spoilt: Connection) -> None:
    under_way(spoilt, state="unknown", retry_at=MORNING, claimed_at=MORNING)
    assert rows_named(spoilt, waiting.stuck, MORNING + DAY) == []
    told = "this refund is unknown, and nobody has tried again for a day"
    assert rows_named(spoilt, waiting.stuck, MORNING + DAY + 1) == [("outbox", REFUND, told)]


def test_a_run_that_does_not_end_is_told_after_a_day(spoilt: Connection) -> None:
    spoilt.execute(text(f"UPDATE runs SET state = 'recording' WHERE run_id = '{run_of(MORNING + DAY)}'"))
    assert rows_named(spoilt, waiting.unfinished, MORNING + 2 * DAY) == []
    told = "it has not come to its end, and 1 remedies of it wait"
    assert rows_named(spoilt, waiting.unfinished, MORNING + 2 * DAY + 1) == [("runs", run_of(MORNING + DAY), told)]


def test_they_warn() -> None:
    assert {check.find for check in CHECKS if check.warns} == {waiting.stuck, waiting.unfinished, loyalty.written}
