"""What stays silent for too long is lost; what never moved is found from its promise alone."""

from datetime import date

import pytest

from tests.detectors.delivery.told import (
    IN_TIME,
    ON_ITS_WAY,
    RULES,
    Line,
    Scan,
    at,
    contact,
    found,
    kinds,
    scan,
    sole,
)


def test_late_first_then_lost_without_another_scan() -> None:
    story = {day: kinds(found(scans=ON_ITS_WAY, as_of=f"11-{day} 12:00")) for day in ("05", "06", "10", "11", "30")}
    assert story == {"05": [], "06": ["late"], "10": ["late"], "11": ["lost"], "30": ["lost"]}


def test_a_lost_parcel_says_how_long_it_has_been_silent() -> None:
    finding = sole(found(scans=ON_ITS_WAY, as_of="11-11 00:00"), "lost")
    assert finding.evidence == {
        "last_scan_at": at("11-04 02:00"),
        "days_silent": 7,
        "never_scanned": False,
        "declared": False,
        "reported_at": None,
        "voice": None,
        "language": None,
        "carrier": "swift",
        "depot": "Newark",
        "order_item_id": "book",
    }
    assert (finding.severity, finding.fault) == (1, "carrier")
    assert (finding.occurred_from, finding.occurred_to) == (at("11-04 02:00"), at("11-11 00:00"))


@pytest.mark.parametrize(
    ("line", "last_patient_day", "lost_day"),
    [
        (Line(), "11-10", "11-11"),
        (Line(country="DE"), "11-23", "11-24"),
        (Line(country=None), "11-23", "11-24"),
        (Line(carrier="Snail"), "11-17", "11-18"),
    ],
    ids=["domestic", "abroad", "who knows where", "a slow carrier"],
)
def test_patience_depends_on_carrier_and_country(line: Line, last_patient_day: str, lost_day: str) -> None:
    assert kinds(found(line, ON_ITS_WAY, as_of=f"{last_patient_day} 23:59")) == ["late"]
    assert kinds(found(line, ON_ITS_WAY, as_of=f"{lost_day} 00:00")) == ["lost"]


def test_the_carrier_of_the_scans_serves_where_the_order_names_none() -> None:
    scans = [scan("11-03 08:00 picked_up", carrier="snail")]
    finding = sole(found(Line(carrier=None), scans, as_of="11-12 12:00"), "late")
    assert finding.evidence["carrier"] == "snail"


def test_a_scan_of_unknown_meaning_is_still_a_sign_of_life() -> None:
    scans = [*ON_ITS_WAY, scan("11-09 12:00 unknown")]
    assert kinds(found(scans=scans, as_of="11-12 12:00")) == ["late"]
    assert kinds(found(scans=scans, as_of="11-16 12:00")) == ["lost"]


def test_what_turns_up_again_is_late_and_no_longer_lost() -> None:
    assert kinds(found(scans=[*ON_ITS_WAY, scan("11-20 12:00 delivered")])) == ["late"]


@pytest.mark.parametrize("told", ["11-05 12:00 ready_for_pickup", "11-05 12:00 cancelled", "11-05 12:00 delivered"])
def test_what_nobody_expects_to_move_is_not_lost_by_silence(told: str) -> None:
    assert found(scans=[*ON_ITS_WAY, scan(told)]) == []


def test_a_parcel_declared_lost_is_lost_at_once() -> None:
    finding = sole(found(scans=[*ON_ITS_WAY, scan("11-05 12:00 on_hold", reason="lost")], as_of="11-05 13:00"), "lost")
    assert (finding.evidence["declared"], finding.evidence["days_silent"], finding.fault) == (True, 0, "carrier")


def test_a_parcel_seen_after_its_loss_was_declared_is_not_lost() -> None:
    scans = [*ON_ITS_WAY, scan("11-05 08:00 on_hold", reason="lost"), scan("11-05 12:00 delivered")]
    assert found(scans=scans) == []


def test_a_parcel_on_its_way_again_after_its_loss_was_declared_is_merely_late() -> None:
    scans = [*ON_ITS_WAY, scan("11-05 08:00 on_hold", reason="lost"), scan("11-06 12:00 out_for_delivery")]
    sole(found(scans=scans, as_of="11-06 13:00"), "late")


def test_a_carrier_that_calls_its_delivery_lost_afterwards_is_believed() -> None:
    scans = [*IN_TIME, scan("11-07 12:00 delivery_failed", reason="lost")]
    told = contact("11-06 12:00 not_received")
    assert kinds(found(scans=scans, contacts=[told])) == ["lost"]


