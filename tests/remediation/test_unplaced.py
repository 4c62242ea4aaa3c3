"""What belongs to no order is told, not lost."""

import pytest
from sqlalchemy import Engine

from remediation.ledger.parcels import record_contacts, record_scans
from remediation.unplaced import unplaced_contacts, unplaced_parcels
from tests.remediation.ledger.evenings import MORNING, with_orders
from tests.remediation.ledger.test_parcels import contact, goods, scan


def test_a_parcel_that_no_order_names_is_counted_once(ledger: Engine) -> None:
    with_orders(ledger, goods("OL-1", tracking_number="T-1"))
    for number, at in (("T-1", MORNING), ("T-9", MORNING), ("T-9", MORNING + 1)):
        record_scans(ledger, scan(number, at))
    assert unplaced_parcels(ledger, ledger) == 1


@pytest.mark.parametrize(
    ("customer", "line", "topic", "told"),
    [
        pytest.param("C-1", "OL-1", "not_received", False, id="about an own order line"),
        pytest.param("C-1", None, "not_received", True, id="about a parcel, without a line"),
        pytest.param("C-1", "OL-9", "damaged", True, id="about a line that we do not have"),
        pytest.param("C-2", "OL-1", "wrong_item", True, id="about another customer's line"),
        pytest.param("C-1", None, "poor_playback", False, id="about no parcel"),
    ],
)
def test_a_contact_without_an_order_is_for_a_person(
    ledger: Engine, customer: str, line: str | None, topic: str, *, told: bool
) -> None:
    with_orders(ledger, goods("OL-1"))
    record_contacts(ledger, contact("M-1", customer, line, topic=topic))
    found = unplaced_contacts(ledger, ledger, MORNING)
    assert [(item.outcome, item.code, item.customer_id) for item in found] == (
        [("review", "contact_without_order", customer)] if told else []
    )


def test_a_contact_of_tomorrow_is_not_yet_told(ledger: Engine) -> None:
    record_contacts(ledger, contact("M-1", "C-1", None, MORNING + 1))
    assert unplaced_contacts(ledger, ledger, MORNING) == ()
