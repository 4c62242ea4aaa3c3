from dataclasses import replace

from sqlalchemy import Engine

from detectors.finding import Finding, Provenance
from remediation.book import Seen
from remediation.ledger.book import SqlBook
from remediation.ledger.prints import record_prints
from tests.remediation.ledger.evenings import EVENING, MORNING, a_finding


def a_visit(session_id: str, *marks: str, received_at: int | None = EVENING) -> Finding:
    return replace(a_finding(session_id), provenance=Provenance(received_at=received_at, fingerprints=marks))


def test_a_copy_of_another_night_is_met_again(ledger: Engine) -> None:
    assert record_prints(ledger, MORNING, [a_visit("S-1", "a", "b"), a_visit("S-2", "c")]) == 3
    assert record_prints(ledger, MORNING + 9, [a_visit("copy", "b", received_at=EVENING + 7)]) == 1
    assert SqlBook(ledger).seen(["b", "c", "x"]) == {
        "b": (Seen("b", "S-1", EVENING), Seen("b", "copy", EVENING + 7)),
        "c": (Seen("c", "S-2", EVENING),),
    }


def test_the_same_night_again_changes_nothing(ledger: Engine) -> None:
    visit = a_visit("S-1", "a")
    record_prints(ledger, MORNING, [visit, replace(visit, kind="slow_start")])
    assert record_prints(ledger, MORNING, [a_visit("S-1", "a", received_at=EVENING + 9)]) == 0
    assert SqlBook(ledger).seen(["a"]) == {"a": (Seen("a", "S-1", EVENING),)}


def test_where_nobody_knows_when_it_was_received_the_run_says(ledger: Engine) -> None:
    record_prints(ledger, MORNING, [a_visit("S-1", "a", received_at=None)])
    assert SqlBook(ledger).seen(["a"])["a"][0].first_seen == MORNING


def test_what_has_no_fingerprints_leaves_none(ledger: Engine) -> None:
    assert record_prints(ledger, MORNING, [a_finding()]) == 0
    assert SqlBook(ledger).seen(["a"]) == {}


def test_thousands_are_written_and_found_at_once(ledger: Engine) -> None:
    visits = [a_visit(f"S-{n}", f"m-{n}", f"n-{n}") for n in range(1_201)]
    assert record_prints(ledger, MORNING, visits) == 2_402
    assert len(SqlBook(ledger).seen([f"m-{n}" for n in range(1_201)])) == 1_201
