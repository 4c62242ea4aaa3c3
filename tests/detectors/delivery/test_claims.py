"""What the customer says, weighed against what was scanned."""

from dataclasses import replace

import pytest

from detectors.finding import Scalar
from tests.detectors.delivery.told import (
    IN_TIME,
    ON_ITS_WAY,
    Contact,
    Line,
    Mixup,
    Scan,
    at,
    contact,
    found,
    kinds,
    scan,
    sole,
)

MISSING = contact("11-06 09:00 not_received")
STEPS_AWAY = 40.0005  # degrees north: 56 m from the address
STREETS_AWAY = 40.01  # 1.1 km


def delivered(*, lat: float | None = None, proof: str | None = None, reason: str | None = None) -> list[Scan]:
    return [
        *ON_ITS_WAY,
        scan(
            "11-05 14:00 delivered",
            depot="Newark",
            lat=lat,
            lon=None if lat is None else -75.0,
            proof=proof,
            reason=reason,
        ),
    ]


def signals(scans: list[Scan], *contacts: Contact) -> tuple[Scalar, Scalar]:
    finding = sole(found(scans=scans, contacts=contacts or [MISSING]), "delivered_not_received")
    return finding.evidence["signals_for"], finding.evidence["signals_against"]


def test_delivered_and_not_there() -> None:
    asked = replace(MISSING, voice="playful", language="en")
    finding = sole(found(Line(orders_known=12), delivered(), [asked]), "delivered_not_received")
    assert finding.evidence == {
        "delivered_at": at("11-05 14:00"),
        "delivered_date": "2026-11-05",
        "proof": None,
        "distance_m": None,
        "reports_90_days": 1,
        "orders_known": 12,
        "signals_for": "no_photo,first_report",
        "signals_against": "",
        "reported_at": at("11-06 09:00"),
        "voice": "playful",
        "language": "en",
        "carrier": "swift",
        "depot": "Newark",
        "order_item_id": "book",
    }
    assert (finding.severity, finding.fault) == (1, "carrier")
    assert (finding.occurred_from, finding.occurred_to) == (at("11-05 14:00"), at("11-06 09:00"))


@pytest.mark.parametrize(
    ("scans", "supporting", "contrary"),
    [
        (delivered(), "no_photo,first_report", ""),
        (delivered(proof="none"), "no_photo,first_report", ""),
        (delivered(proof="photo", lat=STEPS_AWAY), "first_report", "photo"),
        (delivered(proof="photo", lat=STREETS_AWAY), "proof_far,first_report", ""),
        (delivered(proof="photo"), "first_report", ""),
        (delivered(proof="pin"), "first_report", "pin"),
        (delivered(proof="signature", lat=STREETS_AWAY), "proof_far,first_report", "signature"),
        (delivered(reason="neighbour"), "no_photo,first_report", "neighbour"),
    ],
    ids=[
        "nobody knows",
        "no proof",
        "photo at the door",
        "photo elsewhere",
        "photo of anywhere",
        "PIN",
        "signed elsewhere",
        "neighbour",
    ],
)
def test_signals_on_both_sides(scans: list[Scan], supporting: str, contrary: str) -> None:
    assert signals(scans) == (supporting, contrary)


def reported(told: str, line: str | None) -> Contact:
    return contact(told, contact_id=f"{told} {line}", order_line_id=line)


@pytest.mark.parametrize(
    ("others", "reports", "contrary"),
    [
        ([], 1, ""),
        ([reported("11-07 09:00 not_received", "line")], 1, ""),
        ([reported("10-20 09:00 not_received", "b")], 2, ""),
        ([reported("10-20 09:00 not_received", "b"), reported("09-20 09:00 not_received", "c")], 3, "many_reports"),
        ([reported("10-20 09:00 not_received", "b"), reported("08-08 08:00 not_received", "c")], 2, ""),
        ([reported("10-20 09:00 not_received", None), reported("10-21 09:00 not_received", None)], 2, ""),
        ([reported("10-20 09:00 damaged", "b"), reported("10-21 09:00 other", "c")], 1, ""),
    ],
    ids=["first", "asked again", "second parcel", "third", "long ago", "no order named", "about something else"],
)
def test_how_many_parcels_this_customer_missed(others: list[Contact], reports: int, contrary: str) -> None:
    told = found(scans=delivered(proof="photo"), contacts=[MISSING, *others])
    evidence = sole(told, "delivered_not_received").evidence
    assert (evidence["reports_90_days"], evidence["signals_against"]) == (reports, contrary)


@pytest.mark.parametrize(
    ("depot", "day", "customer", "supporting"),
    [
        ("Newark", "11-05", "other", "no_photo,first_report,others_same_day"),
        ("Newark", "11-04", "other", "no_photo,first_report"),
        ("Trenton", "11-05", "other", "no_photo,first_report"),
        ("Newark", "11-05", "customer", "no_photo"),
    ],
    ids=["same route", "another day", "another depot", "the same customer"],
)
def test_others_on_the_same_route_miss_theirs_too(depot: str, day: str, customer: str, supporting: str) -> None:
    lines = [Line(), Line(order_line_id="b", customer_id=customer, tracking_number="b")]
    scans = [*delivered(), scan(f"{day} 16:00 delivered", tracking_number="b", depot=depot)]
    contacts = [MISSING, replace(MISSING, contact_id="b", customer_id=customer, order_line_id="b")]
    finding = next(each for each in found(lines, scans, contacts) if each.order_line_id == "line")
    assert finding.evidence["signals_for"] == supporting


