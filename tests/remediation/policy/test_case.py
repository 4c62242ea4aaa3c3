from dataclasses import replace
from itertools import permutations

import pytest

from remediation.policy.case import Case, cases, evidence_sha256
from remediation.policy.decide import decide
from remediation.policy.load import default_policy
from tests.remediation.policy.stories import (
    MORNING,
    MemoryBook,
    a_case,
    a_customer,
    a_failure,
    a_finding,
    a_line,
    a_parcel,
    an_entry,
    the_remedy,
)


def test_a_case_gathers_what_is_known_of_one_customer() -> None:
    stalls = a_finding(order_line_id="line-1")
    blurred = a_finding("low_quality", order_line_id="line-1")
    elsewhere = a_finding(session="session-2", customer_id="rick", order_line_id="line-2")
    entry = an_entry(the_remedy(decide(a_case(stalls), default_policy(), MORNING)), stalls)
    book = MemoryBook(
        ordered=(a_line(), a_line(line_id="line-2", customer_id="rick")), known=(a_customer(),), entries=(entry,)
    )
    ilsa, rick = cases([elsewhere, stalls, blurred], book)
    assert ilsa == Case("ilsa", a_customer(), ((a_line(), (stalls, blurred)),), (entry,))
    assert (rick.customer_id, rick.customer, rick.history) == ("rick", None, ())
    assert set(book.asked.values()) == {1}


def test_a_case_knows_earlier_lines_and_what_can_be_sent() -> None:
    lost = a_failure("lost")
    entries = tuple(
        an_entry(the_remedy(decide(a_case(a_finding(), line=a_line(line_id=line_id)), default_policy(), MORNING)))
        for line_id in ("old", "gone")
    )
    book = MemoryBook(
        ordered=(a_parcel(), a_line(line_id="old")),
        known=(a_customer(),),
        entries=entries,
        counted={"runes": 3, "casablanca": 9},
    )
    (case,) = cases([lost], book)
    assert case.lines == ((a_parcel(), (lost,)),)
    assert case.earlier_lines == (a_line(line_id="old"),)
    assert case.stock == {"runes": 3}
    assert set(book.asked.values()) == {1}


def test_films_are_not_counted_in_stock() -> None:
    book = MemoryBook(ordered=(a_line(),), counted={"casablanca": 9})
    (case,) = cases([a_finding(order_line_id="line-1")], book)
    assert (case.stock, book.asked["stock"]) == ({}, 0)


def test_a_finding_that_was_never_bound_is_an_error_and_is_not_dropped() -> None:
    with pytest.raises(ValueError, match="is not bound to an order line: bind it first"):
        cases([a_finding()], MemoryBook())


def test_evidence_is_the_same_in_any_order_and_however_often_it_is_said() -> None:
    findings = (a_finding(stall_ms=9_000, stall_count=3), a_finding("low_quality"), a_finding(session="session-2"))
    digests = {evidence_sha256(shuffled * times) for shuffled in permutations(findings) for times in (1, 2)}
    assert len(digests) == 1


def test_evidence_does_not_hold_who_found_it_or_whose_it_is() -> None:
    finding = a_finding()
    same = replace(finding, detector_version="2", customer_id="rick", content_id=None, order_line_id="line-9")
    assert evidence_sha256([same]) == evidence_sha256([finding])


def test_any_other_figure_is_other_evidence() -> None:
    finding = a_finding(stall_ms=9_000)
    others = (
        a_finding(stall_ms=9_001),
        a_finding("slow_start", stall_ms=9_000),
        a_finding(severity=0.81, stall_ms=9_000),
        a_finding(session="session-2", stall_ms=9_000),
        a_finding(at=MORNING, stall_ms=9_000),
        a_finding(fault="cdn", stall_ms=9_000),
        replace(finding, occurred_to=MORNING),
    )
    assert len({evidence_sha256([each]) for each in (finding, *others)}) == len(others) + 1
