"""What was found is written down as it was decided on, whole, and no more often than it says something new."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from detectors.finding import DeliveryKind, Finding, Provenance, Subject
from remediation.ledger.audit import Author, head
from remediation.ledger.book import SqlBook
from remediation.ledger.claims import findings_of
from remediation.ledger.control_tables import CLAIMS
from remediation.ledger.journal import record
from remediation.ledger.tables import FINDINGS, REMEDIES
from remediation.policy.case import evidence_sha256
from remediation.policy.load import default_policy
from remediation.resolve import resolve
from remediation.reviewing.runs import withdraw
from tests.remediation.ledger.evenings import (
    EVENING,
    GENEROUS,
    MORNING,
    a_finding,
    a_run,
    an_order,
    count,
    in_stock,
    rows,
    with_orders,
)

DAY = 86_400_000
POLICY = default_policy()
TOLD = Provenance(
    started_at=EVENING - 1,
    ended_at=EVENING + 9_001,
    received_at=EVENING + 9_000,
    attested_ms=9_000,
    signed=True,
    doubts=("absurd_figures",),
    fingerprints=("f",),
    granted_at=EVENING,
)


def stalls(session: str = "S-1", severity: float = 0.8) -> Finding:
    return a_finding(session, severity=severity, customer_id="C-1", order_line_id="OL-1", provenance=TOLD)


def missing(days: int, *, kind: DeliveryKind = "late") -> Finding:
    """A parcel that has not come: each night it is found again, and ends later."""
    return replace(
        stalls(),
        kind=kind,
        subject=Subject("order_line", "OL-1"),
        evidence={"days_late" if kind == "late" else "days_silent": days},
        provenance=Provenance(),
        severity=days / (days + 10),
        occurred_to=EVENING + days * DAY,
        fault="carrier",
    )


def night(ledger: Engine, *findings: Finding, after: int = 0) -> None:
    """Decides and records; nothing that was decided before is decided again."""
    as_of = MORNING + after * DAY
    run = replace(a_run(as_of), policy_sha256=POLICY.sha256)
    record(ledger, run, resolve(findings, SqlBook(ledger), POLICY, as_of), GENEROUS)


@pytest.fixture
def sold(ledger: Engine) -> Engine:
    with_orders(ledger, an_order())
    return ledger


@pytest.fixture
def shipped(ledger: Engine) -> Engine:
    with_orders(ledger, an_order(kind="goods", shipping_minor=400, amount_minor=2_000))
    in_stock(ledger, 7)
    return ledger


def test_a_claim_is_kept_whole_beside_its_remedy(sold: Engine) -> None:
    found = sorted((stalls("S-2", severity=0.5), stalls("S-1")), key=lambda each: each.finding_id)
    with sold.connect() as connection:
        before = head(connection).number
    night(sold, *found)
    (kept,), (remedy,) = rows(sold, CLAIMS), rows(sold, REMEDIES)
    assert (kept["run_id"], kept["order_line_id"], kept["customer_id"]) == (remedy["run_id"], "OL-1", "C-1")
    assert kept["evidence_sha256"] == remedy["evidence_sha256"] == evidence_sha256(found)
    assert findings_of(kept["findings"]) == tuple(found)
    assert (kept["audit_number"], kept["available"]) == (before, None)


def test_the_same_night_again_adds_nothing(sold: Engine) -> None:
    for _ in range(2):
        night(sold, stalls())
    assert count(sold, CLAIMS) == 1


def test_what_leads_to_nothing_is_kept_though_no_finding_is(sold: Engine) -> None:
    night(sold, stalls("S-1", severity=1.0))
    night(sold, stalls("S-2", severity=0.1), after=1)
    assert (count(sold, REMEDIES), count(sold, FINDINGS)) == (1, 1)
    found = [each.subject.id for row in rows(sold, CLAIMS) for each in findings_of(row["findings"])]
    assert sorted(found) == ["S-1", "S-2"]


def test_what_is_decided_anew_after_its_run_was_withdrawn_is_kept_anew(sold: Engine) -> None:
    night(sold, stalls())
    withdraw(sold, str(rows(sold, CLAIMS)[0]["run_id"]), Author("person ada", MORNING), "the telemetry was wrong")
    night(sold, stalls(), after=1)
    assert (count(sold, REMEDIES), count(sold, CLAIMS)) == (2, 2)


def test_what_could_be_sent_is_kept_with_it(shipped: Engine) -> None:
    night(shipped, missing(7, kind="lost"))
    assert [row["available"] for row in rows(shipped, CLAIMS)] == [7]


def test_a_delay_is_kept_day_by_day_and_a_loss_once(shipped: Engine) -> None:
    for day in (1, 2, 3):
        night(shipped, missing(day), after=day)
    days = [each.evidence["days_late"] for row in rows(shipped, CLAIMS) for each in findings_of(row["findings"])]
    assert sorted(map(str, days)) == ["1", "2", "3"]
    for day in (7, 8, 9):
        night(shipped, missing(day, kind="lost"), after=day)
    assert count(shipped, CLAIMS) == 4


def test_a_delay_that_is_over_is_not_kept_every_night(shipped: Engine) -> None:
    night(shipped, missing(1), after=1)
    for day in (2, 3, 4):
        night(shipped, missing(2), after=day)
    assert count(shipped, CLAIMS) == 2


def test_what_belongs_to_no_order_is_no_claim(sold: Engine) -> None:
    night(sold)
    assert count(sold, CLAIMS) == 0
