"""A promise is a calendar day in the customer's own zone."""

from dataclasses import replace
from datetime import date

import pytest

from detectors.delivery.rules import Late
from tests.detectors.delivery.told import HOME, IN_TIME, ON_ITS_WAY, RULES, Line, at, contact, found, kinds, scan, sole


def test_a_parcel_on_the_promised_day_is_not_late() -> None:
    assert found(scans=IN_TIME) == []


@pytest.mark.parametrize(
    ("clock", "told"),
    [("11-05 23:59", []), ("11-06 00:00", ["late"]), ("11-06 09:00", ["late"])],
    ids=["last minute", "midnight", "next morning"],
)
def test_the_day_ends_at_the_customers_midnight(clock: str, told: list[str]) -> None:
    assert kinds(found(scans=[*ON_ITS_WAY, scan(f"{clock} delivered")])) == told


def test_a_late_parcel_says_when_it_was_promised_and_when_it_came() -> None:
    finding = sole(found(scans=[*ON_ITS_WAY, scan("11-08 10:00 delivered", depot="Trenton")]), "late")
    assert finding.evidence == {
        "promised_date": "2026-11-05",
        "delivered_date": "2026-11-08",
        "days_late": 3,
        "reported_at": None,
        "voice": None,
        "language": None,
        "carrier": "swift",
        "depot": "Trenton",
        "order_item_id": "book",
    }
    assert (finding.occurred_from, finding.occurred_to) == (at("11-06 00:00"), at("11-08 10:00"))
    assert (finding.subject.type, finding.subject.id, finding.order_line_id) == ("order_line", "line", "line")
    assert (finding.customer_id, finding.fault) == ("customer", "carrier")


def test_time_alone_makes_it_late_and_its_arrival_completes_the_finding() -> None:
    assert found(scans=ON_ITS_WAY, as_of="11-05 23:59") == []
    missing = sole(found(scans=ON_ITS_WAY, as_of="11-07 12:00"), "late")
    arrived = sole(found(scans=[*ON_ITS_WAY, scan("11-09 12:00 delivered")]), "late")
    assert (missing.evidence["delivered_date"], missing.evidence["days_late"]) == (None, 2)
    assert (arrived.evidence["delivered_date"], arrived.evidence["days_late"]) == ("2026-11-09", 4)
    assert missing.finding_id == arrived.finding_id
    assert missing.severity < arrived.severity


def test_grace_moves_the_end_and_not_the_count() -> None:
    rules = RULES.model_copy(update={"late": Late(grace=2)})
    assert found(scans=[*ON_ITS_WAY, scan("11-07 23:59 delivered")], rules=rules) == []
    finding = sole(found(scans=[*ON_ITS_WAY, scan("11-08 00:00 delivered")], rules=rules), "late")
    assert finding.evidence["days_late"] == 3


@pytest.mark.parametrize(
    ("zone", "in_time", "too_late"),
    [
        ("Pacific/Kiritimati", "2026-11-05 09:59", "2026-11-05 10:00"),
        ("Asia/Tokyo", "2026-11-05 14:59", "2026-11-05 15:00"),
        ("Europe/London", "2026-11-05 23:59", "2026-11-06 00:00"),
        ("America/New_York", "2026-11-06 04:59", "2026-11-06 05:00"),
        ("Pacific/Pago_Pago", "2026-11-06 10:59", "2026-11-06 11:00"),
        (None, "2026-11-06 11:59", "2026-11-06 12:00"),
        ("Mars/Olympus", "2026-11-06 11:59", "2026-11-06 12:00"),
    ],
    ids=["first zone of all", "Tokyo", "London", "New York", "last inhabited zone", "unknown", "misspelt"],
)
def test_the_same_day_ends_in_each_zone_at_its_own_moment(zone: str | None, in_time: str, too_late: str) -> None:
    line = Line(timezone=zone)
    way = scan("11-03 08:00 picked_up")
    arrived = [scan(f"{told.split()[0][5:]} {told.split()[1]} delivered", "UTC") for told in (in_time, too_late)]
    assert found(line, [way, arrived[0]]) == []
    finding = sole(found(line, [way, arrived[1]]), "late")
    assert (finding.evidence["delivered_date"], finding.evidence["days_late"]) == ("2026-11-06", 1)
    assert found(line, [way], as_of=at(in_time, "UTC")) == []
    assert sole(found(line, [way], as_of=at(too_late, "UTC")), "late").evidence["days_late"] == 1


