import json

import pytest

from tests.detectors.telemetry.reading import NOW, Json, Read, jsonl

SIGNER = "I. Lund"
THEN = "2026-11-21T19:56:50.509+00:00"


def a_checkpoint(**fields: Json) -> dict[str, Json]:
    return {"tag": "InTransit", "subtag": "InTransit_003", "checkpoint_time": THEN, "message": "Scanned", **fields}


def a_tracking(*checkpoints: Json, **fields: Json) -> dict[str, Json]:
    return {
        "id": "t-1",
        "tracking_number": "AS-1",
        "slug": "dhl",
        "tag": "InTransit",
        "created_at": "2026-11-20T08:00:00+00:00",
        "updated_at": THEN,
        "emails": ["ilsa@cafe.example"],
        "checkpoints": list(checkpoints),
        **fields,
    }


def a_webhook(tracking: Json) -> dict[str, Json]:
    return {"event": "tracking_update", "event_id": "e-1", "ts": NOW // 1000, "msg": tracking}


def an_answer(data: Json) -> dict[str, Json]:
    return {"meta": {"code": 200}, "data": data}


def test_each_checkpoint_is_a_scan() -> None:
    first = a_checkpoint(subtag="InTransit_002", checkpoint_time="2026-11-20T17:00:00+0900", slug="yamato")
    last = a_checkpoint(
        tag="Delivered",
        subtag="Delivered_005",
        city="Reno",
        state="NV",
        country_iso3="USA",
        coordinate={"latitude": 39.53, "longitude": -119},
    )

    read = Read(jsonl([a_webhook(a_tracking(first, last, expected_delivery="2026-11-21"))]))

    assert read.scans.rows(named=True) == [
        {
            **dict.fromkeys(read.scans.columns),
            "tracking_number": "AS-1",
            "carrier": "yamato",
            "event_time": 1_795_161_600_000,
            "status": "picked_up",
        },
        {
            "tracking_number": "AS-1",
            "carrier": "dhl",
            "event_time": NOW,
            "status": "delivered",
            "reason": "neighbour",
            "lat": 39.53,
            "lon": -119.0,
            "proof": None,
            "depot": "Reno, NV, USA",
            "promised_at": 1_795_262_400_000,
        },
    ]
    assert read.ignored == [("expected_delivery", "no_offset", 1)]
    assert "ilsa" not in read.scans.write_csv() + read.rejects.write_csv()


@pytest.mark.parametrize(
    ("tag", "subtag", "status", "reason"),
    [
        ("Pending", "Pending_001", "pending", None),
        ("InfoReceived", "InfoReceived_001", "pending", None),
        ("OutForDelivery", "OutForDelivery_001", "out_for_delivery", None),
        ("AvailableForPickup", "AvailableForPickup_001", "ready_for_pickup", None),
        ("AttemptFail", "AttemptFail_002", "delivery_failed", None),
        ("AttemptFail", None, "delivery_failed", None),
        ("Delivered", "Delivered_001", "delivered", None),
        ("Exception", "Exception_002", "delivery_failed", "address"),
        ("Exception", "Exception_003", "delivery_failed", "refused"),
        ("Exception", "Exception_004", "on_hold", "customs"),
        ("Exception", "Exception_005", "delivery_delayed", None),
        ("Exception", "Exception_007", "delivery_failed", "address"),
        ("Exception", "Exception_008", "delivery_failed", "unclaimed"),
        ("Exception", "Exception_011", "return_to_sender", None),
        ("Exception", "Exception_012", "delivery_failed", "damaged"),
        ("Exception", "Exception_013", "delivery_failed", "lost"),
        ("Exception", "Exception_016", "delivery_delayed", "carrier"),
        ("Exception", "Exception_017", "delivery_delayed", "weather"),
        ("Exception", None, "unknown", None),
        ("Expired", "Expired_001", "unknown", None),
    ],
)
def test_its_words_become_ours(tag: str, subtag: str | None, status: str, reason: str | None) -> None:
    read = Read(jsonl([a_tracking(a_checkpoint(tag=tag, subtag=subtag))]))

    assert (read.scan()["status"], read.scan().get("reason")) == (status, reason)
    assert read.ignored == []


def test_a_new_word_is_unknown_and_counted() -> None:
    read = Read(
        jsonl(
            [
                a_tracking(a_checkpoint(tag="Teleported", subtag=None)),
                a_tracking(a_checkpoint(tag="Exception", subtag="Exception_099")),
                a_tracking(a_checkpoint(tag="InTransit", subtag="InTransit_099")),
            ]
        )
    )

    assert read.scans["status"].to_list() == ["unknown", "unknown", "in_transit"]
    assert read.ignored == [("tag", "unknown_value", 1), ("subtag", "unknown_value", 1)]


@pytest.mark.parametrize(
    ("checkpoint", "fields"),
    [
        pytest.param(a_checkpoint(tag="Delivered", subtag="Delivered_003"), {}, id="subtag"),
        pytest.param(a_checkpoint(tag="Delivered", subtag="Delivered_001"), {"signed_by": SIGNER}, id="name"),
    ],
)
def test_who_signed_is_a_name_and_stays_behind(checkpoint: Json, fields: dict[str, Json]) -> None:
    read = Read(jsonl([a_tracking(a_checkpoint(), checkpoint, **fields)]))

    assert read.scans["proof"].to_list() == [None, "signature"]
    assert SIGNER not in read.scans.write_csv()


@pytest.mark.parametrize(
    ("fields", "depot"),
    [
        pytest.param({"location": "RENO, NV"}, "RENO, NV", id="location alone"),
        pytest.param({"location": "1 Main St, RENO", "city": "RENO"}, "RENO", id="a city says enough"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_a_depot_is_a_town(fields: dict[str, Json], depot: str | None) -> None:
    assert Read(jsonl([a_tracking(a_checkpoint(**fields))])).scan().get("depot") == depot


@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "pretty"])
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(a_tracking(a_checkpoint(), a_checkpoint()), id="bare"),
        pytest.param(a_webhook(a_tracking(a_checkpoint(), a_checkpoint())), id="webhook"),
        pytest.param(an_answer({"tracking": a_tracking(a_checkpoint(), a_checkpoint())}), id="answer with one"),
        pytest.param(an_answer(a_tracking(a_checkpoint(), a_checkpoint())), id="answer that is one"),
        pytest.param(an_answer({"page": 1, "trackings": [a_tracking(a_checkpoint())] * 2}), id="answer with many"),
        pytest.param([a_webhook(a_tracking(a_checkpoint()))] * 2, id="array"),
    ],
)
def test_a_tracking_is_read_whatever_wraps_it(document: Json, indent: int | None) -> None:
    read = Read(json.dumps(document, indent=indent).encode())

    assert read.scans["tracking_number"].to_list() == ["AS-1", "AS-1"]
    assert read.codes == []


