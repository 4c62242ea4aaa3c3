from pathlib import Path

import pytest

from detectors.schemas import Channel
from tests.detectors.telemetry.reading import NOW, Json, Read, jsonl

QUERY = "CMCD=bl%3D2000%2Cbr%3D1800%2Cot%3Dv%2Csid%3D%22s-1%22%2Csn%3D4%2Csta%3Dr"
NAMES = ("date", "time", "x-edge-location", "cs-uri-stem", "sc-status", "cs-uri-query", "cs(CMCD-Session)")
EXPECTED = {
    "session_id": "s-1",
    "event_time": NOW,
    "received_at": NOW,
    "sequence": 4,
    "channel": Channel.ACCESS_LOG,
    "bitrate_kbps": 1800.0,
    "buffer_ms": 2000.0,
    "http_status": 206,
}


def w3c(*rows: tuple[str, ...], names: tuple[str, ...] = NAMES) -> bytes:
    lines = ["#Version: 1.0", "#Fields: " + " ".join(names), *("\t".join(row) for row in rows)]
    return "".join(line + "\n" for line in lines).encode()


def a_row(
    query: str = QUERY, session: str = "-", date: str = "2026-11-21", time: str = "19:56:50.509"
) -> tuple[str, ...]:
    return (date, time, "NRT57-P1", "/seg-1.m4s", "206", query, session)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(w3c(a_row()), id="w3c query"),
        pytest.param(w3c(a_row(QUERY.replace("%", "%25"))), id="w3c encoded twice"),
        pytest.param(
            w3c(a_row("-", "bl=2000,br=1800,ot=v,sid=%22s-1%22,sn=4")),
            id="w3c header",
        ),
        pytest.param(
            jsonl([{"t": NOW, "method": "GET", "rawUrl": f"/a?{QUERY}", "status": 206, "bytes": 1}]),
            id="origin json",
        ),
        pytest.param(
            jsonl([{"date": "2026-11-21", "time": "19:56:50.509", "cs-uri-query": QUERY, "sc-status": "206"}]),
            id="cloudfront json",
        ),
        pytest.param(
            jsonl([{"timestamp(ms)": str(NOW), "cs-uri-query": QUERY, "sc-status": 206, "cs-host": None}]),
            id="cloudfront json milliseconds",
        ),
        pytest.param(
            jsonl([{"timestamp": NOW / 1000, "cs-uri-stem": f"/a?{QUERY}", "sc-status": 206}]),
            id="cloudfront real time",
        ),
    ],
)
def test_a_request_that_carries_cmcd_is_a_witness(data: bytes) -> None:
    assert Read(data).event() == EXPECTED


@pytest.mark.parametrize(
    ("record", "transfer_ms"),
    [
        pytest.param({"t": NOW, "t_end": NOW + 900}, 900, id="from and until"),
        pytest.param({"t": NOW, "t_end": NOW - 1}, 0, id="a clock that was set back"),
        pytest.param({"t": NOW, "t_end": "later"}, None, id="until nobody knows when"),
        pytest.param({"timestamp": (NOW + 900) / 1_000, "time-taken": 0.9}, 900, id="cloudfront tells the end"),
        pytest.param({"timestamp(ms)": NOW, "time-taken": "900"}, None, id="in a unit that nobody names"),
        pytest.param({"timestamp(ms)": NOW, "time-taken": "-"}, None, id="cloudfront does not know"),
    ],
)
def test_the_server_says_how_long_its_answer_took(record: dict[str, Json], transfer_ms: int | None) -> None:
    event = Read(jsonl([{**record, "cs-uri-query": QUERY, "sc-status": 206}])).event()
    assert event == EXPECTED | ({} if transfer_ms is None else {"transfer_ms": transfer_ms})


@pytest.mark.parametrize(
    ("row", "code"),
    [
        pytest.param(a_row("-"), "no_cmcd", id="no query"),
        pytest.param(a_row("a=b"), "no_cmcd", id="another query"),
        pytest.param(a_row(f"{QUERY}&{QUERY}"), "duplicate_key", id="two arguments"),
        pytest.param(a_row('CMCD=sid="s"'), "not_url_encoded", id="not encoded"),
        pytest.param(a_row("CMCD=bl%3D1"), "missing_session", id="no session"),
        pytest.param(a_row(date="-"), "missing_time", id="no date"),
        pytest.param(a_row(date="2026-02-30"), "bad_time", id="no such day"),
        pytest.param(a_row(time="noon"), "bad_time", id="no such time"),
        pytest.param(a_row(date="1999-12-31"), "out_of_range", id="before 2000"),
        pytest.param(a_row()[:-1], "wrong_type", id="too few values"),
    ],
)
def test_a_line_that_cannot_be_used_is_rejected_alone(row: tuple[str, ...], code: str) -> None:
    read = Read(w3c(a_row(), row, a_row()))

    assert read.codes == [code]
    assert read.rejects["line"].to_list() == [4]
    assert read.events.height == 2
    assert read.records == 3


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"t": "noon", "rawUrl": f"/a?{QUERY}", "status": 200}, "bad_time"),
        ({"t": NOW, "rawUrl": "/a", "status": 200}, "no_cmcd"),
        ({"t": NOW, "rawUrl": {"path": QUERY}}, "no_cmcd"),
        ({"rawUrl": f"/a?{QUERY}"}, "missing_time"),
    ],
)
def test_a_json_line_that_cannot_be_used_is_rejected(record: dict[str, Json], code: str) -> None:
    assert Read(jsonl([record])).codes == [code]


def test_lines_of_text_are_read_after_their_names_only() -> None:
    assert Read(b"#Version: 1.0\n" + "\t".join(a_row()).encode() + b"\n").codes == ["missing_field"]
    assert Read(w3c() + b"\xff\n").codes == ["not_utf8"]


def test_a_log_that_was_cut_is_one_reject() -> None:
    assert Read(w3c(a_row(), a_row())[:-90]).codes == ["truncated_file"]


def test_an_unknown_answer_is_null() -> None:
    record: dict[str, Json] = {"t": NOW, "rawUrl": f"/a?{QUERY}", "status": "-"}

    assert "http_status" not in Read(jsonl([record])).event()


def test_every_recorded_request_decodes(recordings: Path) -> None:
    reads = [Read(file.read_bytes()) for file in sorted((recordings / "players").glob("*/*/access.jsonl"))]

    assert sum(read.events.height for read in reads) == 1382
    assert all(read.codes == [] for read in reads)
