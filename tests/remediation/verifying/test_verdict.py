"""Looking at a whole ledger: in one view, without a trace, and against an end of the log that was kept elsewhere."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, text

from remediation.database import writing
from remediation.ledger.audit import Author, Change, Head, note
from remediation.verifying import SHOWN, Breach, Check, verify
from tests.remediation.ledger.evenings import MORNING
from tests.remediation.verifying.ledgers import DAY

NOW = MORNING + 4 * DAY
ADA = Author("person ada", NOW)


def test_an_eventful_ledger_is_sound(eventful: Engine) -> None:
    verdict = verify(eventful, NOW)
    assert [outcome for outcome in verdict.outcomes if outcome.count] == []
    assert verdict.is_sound
    assert verdict.head.number > 80


def test_an_empty_ledger_is_sound(ledger: Engine) -> None:
    verdict = verify(ledger, NOW)
    assert verdict.is_sound
    assert verdict.head == Head(0, "0" * 64)


def test_the_head_that_was_kept_is_still_there(eventful: Engine) -> None:
    kept = verify(eventful, NOW).head
    assert verify(eventful, NOW, kept).is_sound


@pytest.mark.parametrize(
    ("kept", "problem"),
    [
        (lambda head: replace(head, sha256="f" * 64), "it has another digest than the one that was kept elsewhere"),
        (lambda head: replace(head, number=head.number + 1), "it is gone"),
    ],
    ids=["written anew", "cut off"],
)
def test_a_log_that_was_written_anew_is_found_out(eventful: Engine, kept: Callable[[Head], Head], problem: str) -> None:
    head = kept(verify(eventful, NOW).head)
    verdict = verify(eventful, NOW, head)
    assert not verdict.is_sound
    assert verdict.outcomes[-1].breaches == (Breach("audit", str(head.number), problem),)


def test_many_rows_are_counted_and_a_few_are_named(ledger: Engine) -> None:
    def everything(_connection: Connection, _now: int) -> Iterator[Breach]:
        return (Breach("outbox", str(number), "is odd") for number in range(SHOWN + 5))

    (outcome,) = verify(ledger, NOW, checks=[Check("All is even.", "look", everything)]).outcomes
    assert (len(outcome.breaches), outcome.count) == (SHOWN, SHOWN + 5)


def test_what_needs_somebody_is_not_broken(ledger: Engine) -> None:
    def one(_connection: Connection, _now: int) -> Iterator[Breach]:
        return iter([Breach("outbox", "1", "waits")])

    assert verify(ledger, NOW, checks=[Check("Nothing waits.", "look", one, warns=True)]).is_sound
    assert not verify(ledger, NOW, checks=[Check("Nothing waits.", "look", one)]).is_sound


def test_all_checks_see_the_ledger_of_one_moment(ledger: Engine) -> None:
    """A change that is written between two checks is seen by neither; on SQLite its writer waits instead."""
    seen: list[int] = []

    def count(connection: Connection, _now: int) -> Iterator[Breach]:
        seen.append(connection.execute(text("SELECT count(*) FROM audit")).scalar_one())
        return iter(())

    def write(_connection: Connection, _now: int) -> Iterator[Breach]:
        if ledger.dialect.name == "postgresql":
            with writing(ledger) as connection:
                note(connection, ADA, [Change("control", "mode", "normal", "off", "meanwhile")])
        return iter(())

    verify(ledger, NOW, checks=[Check("", "", find) for find in (count, write, count)])
    assert seen == [0, 0]


def test_nothing_can_be_written_while_looking(ledger: Engine) -> None:
    def meddle(connection: Connection, _now: int) -> Iterator[Breach]:
        connection.execute(text("UPDATE control SET mode = 'off'"))
        return iter(())

    with pytest.raises(Exception, match=r"read-?only"):
        verify(ledger, NOW, checks=[Check("", "", meddle)])