def test_a_report_before_the_delivery_is_no_report_of_it() -> None:
    assert found(scans=IN_TIME, contacts=[contact("11-05 09:00 not_received")]) == []


def test_nobody_speaks_for_somebody_elses_parcel() -> None:
    assert found(scans=IN_TIME, contacts=[replace(MISSING, customer_id="stranger")]) == []


def test_a_report_that_names_no_order_is_about_none() -> None:
    assert found(scans=IN_TIME, contacts=[replace(MISSING, order_line_id=None)]) == []


def test_a_proof_far_from_the_address_needs_no_report() -> None:
    finding = sole(found(scans=delivered(proof="photo", lat=STREETS_AWAY)), "misdelivered")
    assert finding.evidence == {
        "distance_m": 1112,
        "delivered_at": at("11-05 14:00"),
        "carrier": "swift",
        "depot": "Newark",
        "order_item_id": "book",
    }
    assert finding.fault == "carrier"


@pytest.mark.parametrize(
    ("line", "scans"),
    [
        (Line(), delivered(lat=STEPS_AWAY)),
        (Line(lat=None), delivered(lat=STREETS_AWAY)),
        (Line(), delivered()),
        (Line(), [replace(each, lon=each.lat and 0.0) for each in delivered(lat=0.0)]),
        (Line(lat=0, lon=0), delivered(lat=STREETS_AWAY)),
        (Line(), [scan("11-05 09:00 ready_for_pickup"), *delivered(lat=STREETS_AWAY)]),
    ],
    ids=["at the door", "address unknown", "place unknown", "device without a position", "address unset", "counter"],
)
def test_what_is_near_or_unknown_or_collected_is_not_misdelivered(line: Line, scans: list[Scan]) -> None:
    assert found(line, scans) == []


@pytest.mark.parametrize("near_antimeridian", [179.9999, -179.9999])
def test_distance_knows_that_the_earth_is_round(near_antimeridian: float) -> None:
    line = Line(lat=0, lon=180.0)
    assert found(line, [scan("11-05 14:00 delivered", lat=0.0, lon=near_antimeridian)]) == []


def test_who_holds_the_parcel_was_not_misdelivered() -> None:
    told = found(scans=delivered(lat=STREETS_AWAY), contacts=[contact("11-06 09:00 damaged")])
    assert kinds(told) == ["damaged"]


@pytest.mark.parametrize(
    ("scans", "contacts", "fault", "reason"),
    [
        ([*ON_ITS_WAY, scan("11-04 09:00 in_transit", reason="damaged")], [], "carrier", "damaged"),
        (IN_TIME, [contact("11-06 09:00 damaged")], "carrier", None),
        (ON_ITS_WAY, [contact("11-05 09:00 damaged")], "unknown", None),
    ],
    ids=["the carrier says so", "the customer says so", "the customer says so of what never came"],
)
def test_damaged(scans: list[Scan], contacts: list[Contact], fault: str, reason: str | None) -> None:
    finding = sole(
        found(scans=scans, contacts=contacts, as_of="11-05 12:00" if not contacts else "11-30 12:00"), "damaged"
    )
    assert (finding.fault, finding.evidence["reason"]) == (fault, reason)


def test_the_wrong_item() -> None:
    told = contact("11-06 09:00 wrong_item", received_item_id="film", voice="warm", language="ja")
    finding = sole(found(scans=IN_TIME, contacts=[told]), "wrong_item")
    assert finding.evidence == {
        "wrong_count": 1,
        "received_item_id": "film",
        "mixup_lines": 0,
        "mixup_customers": 0,
        "reported_at": at("11-06 09:00"),
        "voice": "warm",
        "language": "ja",
        "carrier": "swift",
        "depot": "Newark",
        "order_item_id": "book",
    }
    assert finding.fault == "merchant"


def test_the_wrong_item_again_counts_by_the_day() -> None:
    days = ["11-06 09:00", "11-06 11:00", "11-14 09:00"]
    contacts = [contact(f"{day} wrong_item", contact_id=day, received_item_id="film") for day in days]
    for last, count in ((1, 1), (2, 1), (3, 2)):
        assert sole(found(scans=IN_TIME, contacts=contacts[:last]), "wrong_item").evidence["wrong_count"] == count


def test_the_same_mix_up_elsewhere_is_counted_without_this_line() -> None:
    told = contact("11-06 09:00 wrong_item", received_item_id="film")
    mixups = [
        Mixup("book", "film", "line", "customer"),
        Mixup("book", "film", "earlier", "customer"),
        Mixup("book", "film", "theirs", "other"),
        Mixup("book", "film", "theirs", "other"),
        Mixup("book", "cup", "another mix-up", "third"),
        Mixup("pen", "film", "another item", "fourth"),
    ]
    evidence = sole(found(scans=IN_TIME, contacts=[told], mixups=mixups), "wrong_item").evidence
    assert (evidence["mixup_lines"], evidence["mixup_customers"]) == (2, 1)


def test_what_was_received_instead_may_be_unknown() -> None:
    evidence = sole(found(contacts=[contact("11-06 09:00 wrong_item")], mixups=[]), "wrong_item").evidence
    assert (evidence["received_item_id"], evidence["mixup_lines"]) == (None, 0)
