import json
from pathlib import Path

import pytest

from tests.detectors.telemetry.reading import NOW, Json, Read, jsonl

SIGNER = "R. Blaine"
DELIVERED = "2026-11-21T19:56:50.509Z"


def a_detail(**fields: Json) -> dict[str, Json]:
    return {"object": "TrackingDetail", "status": "in_transit", "datetime": DELIVERED, **fields}


def a_tracker(*details: Json, **fields: Json) -> dict[str, Json]:
    return {
        "object": "Tracker",
        "tracking_code": "EZ-1",
        "status": "in_transit",
        "created_at": "2026-11-20T08:00:00Z",
        "updated_at": DELIVERED,
        "weight": 17.6,
        "fees": [],
        "tracking_details": list(details),
        **fields,
    }


def an_event(**fields: Json) -> dict[str, Json]:
    return {"object": "Event", "description": "tracker.updated", "mode": "test", **fields}


def test_each_tracking_detail_is_a_scan() -> None:
    place: Json = {"city": "CHARLESTON", "state": "SC", "country": None, "zip": "29401"}
    first = a_detail(status="pre_transit", datetime="2026-11-20T08:00:00Z")
    last = a_detail(status="delivered", tracking_location=place)

    read = Read(jsonl([a_tracker(first, last, carrier="USPS", est_delivery_date="2026-11-21T19:56:50.509Z")]))

    assert read.scans.select("status", "event_time", "depot", "promised_at").rows() == [
        ("pending", 1_795_161_600_000, None, None),
        ("delivered", NOW, "CHARLESTON, SC", NOW),
    ]
    assert read.scans["carrier"].unique().to_list() == ["USPS"]
    assert read.records == 2
    assert read.ignored == []


def test_a_tracker_without_details_is_one_scan_of_its_last_change() -> None:
    trackers = [a_tracker(status="unknown"), a_tracker(updated_at=None), a_tracker(tracking_details=None)]

    read = Read(jsonl(trackers))

    assert read.scans.select("status", "event_time").rows() == [
        ("unknown", NOW),
        ("in_transit", 1_795_161_600_000),
        ("in_transit", NOW),
    ]


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        pytest.param(("available_for_pickup", None), "ready_for_pickup", None, id="pickup"),
        pytest.param(("return_to_sender", "return"), "return_to_sender", None, id="return"),
        pytest.param(("return_to_sender", "refused"), "return_to_sender", "refused", id="refused"),
        pytest.param(("failure", "lost"), "delivery_failed", "lost", id="lost"),
        pytest.param(("failure", "damaged"), "delivery_failed", "damaged", id="damaged"),
        pytest.param(("failure", "address_correction"), "delivery_failed", "address", id="address"),
        pytest.param(("in_transit", "weather_delay"), "delivery_delayed", "weather", id="weather"),
        pytest.param(("in_transit", "delayed"), "delivery_delayed", None, id="delayed"),
        pytest.param(("in_transit", "held"), "on_hold", None, id="held"),
        pytest.param(("in_transit", "missorted"), "in_transit", "carrier", id="missorted"),
        pytest.param(("delivered", "held"), "delivered", None, id="the status of an arrival stands"),
        pytest.param(("cancelled", "cancelled"), "cancelled", None, id="cancelled"),
        pytest.param(("error", "unknown"), "unknown", None, id="error"),
    ],
)
def test_its_words_become_ours(said: tuple[str, str | None], status: str, reason: str | None) -> None:
    read = Read(jsonl([a_tracker(a_detail(status=said[0], status_detail=said[1]))]))

    assert (read.scan()["status"], read.scan().get("reason")) == (status, reason)
    assert read.ignored == []


def test_a_new_word_is_unknown_and_counted() -> None:
    read = Read(jsonl([a_tracker(a_detail(status="teleported", status_detail="by_beam"))] * 3))

    assert read.scans["status"].to_list() == ["unknown"] * 3
    assert read.ignored == [("status", "unknown_value", 3), ("status_detail", "unknown_value", 3)]
    assert "teleported" not in read.rejects.write_csv()


def test_who_signed_is_a_name_and_stays_behind() -> None:
    tracker = a_tracker(a_detail(), a_detail(status="delivered"), signed_by=SIGNER)

    read = Read(jsonl([tracker]))

    assert read.scans["proof"].to_list() == [None, "signature"]
    assert SIGNER not in read.scans.write_csv() + read.rejects.write_csv()