def test_a_scan_that_says_delivered_and_lost_at_once_is_no_loss() -> None:
    assert found(scans=[*ON_ITS_WAY, scan("11-05 12:00 delivered", reason="lost")]) == []


def test_customs_keeping_a_parcel_is_no_fault_of_the_carrier() -> None:
    finding = sole(found(Line(), [*ON_ITS_WAY, scan("11-05 12:00 on_hold", reason="customs")]), "lost")
    assert finding.fault == "customs"


@pytest.mark.parametrize(
    ("line", "scans"),
    [
        (Line(), []),
        (Line(tracking_number=None), []),
        (Line(), [scan("11-02 10:00 pending")]),
    ],
    ids=["no scan", "not even a tracking number", "a label and no parcel"],
)
def test_what_never_moved_is_late_then_lost(line: Line, scans: list[Scan]) -> None:
    # Ordered on Monday: its five working days are Tuesday to Monday, and Tuesday is the first day after them.
    assert kinds(found(line, scans, as_of="11-05 23:59")) == []
    assert kinds(found(line, scans, as_of="11-06 00:00")) == ["late"]
    assert kinds(found(line, scans, as_of="11-09 23:59")) == ["late"]
    finding = sole(found(line, scans, as_of="11-10 00:00"), "lost")
    assert (finding.evidence["never_scanned"], finding.evidence["last_scan_at"]) == (True, None)
    assert (finding.evidence["days_silent"], finding.fault) == (8, "merchant")


@pytest.mark.parametrize(
    ("country", "purchased", "promised", "lost_on"),
    [
        ("US", "2026-11-20 09:00", date(2026, 11, 23), "2026-12-01"),
        ("GB", "2026-11-20 09:00", date(2026, 11, 23), "2026-11-28"),
        ("SA", "2026-11-15 09:00", date(2026, 11, 18), "2026-11-23"),
        ("US", "2026-12-23 09:00", date(2026, 12, 26), "2027-01-01"),
        ("US", "2026-12-24 09:00", date(2026, 12, 26), "2027-01-05"),
    ],
    ids=["Thanksgiving", "an ordinary week", "Friday and Saturday off", "Christmas", "over new year"],
)
def test_working_days_are_those_of_the_merchants_country(
    country: str, purchased: str, promised: date, lost_on: str
) -> None:
    rules = RULES.model_copy(update={"merchant_country": country})
    line = Line(purchased_at=at(purchased), promised_date=promised)
    first = at(f"{lost_on} 00:00")
    assert kinds(found(line, as_of=first - 1, rules=rules)) == ["late"]
    assert kinds(found(line, as_of=first, rules=rules)) == ["lost"]


def test_what_was_sold_long_before_it_is_sent_is_not_lost() -> None:
    preordered = Line(promised_date=date(2027, 3, 1))
    assert found(preordered, as_of="2027-03-01 12:00") == []
    assert kinds(found(preordered, as_of="2027-03-02 12:00")) == ["lost"]


@pytest.mark.parametrize("topic", ["damaged", "wrong_item"])
def test_what_the_customer_holds_is_neither_lost_nor_late(topic: str) -> None:
    assert kinds(found(scans=ON_ITS_WAY, contacts=[contact(f"11-08 12:00 {topic}")])) == [topic]


def test_a_country_without_a_calendar_is_named_with_what_to_do() -> None:
    rules = RULES.model_copy(update={"merchant_country": "XX"})
    with pytest.raises(ValueError, match=r"merchant_country: no calendar of holidays is known for 'XX'; name"):
        found(rules=rules)


def test_of_many_lines_each_is_judged_by_its_own_promise_and_scans() -> None:
    lines = [
        Line(order_line_id="on time", tracking_number="a"),
        Line(order_line_id="with it", tracking_number="a"),
        Line(order_line_id="silent", tracking_number="b"),
        Line(order_line_id="abroad", tracking_number="b", country="JP", timezone="Asia/Tokyo"),
        Line(order_line_id="unsent", tracking_number=None),
    ]
    scans = [scan("11-05 14:00 delivered", tracking_number="a"), scan("11-03 14:00 in_transit", tracking_number="b")]
    story = [(finding.kind, finding.order_line_id) for finding in found(lines, scans, as_of="11-12 12:00")]
    assert story == [("late", "abroad"), ("lost", "silent"), ("lost", "unsent")]
