import io
import json
from collections.abc import Callable
from typing import IO, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import schemas
from remediation.remedy import Declined
from remediation.report.files import (
    FindingRecord,
    RemedyRecord,
    TicketRecord,
    write_declined,
    write_findings,
    write_rejects,
    write_remedies,
    write_tickets,
)
from remediation.report.night import RejectRow
from tests.remediation.report.nights import a_decline, a_finding, a_reject, a_remedy, a_ticket

Item = TypeVar("Item")


def written(write: Callable[[IO[bytes], list[Item]], int], *items: Item) -> list[str]:
    sink = io.BytesIO()
    count = write(sink, list(items))
    lines = sink.getvalue().decode().splitlines()
    assert count == len(lines)
    return lines


def test_a_finding_is_a_line_that_a_person_can_read() -> None:
    finding = a_finding(evidence={"stall_ms": 10_900, "stall_count": 6, "error_code": None})

    (line,) = written(write_findings, finding)
    assert line == (
        f'{{"finding_id":"{finding.finding_id}","kind":"playback_stalls",'
        '"subject":{"type":"session","id":"session-1"},"customer_id":"customer-1","order_line_id":"line-1",'
        '"severity":0.72,"occurred_from":1795291471000,"occurred_to":1795291552000,'
        '"evidence":{"error_code":null,"stall_count":6,"stall_ms":10900},"fault":"unknown","detector_version":"1"}'
    )


def test_a_remedy_is_written_in_minor_units() -> None:
    remedy = a_remedy(amount=299, findings=(a_finding(),), reason="カサブランカ")

    (line,) = written(write_remedies, remedy)
    assert json.loads(line) == {
        "remedy_id": remedy.remedy_id,
        "finding_ids": [a_finding().finding_id],
        "order_line_id": "line-1",
        "actions": [{"kind": "refund", "amount_minor": 299, "service_level": None}],
        "amount": 299,
        "currency": "USD",
        "policy_sha256": "5f" * 32,
        "reason": "カサブランカ",
        "customer_id": "customer-1",
        "number": 1,
        "state": "approved",
    }
    assert "カサブランカ" in line


def test_declined_and_rejects_are_written_as_they_are() -> None:
    (declined,) = written(write_declined, a_decline())
    (reject,) = written(write_rejects, a_reject(line=None))

    assert list(json.loads(declined)) == [
        "finding_ids",
        "subject",
        "outcome",
        "code",
        "reason",
        "order_line_id",
        "customer_id",
    ]
    assert list(json.loads(reject)) == list(schemas.REJECTS)
    assert json.loads(reject)["line"] is None


def test_a_ticket_is_written_with_its_figures_and_without_who_changed_it() -> None:
    (line,) = written(write_tickets, a_ticket("line-1", "line-2"))

    ticket = json.loads(line)
    assert ticket["claim"] == "Of 60 parcels at depot SPARKS, NV 50 are lost."
    assert ticket["cohort"] == {"depot": "SPARKS, NV"}
    assert ticket["order_line_ids"] == ["line-1", "line-2"]
    assert ticket["figures"]["rest_units"] == 240
    assert ticket["state"] == "open"
    assert "changes" not in ticket
    assert msgspec.json.decode(line, type=TicketRecord).ticket_id == "ticket-1"


def test_tickets_come_by_id() -> None:
    lines = written(write_tickets, a_ticket(ticket="ticket-2"), a_ticket(ticket="ticket-1", figures=None))

    assert [json.loads(line)["ticket_id"] for line in lines] == ["ticket-1", "ticket-2"]
    assert json.loads(lines[0])["figures"] is None


def test_no_night_writes_no_line() -> None:
    assert written(write_findings) == []


@given(st.permutations([a_finding(f"session-{number}") for number in range(5)]))
def test_findings_come_by_id_whatever_their_order_was(findings: list[object]) -> None:
    lines = written(write_findings, *findings)  # type: ignore[arg-type]  # Hypothesis types permutations as objects

    ids = [json.loads(line)["finding_id"] for line in lines]
    assert ids == sorted(ids)


@pytest.mark.parametrize("backwards", [False, True])
def test_every_file_is_the_same_whatever_the_order_was(*, backwards: bool) -> None:
    step = -1 if backwards else 1
    remedies = [a_remedy(f"line-{number}") for number in range(4)][::step]
    declined = [a_decline(f"session-{number}") for number in range(4)][::step]
    rejects = [a_reject(line=line, source=source) for source in ("a", "b") for line in (2, None, 1)][::step]

    assert [json.loads(line)["remedy_id"] for line in written(write_remedies, *remedies)] == sorted(
        remedy.remedy_id for remedy in remedies
    )
    found = [msgspec.json.decode(line, type=Declined) for line in written(write_declined, *declined)]
    assert found == sorted(declined, key=lambda item: item.declined_id)
    places = [(row.source, row.line) for row in map(_reject, written(write_rejects, *rejects))]
    assert places == [("a", None), ("a", 1), ("a", 2), ("b", None), ("b", 1), ("b", 2)]


def test_what_is_written_can_be_read_back_strictly() -> None:
    (finding,) = written(write_findings, a_finding())
    (remedy,) = written(write_remedies, a_remedy())

    assert msgspec.json.decode(finding, type=FindingRecord).finding_id == a_finding().finding_id
    assert msgspec.json.decode(remedy, type=RemedyRecord).remedy_id == a_remedy().remedy_id


def _reject(line: str) -> RejectRow:
    return msgspec.json.decode(line, type=RejectRow)