def test_a_tracking_without_checkpoints_is_one_scan_of_its_last_change() -> None:
    scan = Read(jsonl([a_webhook(a_tracking(tag="InfoReceived"))])).scan()

    assert (scan["status"], scan["event_time"]) == ("pending", NOW)


@pytest.mark.parametrize(
    ("tracking", "code"),
    [
        pytest.param({"tag": "Delivered"}, "not_tracking", id="no number"),
        pytest.param(a_tracking(a_checkpoint(), tracking_number=None), "missing_field", id="null number"),
        pytest.param(a_tracking(checkpoints="none"), "wrong_type", id="checkpoints as text"),
        pytest.param(a_tracking(a_checkpoint(checkpoint_time="noon")), "bad_time", id="no time"),
        pytest.param(a_tracking(a_checkpoint(coordinate={"latitude": 91, "longitude": 0})), "out_of_range", id="pole"),
        pytest.param(a_tracking(a_checkpoint(coordinate={"latitude": "9", "longitude": 0})), "wrong_type", id="text"),
        pytest.param(a_tracking(a_checkpoint(coordinate={"latitude": True})), "wrong_type", id="flag"),
    ],
)
def test_a_faulty_scan_is_rejected_alone(tracking: Json, code: str) -> None:
    read = Read(jsonl([a_webhook(a_tracking(a_checkpoint())), a_webhook(tracking)]))

    assert read.codes == [code]
    assert read.rejects["line"].to_list() == [2]
    assert read.scans.height == 1


def test_the_couriers_estimate_has_two_names() -> None:
    new: Json = {"estimated_delivery_date": THEN}

    read = Read(jsonl([a_tracking(a_checkpoint(), courier_estimated_delivery_date=new)]))

    assert read.scan()["promised_at"] == NOW
