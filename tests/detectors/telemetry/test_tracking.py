import json

import polars as pl
import pytest

from detectors.telemetry.tracking import SCAN_FIELDS
from tests.detectors.telemetry.reading import NOW, Json, Read, a_scan, jsonl


def test_a_scan_keeps_what_it_says() -> None:
    said: dict[str, Json] = {
        "reason": "neighbour",
        "lat": 59.33,
        "lon": 18,
        "proof": "photo",
        "carrier": "dhl",
        "depot": "RENO, NV",
        "promised_at": NOW + 1,
    }

    assert Read(jsonl([a_scan(status="delivered", **said)])).scan() == {**a_scan(status="delivered"), **said}


def test_a_time_may_be_rfc_3339_text() -> None:
    times: dict[str, Json] = {"event_time": "2026-11-22T04:56:50.509+09:00", "promised_at": "2026-11-21T19:56:50.509Z"}

    scan = Read(jsonl([a_scan(**times)])).scan()

    assert (scan["event_time"], scan["promised_at"]) == (NOW, NOW)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"tracking_number": None}, "missing_field", id="no number"),
        pytest.param({"tracking_number": ""}, "missing_field", id="empty number"),
        pytest.param({"tracking_number": 9400}, "wrong_type", id="number as a number"),
        pytest.param({"event_time": None}, "missing_field", id="no time"),
        pytest.param({"event_time": "2026-02-30T09:00:00Z"}, "bad_time", id="no such day"),
        pytest.param({"event_time": 12}, "out_of_range", id="1970"),
        pytest.param({"status": None}, "missing_field", id="no status"),
        pytest.param({"status": ""}, "missing_field", id="empty status"),
        pytest.param({"status": 3}, "wrong_type", id="status as a number"),
        pytest.param({"reason": "bad mood"}, "unknown_value", id="no such reason"),
        pytest.param({"proof": "a nod"}, "unknown_value", id="no such proof"),
        pytest.param({"lat": 137.8}, "out_of_range", id="beyond the pole"),
        pytest.param({"lon": -180.5}, "out_of_range", id="beyond the date line"),
        pytest.param({"promised_at": "soon"}, "bad_time", id="no promise"),
        pytest.param({"depot": "a\nb"}, "control_character", id="line feed"),
        pytest.param({"carrier": "x" * 201}, "id_too_long", id="endless carrier"),
        pytest.param({"error_declaration": "did_not_occur"}, "wrong_type", id="declaration as text"),
    ],
)
def test_a_faulty_scan_is_rejected_alone_and_says_why(fields: dict[str, Json], code: str) -> None:
    read = Read(jsonl([a_scan(depot="before"), a_scan(**fields), a_scan(depot="after")]))

    assert read.scans["depot"].to_list() == ["before", "after"]
    assert read.rejects.select("code", "field", "line").rows() == [(code, next(iter(fields)), 2)]


@pytest.mark.parametrize("scans", [3, 300])
def test_a_new_status_is_unknown_and_counted(scans: int) -> None:
    read = Read(jsonl([a_scan(), *[a_scan(status="sat_upon")] * scans]))

    assert read.scans["status"].to_list() == ["in_transit", *["unknown"] * scans]
    assert read.ignored == [("status", "unknown_value", scans)]
    assert read.rejects["line"].to_list() == [2]
    assert "sat_upon" not in read.rejects.write_csv()


def test_a_new_status_of_a_scan_that_is_rejected_is_not_counted() -> None:
    assert Read(jsonl([a_scan(status="sat_upon", lat=91), a_scan()])).ignored == []


def test_an_empty_word_says_nothing() -> None:
    assert Read(jsonl([a_scan(reason="", proof="", depot="")])).scan() == a_scan()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param({"reason": "did_not_occur"}, "did_not_occur", id="as its reason"),
        pytest.param({"error_declaration": True}, "did_not_occur", id="flag"),
        pytest.param({"error_declaration": {"reason": "did_not_occur"}}, "did_not_occur", id="object"),
        pytest.param({"reason": "lost", "error_declaration": {}}, "did_not_occur", id="over another reason"),
        pytest.param({"reason": "lost", "error_declaration": False}, "lost", id="no declaration"),
        pytest.param({"reason": "lost", "error_declaration": None}, "lost", id="null"),
    ],
)
def test_a_scan_may_be_taken_back(said: dict[str, Json], reason: str) -> None:
    read = Read(jsonl([a_scan(status="delivered", **said), a_scan()]))

    assert read.scans["reason"].to_list() == [reason, None]
    assert read.ignored == []


def test_every_field_of_the_frame_can_be_read_but_the_declaration_becomes_a_reason() -> None:
    columns = set(Read(jsonl([a_scan()])).scans.columns)

    assert {field.name for field in SCAN_FIELDS} - columns == {"error_declaration"}
    assert columns <= {field.name for field in SCAN_FIELDS}


@pytest.mark.parametrize("indent", [None, 1], ids=["one line", "pretty"])
@pytest.mark.parametrize("scans", [1, 2, 50])
def test_an_array_of_scans_reads_as_their_lines_do(indent: int | None, scans: int) -> None:
    records = [a_scan(event_time=NOW + number, depot="[RENO], {NV}") for number in range(scans)]

    read = Read(json.dumps(records, indent=indent).encode())

    assert read.scans.equals(Read(jsonl(records)).scans)
    assert read.scans.select(pl.len()).item() == scans
