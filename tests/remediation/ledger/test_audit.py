from dataclasses import replace

import pytest
from sqlalchemy import Engine

from remediation.database import writing
from remediation.ledger.audit import Author, Change, Entry, entries, first_break, head, history, note
from tests.remediation.ledger.evenings import MORNING
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, send

ADA = Author("person ada", MORNING)


def a_log(ledger: Engine) -> list[Entry]:
    """Three changes, made in two transactions."""
    with writing(ledger) as connection:
        note(
            connection,
            ADA,
            [Change("remedy", "R-1", None, "held", "odd"), Change("remedy", "R-2", None, "held", "odd")],
        )
    with writing(ledger) as connection:
        note(connection, ADA, [Change("remedy", "R-1", "held", "approved", "not odd")])
    with ledger.connect() as connection:
        return list(entries(connection))


def test_rows_follow_one_another(ledger: Engine) -> None:
    log = a_log(ledger)
    assert [(entry.number, entry.entity_id, entry.after) for entry in log] == [
        (1, "R-1", "held"),
        (2, "R-2", "held"),
        (3, "R-1", "approved"),
    ]
    assert first_break(iter(log)) is None
    with ledger.connect() as connection:
        assert head(connection).sha256 == log[-1].sha256
        assert [entry.number for entry in history(connection, "remedy", "R-1")] == [1, 3]


def test_a_change_that_is_rolled_back_leaves_no_row(ledger: Engine) -> None:
    def fail_half_way() -> None:
        with writing(ledger) as connection:
            note(connection, ADA, [Change("remedy", "R-1", None, "held", "odd")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert len(a_log(ledger)) == 3


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda log: [replace(log[0], reason="fine"), *log[1:]], "row 1 was altered"),
        (lambda log: [log[0], replace(log[1], actor="person eve"), log[2]], "row 2 was altered"),
        (lambda log: [log[0], log[2]], "row 2 is missing"),
        (lambda log: log[1:], "row 1 is missing"),
        (lambda log: [log[0], replace(log[1], sha256=log[0].sha256), log[2]], "row 2 was altered"),
        (lambda log: [log[0], replace(log[2], number=2), replace(log[1], number=3)], "row 2 does not follow row 1"),
    ],
    ids=["reason", "actor", "left out", "beheaded", "digest", "exchanged"],
)
def test_a_log_that_was_tampered_with_is_found_out(ledger: Engine, damage: object, found: str) -> None:
    broken = first_break(iter(damage(a_log(ledger))))  # type: ignore[operator]
    assert broken is not None
    assert found in broken


def test_everything_that_is_sent_leaves_its_trace(ledger: Engine) -> None:
    approve(ledger)
    send(ledger, Gateway(), Mailbox(), MORNING)
    with ledger.connect() as connection:
        log = list(entries(connection))
    assert first_break(iter(log)) is None
    assert [(entry.entity, entry.after) for entry in log] == [
        ("remedy", "approved"),
        ("outbox", "approved"),
        ("outbox", "approved"),
        ("run", "released"),
        ("outbox", "sending"),
        ("outbox", "sent"),
        ("outbox", "settled"),
        ("outbox", "sending"),
        ("outbox", "sent"),
    ]
