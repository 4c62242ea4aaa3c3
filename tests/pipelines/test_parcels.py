import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from detectors.schemas import TRACKING
from pipelines.parcels import CONTACTS, SCANS, distinct

SCAN = st.fixed_dictionaries(
    {
        "tracking_number": st.sampled_from(["T-1", "T-2"]),
        "event_time": st.integers(1, 3),
        "status": st.sampled_from(["in_transit", "delivered"]),
        "reason": st.sampled_from([None, "did_not_occur"]),
        "proof": st.sampled_from([None, "photo", "none"]),
        "lat": st.sampled_from([None, 1.5, 10.0]),
    }
)


def scans(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: TRACKING[name] for name in rows[0]})


@given(st.lists(SCAN, min_size=1, max_size=20), st.randoms())
def test_each_scan_once_and_the_same_one_whatever_the_order(rows: list[dict[str, object]], order: object) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined] # Hypothesis gives a random.Random
    once = distinct(scans(rows), SCANS)
    assert_frame_equal(distinct(scans([*shuffled, *rows]), SCANS), once)
    assert once.height == len(
        {(row["tracking_number"], row["event_time"], row["status"], row["reason"]) for row in rows}
    )


def test_a_retraction_is_another_record_than_the_scan_that_it_retracts() -> None:
    scan = {"tracking_number": "T-1", "event_time": 1, "status": "delivered", "reason": None}
    assert distinct(scans([scan, scan | {"reason": "did_not_occur"}]), SCANS).height == 2


def test_a_contact_is_named_by_its_id_alone() -> None:
    rows = [{"contact_id": "C-1", "customer_id": "c", "event_time": time} for time in (1, 2)]
    frame = pl.DataFrame(rows, schema={name: CONTACTS.schema[name] for name in rows[0]})
    assert distinct(frame, CONTACTS)["event_time"].to_list() == [1]