def test_an_event_wraps_a_tracker() -> None:
    assert Read(jsonl([an_event(result=a_tracker(a_detail()))])).scan()["tracking_number"] == "EZ-1"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(an_event(description="tracker.created"), id="no result"),
        pytest.param(an_event(description="batch.updated", result={"object": "Batch", "id": "b-1"}), id="batch"),
        pytest.param(an_event(result=None), id="null"),
        pytest.param(an_event(result="EZ-1"), id="text"),
    ],
)
def test_an_event_about_something_else_is_one_reject(event: dict[str, Json]) -> None:
    read = Read(jsonl([an_event(result=a_tracker()), event]))

    assert read.codes == ["not_tracking"]
    assert read.rejects["line"].to_list() == [2]
    assert read.scans.height == 1


@pytest.mark.parametrize(
    ("tracker", "code"),
    [
        pytest.param(a_tracker(a_detail(), tracking_code=None), "missing_field", id="no number"),
        pytest.param(a_tracker(a_detail(), tracking_code=7), "wrong_type", id="number as a number"),
        pytest.param(a_tracker(tracking_details={"status": "lost"}), "wrong_type", id="details as an object"),
        pytest.param(a_tracker(a_detail(datetime=None)), "missing_field", id="no time"),
        pytest.param(a_tracker(a_detail(datetime="2026-02-30T00:00:00Z")), "bad_time", id="no such day"),
        pytest.param(a_tracker(a_detail(datetime="last night")), "bad_time", id="no time at all"),
        pytest.param(a_tracker(a_detail(status=["delivered"])), "wrong_type", id="status as a list"),
        pytest.param(a_tracker("delivered"), "not_an_object", id="detail as text"),
        pytest.param(a_tracker(a_detail(tracking_location={"city": "a\u0000b"})), "control_character", id="nul"),
    ],
)
def test_a_faulty_scan_is_rejected_alone(tracker: dict[str, Json], code: str) -> None:
    read = Read(jsonl([a_tracker(a_detail()), tracker, a_tracker(a_detail())]))

    assert read.codes == [code]
    assert read.rejects["line"].to_list() == [2]
    assert read.scans.height == 2


def test_a_faulty_detail_leaves_the_others_of_its_tracker_alone() -> None:
    read = Read(
        jsonl([a_tracker(a_detail(), a_detail(datetime="2026-02-30T00:00:00Z"), 7, a_detail(status="delivered"))])
    )

    assert read.scans["status"].to_list() == ["in_transit", "delivered"]
    assert sorted(read.codes) == ["bad_time", "not_an_object"]
    assert read.records == 4


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        pytest.param("2026-11-21T19:56:50.509", NOW, id="no offset"),
        pytest.param("2026-11-21 19:56", NOW - 50_509, id="no seconds"),
        pytest.param("2026-11-21", 1_795_262_400_000, id="a day is its noon"),
    ],
)
def test_a_time_without_an_offset_is_read_as_utc_and_counted(written: str, milliseconds: int) -> None:
    read = Read(jsonl([a_tracker(a_detail(datetime=written))]))

    assert read.scan()["event_time"] == milliseconds
    assert read.ignored == [("datetime", "no_offset", 1)]


@pytest.mark.parametrize("written", ["soon", 7, "2026-11-21T19", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_bad_estimate_costs_no_scan(written: Json) -> None:
    read = Read(jsonl([a_tracker(a_detail(status="delivered"), est_delivery_date=written)]))

    assert "promised_at" not in read.scan()
    assert read.ignored == [("est_delivery_date", "bad_time", 1)]


@pytest.mark.parametrize("indent", [None, 1], ids=["one line", "pretty"])
@pytest.mark.parametrize(
    "document",
    [
        pytest.param([a_tracker(a_detail()), a_tracker(a_detail())], id="array"),
        pytest.param({"trackers": [a_tracker(a_detail()), a_tracker(a_detail())], "has_more": False}, id="list"),
        pytest.param({"events": [an_event(result=a_tracker(a_detail()))] * 2, "has_more": True}, id="events"),
        pytest.param(a_tracker(a_detail(), a_detail()), id="one tracker"),
    ],
)
def test_a_document_is_read_like_lines(document: Json, indent: int | None) -> None:
    read = Read(json.dumps(document, indent=indent).encode())

    assert read.scans["event_time"].to_list() == [NOW, NOW]
    assert read.codes == []


def test_every_recorded_tracker_and_event_decodes(recordings: Path) -> None:
    trackers = Read((recordings / "easypost" / "trackers.json").read_bytes())
    events = Read((recordings / "easypost" / "events.json").read_bytes())

    counts = dict(trackers.scans["status"].value_counts().rows())
    assert counts == {"pending": 34, "unknown": 12, "in_transit": 8, "delivered": 2, "out_for_delivery": 2}
    assert (trackers.codes, trackers.ignored) == ([], [])
    assert events.codes == ["not_tracking"] * 8
