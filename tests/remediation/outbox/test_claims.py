import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from remediation.database import writing
from remediation.ledger.audit import Author
from remediation.ledger.tables import OUTBOX
from remediation.outbox.claims import Item, StateChangedError, advance, claim
from remediation.outbox.states import FORWARD, State
from tests.remediation.ledger.evenings import MORNING, rows
from tests.remediation.outbox.senders import approve

PAYER = Author("payer", MORNING)


def test_each_item_is_claimed_by_one_of_several_at_once(ledger: Engine) -> None:
    approve(ledger, 12)
    claimed: list[str] = []

    def claim_all() -> None:
        while item := claim(ledger, "refund", PAYER):
            claimed.append(item.outbox_id)

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 12


def test_a_state_that_another_process_has_left_is_not_left_again(ledger: Engine) -> None:
    approve(ledger)
    item = claim(ledger, "refund", PAYER)
    assert item is not None
    with writing(ledger) as connection:
        advance(connection, item, State.UNKNOWN, PAYER, "silence")
    with writing(ledger) as connection, pytest.raises(StateChangedError, match="no longer sending"):
        advance(connection, item, State.SENT, PAYER, "taken on")
    assert [row["state"] for row in rows(ledger, OUTBOX) if row["kind"] == "refund"] == ["unknown"]


@pytest.mark.parametrize(("before", "after"), [(a, b) for a in State for b in State if b not in FORWARD[a]])
def test_no_state_is_left_but_forward(ledger_of_one: Callable[[State], Item], before: State, after: State) -> None:
    item = ledger_of_one(before)
    with pytest.raises(ValueError, match=f"cannot go from {before} to {after}"):
        advance(None, item, after, PAYER, "a test")  # type: ignore[arg-type]  # refused before the database is asked


@pytest.fixture
def ledger_of_one() -> Callable[[State], Item]:
    return lambda state: Item("X-1", "R-1", "refund", state, None, None, 1, None)


def test_nothing_that_was_sent_can_be_sent_again() -> None:
    reachable = {State.SENT}
    while more := {after for state in reachable for after in FORWARD[state]} - reachable:
        reachable |= more
    assert not reachable & {State.APPROVED, State.SENDING, State.UNKNOWN}


def test_the_database_knows_the_states_too(ledger: Engine) -> None:
    approve(ledger)
    with pytest.raises(IntegrityError, match="state_known"), writing(ledger) as connection:
        connection.execute(OUTBOX.update().values(state="lost"))
    assert all(row["state"] == "approved" for row in rows(ledger, OUTBOX))