@pytest.mark.parametrize(
    ("promised", "midnight"),
    [
        (date(2026, 3, 7), "2026-03-08 05:00"),
        (date(2026, 10, 31), "2026-11-01 04:00"),
    ],
    ids=["clocks skip midnight", "midnight comes twice"],
)
def test_where_clocks_change_at_midnight_the_day_still_ends_once(promised: date, midnight: str) -> None:
    line = Line(timezone="America/Havana", promised_date=promised, purchased_at=at("2026-03-01 09:00"))
    just = at(midnight, "UTC")
    assert found(line, [replace(IN_TIME[-1], event_time=just - 1)]) == []
    assert found(line, [replace(IN_TIME[-1], event_time=just)])[0].occurred_from == just


@pytest.mark.parametrize(
    "end",
    ["11-04 09:00 cancelled", "11-08 09:00 cancelled"],
    ids=["before the promised day", "after it"],
)
def test_what_was_cancelled_is_not_late(end: str) -> None:
    assert found(scans=[*ON_ITS_WAY, scan(end)]) == []


def test_what_moves_on_was_not_cancelled_after_all() -> None:
    scans = [scan("11-02 10:00 cancelled"), *ON_ITS_WAY]
    sole(found(scans=scans, as_of="11-07 12:00"), "late")


def test_what_the_customer_refused_is_not_late() -> None:
    assert found(scans=[*ON_ITS_WAY, scan("11-05 10:00 delivery_failed", reason="refused")], as_of="11-07 12:00") == []


def test_what_waits_for_the_customer_at_a_counter_has_arrived() -> None:
    assert found(scans=[*ON_ITS_WAY, scan("11-05 10:00 ready_for_pickup")]) == []
    collected = [*ON_ITS_WAY, scan("11-05 10:00 ready_for_pickup"), scan("11-12 10:00 delivered")]
    assert found(scans=collected) == []


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("weather", "weather"),
        ("customs", "customs"),
        ("address", "consignee"),
        ("merchant", "merchant"),
        ("carrier", "carrier"),
        (None, "carrier"),
    ],
)
def test_a_reason_on_the_way_names_whose_fault_it_is(reason: str | None, fault: str) -> None:
    scans = [*ON_ITS_WAY, scan("11-05 10:00 on_hold", reason=reason), scan("11-06 10:00 delivered")]
    assert sole(found(scans=scans), "late").fault == fault


def test_a_reason_after_the_arrival_explains_no_delay() -> None:
    scans = [*ON_ITS_WAY, scan("11-06 10:00 delivered"), scan("11-06 12:00 on_hold", reason="weather")]
    assert sole(found(scans=scans), "late").fault == "carrier"


def test_what_the_carrier_got_only_after_the_promised_day_is_the_merchants_fault() -> None:
    scans = [scan("11-02 10:00 pending"), scan("11-06 10:00 picked_up"), scan("11-07 10:00 delivered")]
    assert sole(found(scans=scans), "late").fault == "merchant"


def test_who_asked_for_it_is_answered_in_kind() -> None:
    asked = contact("11-07 09:00 not_received", voice="playful", language="ja")
    finding = sole(found(scans=ON_ITS_WAY, contacts=[asked], as_of="11-07 12:00"), "late")
    assert finding.evidence["reported_at"] == at("11-07 09:00")
    assert (finding.evidence["voice"], finding.evidence["language"]) == ("playful", "ja")


def test_without_a_promise_nothing_is_late() -> None:
    assert found(Line(promised_date=None), ON_ITS_WAY, as_of="11-09 12:00") == []


def test_the_last_day_of_the_calendar_can_be_promised() -> None:
    assert found(Line(promised_date=date.max, timezone=HOME), ON_ITS_WAY, as_of="11-09 12:00") == []
