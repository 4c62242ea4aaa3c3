from dataclasses import replace

import pytest

from remediation.ledger.run import RunInput
from remediation.money import Money
from remediation.report.night import Counts
from tests.remediation.report.nights import A_NIGHT, a_night, a_reject, a_remedy, a_row


@pytest.mark.parametrize(
    ("counts", "balanced"),
    [
        (Counts(records=10, used=6, duplicate=2, rejected=1, late=1), True),
        (Counts(records=10, used=6, duplicate=2, rejected=1, late=0), False),
        (Counts(records=0, used=0, duplicate=0, rejected=0, late=0), True),
    ],
    ids=["accounted for", "one lost", "empty"],
)
def test_every_record_must_be_accounted_for(counts: Counts, balanced: bool) -> None:  # noqa: FBT001 - a parameter
    assert counts.balanced is balanced


def test_totals_keep_states_and_currencies_apart() -> None:
    night = a_night(
        a_row(a_remedy("line-1", 299)),
        a_row(a_remedy("line-2", 101)),
        a_row(a_remedy("line-3", 400, "JPY")),
        a_row(a_remedy("line-4", 9_900, state="held")),
    )

    assert night.totals("approved") == (Money(400, "JPY"), Money(400, "USD"))
    assert night.totals("held") == (Money(9_900, "USD"),)
    assert night.totals("proposed") == ()


def test_a_customer_with_two_remedies_is_helped_once_and_a_held_one_not_yet() -> None:
    night = a_night(
        a_row(a_remedy("line-1", customer="anna")),
        a_row(a_remedy("line-2", customer="anna")),
        a_row(a_remedy("line-3", customer="bela", state="held")),
    )

    assert night.customers_helped == 1


def test_the_flagged_share_of_no_session_is_unknown() -> None:
    assert A_NIGHT.flagged_ratio == 1 / 40
    assert replace(A_NIGHT, sessions=0, flagged_sessions=0).flagged_ratio is None


def test_rows_of_the_order_book_are_no_records_of_the_telemetry() -> None:
    orders = RunInput("orders", "orders.jsonl", 100, "cd" * 32, 9)
    rejects = (a_reject(count=4), a_reject("bad_orders_row", source="orders.jsonl"))
    night = replace(A_NIGHT, inputs=(*A_NIGHT.inputs, orders), rejects=rejects)

    assert night.rejected_rows == 1


def test_left_out_fields_are_not_rejected_records() -> None:
    night = replace(A_NIGHT, rejects=(a_reject(count=3), a_reject(scope="field", count=31)))

    assert night.rejected_fields == 31
