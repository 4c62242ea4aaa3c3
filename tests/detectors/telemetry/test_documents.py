"""Files that are one JSON document, and files that mix kinds of records."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from detectors.telemetry.documents import read_document
from detectors.telemetry.limits import Limits
from tests.detectors.telemetry.reading import NOW, Json, Read, a_beacon, a_contact, a_report, a_scan, jsonl
from tests.detectors.telemetry.test_aftership import a_checkpoint, a_tracking, a_webhook
from tests.detectors.telemetry.test_easypost import a_detail, a_tracker, an_event
from tests.support.examples import examples

KINDS: dict[str, dict[str, Json]] = {
    "beacon": a_beacon(),
    "scan": a_scan(),
    "contact": a_contact(),
    "collector": a_report("e=ps,sta=p"),
    "tracker": a_tracker(a_detail(), a_detail()),
    "event": an_event(result=a_tracker(a_detail())),
    "webhook": a_webhook(a_tracking(a_checkpoint())),
    "request": {"t": NOW, "rawUrl": "/a?CMCD=sid%3D%22s-1%22", "status": 200},
}
NOW_TEXT = "2026-11-21T19:56:50.509Z"
HELD = {"beacon": 1, "scan": 1, "contact": 1, "collector": 1, "tracker": 2, "event": 1, "webhook": 1, "request": 1}


def an_array(*elements: str) -> bytes:
    return ("[\n" + ",\n".join(elements) + "\n]\n").encode()


def text(number: int) -> str:
    return json.dumps(a_scan(depot=f"depot {number}"), indent=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "pretty"])
def test_an_array_may_hold_anything_that_lines_may_hold(kind: str, indent: int | None) -> None:
    array = Read(json.dumps([KINDS[kind]] * 3, indent=indent).encode())
    lines = Read(jsonl([KINDS[kind]] * 3))

    assert array.records == lines.records == 3 * HELD[kind]
    assert array.codes == []
    assert_frame_equal(array.events, lines.events)
    assert_frame_equal(array.scans, lines.scans)
    assert_frame_equal(array.contacts, lines.contacts)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + an_array(text(1), text(2)), id="byte order mark"),
        pytest.param(b"\n\n  " + an_array(text(1), text(2)), id="blank lines"),
        pytest.param(an_array(text(1), text(2)).replace(b"\n", b"\r\n"), id="carriage returns"),
        pytest.param(gzip.compress(an_array(text(1), text(2))), id="gzip"),
        pytest.param(an_array(text(1).replace("depot 1", r"\\\\"), text(2)), id="backslash at the end of a text"),
        pytest.param(an_array(text(1), text(2)).replace(b"depot ", rb"\\\"]}, [{ "), id="brackets in text"),
    ],
)
def test_a_document_may_look_odd(data: bytes) -> None:
    read = Read(data)

    assert read.scans.height == 2
    assert read.codes == []


@pytest.mark.parametrize("data", [b"[]", b"[ \n ]\n"])
def test_an_empty_array_gives_nothing(data: bytes) -> None:
    assert Read(data).blocks == []


@pytest.mark.parametrize(
    ("element", "code"),
    [
        pytest.param('{"tracking_number": 7, "event_time": 1, "status": "lost"}', "wrong_type", id="value"),
        pytest.param('{"tracking_number"}', "not_json", id="syntax"),
        pytest.param('{"tracking_number": "1", "tracking_number": "1"}', "duplicate_key", id="twice"),
        pytest.param('{"tracking_number": "a\nb"}', "not_json", id="line feed in a text"),
        pytest.param('{"x": ' + "[" * 40 + "]" * 40 + "}", "too_deep", id="deep"),
        pytest.param('"1Z-2"', "not_an_object", id="text"),
        pytest.param("", "not_json", id="nothing"),
    ],
)
def test_a_faulty_element_is_rejected_alone_at_its_place(element: str, code: str) -> None:
    data = an_array(text(1), element, text(3))

    read = Read(data)

    assert read.scans["depot"].to_list() == ["depot 1", "depot 3"]
    assert read.rejects["code"].to_list() == [code]
    if element:
        offset = data.index(element.encode())
        assert read.rejects.select("line", "offset").row(0) == (data[:offset].count(b"\n") + 1, offset)


@pytest.mark.parametrize("kept", [1, 30, -3])
def test_a_cut_document_keeps_its_whole_elements_and_says_so_once(kept: int) -> None:
    whole = an_array(text(1), text(2), text(3))

    read = Read(whole[:kept])

    assert read.codes == ["truncated_file"]
    assert read.scans.height == (2 if kept == -3 else 0)


@pytest.mark.parametrize("missing", [1, 5, 50])
def test_a_cut_object_says_so_once(missing: int) -> None:
    whole = json.dumps(a_tracker(a_detail()), indent=1).encode()

    assert Read(whole[:-missing]).codes == ["truncated_file"]
    assert Read(whole.replace(b",", b"", 1)).codes == ["not_json"]


def test_a_compressed_document_that_was_cut_keeps_its_whole_elements() -> None:
    read = Read(gzip.compress(an_array(*(text(number) for number in range(400))))[:-200])

    assert read.codes == ["truncated_file"]
    assert 0 < read.scans.height < 400


def test_what_follows_a_document_is_no_part_of_it_and_is_reported() -> None:
    read = Read(an_array(text(1)) + b'{"tracking_number": "1Z-2"}')

    assert read.scans["depot"].to_list() == ["depot 1"]
    assert read.rejects.select("scope", "code").rows() == [("file", "not_json")]


def test_a_document_is_held_in_memory_and_so_is_bounded() -> None:
    data = an_array(*(text(number) for number in range(20)))

    assert Read(data, Limits(document_bytes=len(data))).scans.height == 20
    assert Read(data, Limits(document_bytes=len(data) - 1)).codes == ["document_too_long"]


def test_an_array_on_the_first_of_many_lines_is_a_bad_line() -> None:
    read = Read(b'["1Z-1"]\n' + jsonl([a_scan(), a_scan()]))

    assert read.codes == ["not_an_object"]
    assert read.scans.height == 2


@examples(40)
@given(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=12), st.sampled_from([500, 16 * 2**20]))
def test_kinds_may_be_mixed_line_by_line(kinds: list[str], block_bytes: int) -> None:
    read = Read(jsonl([KINDS[kind] for kind in kinds]), Limits(block_bytes=block_bytes))

    assert read.codes == []
    assert read.records == sum(HELD[kind] for kind in kinds)
    assert read.contacts.height == kinds.count("contact")
    assert read.events.height == sum(kinds.count(kind) for kind in ("beacon", "collector", "request"))


def test_elements_apart_by_commas_become_lines_apart_by_line_feeds() -> None:
    (lines,) = read_document(b'[{"a":1},{"b":2}]', iter(()), Limits())

    assert lines.body() == b'{"a":1}\n{"b":2}\n'


def test_a_tracking_among_scans_is_known_by_its_checkpoints() -> None:
    point: dict[str, Json] = {"checkpoint_time": NOW_TEXT, "subtag": "Delivered_001"}
    tracking: dict[str, Json] = {"tracking_number": "AS-1", "checkpoints": [point]}

    read = Read(jsonl([a_scan(), tracking]))

    assert read.scans["tracking_number"].sort().to_list() == ["1Z-1", "AS-1"]


def test_rejects_of_mixed_kinds_stand_in_the_order_of_the_file() -> None:
    records = [a_scan(), a_beacon(stall_ms=-1), a_scan(lat=91), a_contact(topic="weather"), a_beacon(stall_ms=-1)]

    read = Read(jsonl(records))

    assert read.rejects.select("line", "field").rows() == [(2, "stall_ms"), (3, "lat"), (4, "topic"), (5, "stall_ms")]


@pytest.mark.parametrize("first", [a_beacon(), a_scan(), a_contact()], ids=["beacons", "scans", "contacts"])
def test_a_line_that_shows_no_kind_is_of_the_kind_that_the_file_began_with(first: dict[str, Json]) -> None:
    read = Read(jsonl([{"event_time": NOW}, first, {"event_time": NOW}]))

    assert read.codes == ["missing_field", "missing_field"]
    assert set(read.rejects["field"].to_list()) == {next(iter(first))}
