from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from detectors.finding import Finding
from remediation.database import writing
from remediation.ledger.findings import write_findings
from remediation.ledger.tables import FINDINGS, REMEDY_FINDINGS
from tests.remediation.ledger.evenings import (
    MORNING,
    a_finding,
    a_remedy,
    an_order,
    owed,
    record_night,
    rows,
    with_orders,
)
from tests.support.examples import examples
from tests.support.stores import empty_ledger


def write(ledger: Engine, as_of: int, finding: Finding) -> int:
    with writing(ledger) as connection:
        return write_findings(connection, as_of, [finding])


def test_late_data_refresh_the_figures_and_leave_what_the_remedy_rested_on(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy()))
    assert write(ledger, MORNING + 1, a_finding(stall_ms=20_000, severity=1.0)) == 1
    (row,) = rows(ledger, FINDINGS)
    assert (row["evidence"], row["severity"]) == ({"stall_ms": 20_000}, 1.0)
    assert rows(ledger, REMEDY_FINDINGS)[0]["evidence"] == {"stall_ms": 9_000}


def test_an_older_night_run_again_does_not_bring_old_figures_back(ledger: Engine) -> None:
    write(ledger, MORNING + 1, a_finding(stall_ms=20_000))
    assert write(ledger, MORNING, a_finding(stall_ms=9_000)) == 0
    assert rows(ledger, FINDINGS)[0]["evidence"] == {"stall_ms": 20_000}


def test_of_one_moment_the_more_severe_figures_stand(ledger: Engine) -> None:
    write(ledger, MORNING, a_finding(severity=0.9))
    assert write(ledger, MORNING, a_finding(severity=0.2)) == 0
    assert rows(ledger, FINDINGS)[0]["severity"] == 0.9


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0.5, 0.6]), st.integers(0, 2)),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
@examples(15)
def test_the_order_of_arrival_does_not_show(versions: list[tuple[int, float, int]]) -> None:
    ends = set()
    with empty_ledger() as ledger:
        for order in permutations(versions):
            for as_of, severity, stall_ms in order:
                write(ledger, as_of, a_finding(stall_ms=stall_ms, severity=severity))
            ends.add(repr(rows(ledger, FINDINGS)))
            with writing(ledger) as connection:
                connection.execute(delete(FINDINGS))
    assert len(ends) == 1
