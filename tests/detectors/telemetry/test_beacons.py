import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from detectors.schemas import Channel
from detectors.telemetry.beacons import BEACONS
from detectors.telemetry.contacts import CONTACT_FIELDS, CONTACTS
from detectors.telemetry.fields import FIELDS, Field, Kind
from detectors.telemetry.jsonlines import JsonLines, Objects
from detectors.telemetry.limits import DEFAULT_LIMITS
from detectors.telemetry.lines import read_lines
from detectors.telemetry.records import Format
from detectors.telemetry.rejects import Reject, Tally
from detectors.telemetry.tracking import SCAN_FIELDS, SCANS
from tests.detectors.telemetry.reading import NOW, Json, Read, a_beacon, jsonl
from tests.support.examples import examples


def test_a_beacon_becomes_an_event_and_keeps_its_units() -> None:
    beacon = a_beacon(state="stalled", bitrate_kbps=900, buffer_ms=0.5, error_code=27, fatal=True, cdn="edge")

    assert Read(jsonl([beacon])).event() == {
        "session_id": "s-1",
        "event_time": NOW,
        "channel": Channel.BEACON,
        "state": "stalled",
        "bitrate_kbps": 900.0,
        "buffer_ms": 0.5,
        "error_code": "27",
        "fatal": True,
        "cdn": "edge",
    }


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        (NOW, NOW),
        ("2026-11-21T19:56:50.509Z", NOW),
        ("2026-11-21t19:56:50.5099z", NOW),
        ("2026-11-22 04:56:50.509+09:00", NOW),
        ("2026-11-21T17:26:50.509-02:30", NOW),
        ("2026-11-21T19:56:50Z", NOW - 509),
    ],
)
def test_times_are_milliseconds_or_rfc_3339(written: Json, milliseconds: int) -> None:
    assert Read(jsonl([a_beacon(event_time=written)])).event()["event_time"] == milliseconds


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"session_id": None}, "missing_field", id="no session"),
        pytest.param({"session_id": ""}, "missing_field", id="empty session"),
        pytest.param({"event_time": None}, "missing_field", id="no time"),
        pytest.param({"session_id": 7}, "wrong_type", id="number for text"),
        pytest.param({"sequence": "7"}, "wrong_type", id="text for number"),
        pytest.param({"sequence": True}, "wrong_type", id="bool for whole number"),
        pytest.param({"sequence": 1.0}, "wrong_type", id="decimal for whole number"),
        pytest.param({"bitrate_kbps": False}, "wrong_type", id="bool for number"),
        pytest.param({"fatal": 1}, "wrong_type", id="number for flag"),
        pytest.param({"error_code": 1.5}, "wrong_type", id="decimal error code"),
        pytest.param({"error_code": ["a"]}, "wrong_type", id="list for text"),
        pytest.param({"stall_ms": -1}, "out_of_range", id="negative duration"),
        pytest.param({"buffer_ms": -0.5}, "out_of_range", id="negative decimal"),
        pytest.param({"height": 1_000_000}, "out_of_range", id="absurd height"),
        pytest.param({"event_time": 946_684_799_999}, "out_of_range", id="before 2000"),
        pytest.param({"event_time": 4_102_444_800_000}, "out_of_range", id="from 2100 on"),
        pytest.param({"event_time": 1_795_291_010}, "out_of_range", id="seconds for milliseconds"),
        pytest.param({"event_time": "2026-02-30T00:00:00Z"}, "bad_time", id="no such day"),
        pytest.param({"event_time": "2026-11-21T19:56:60Z"}, "bad_time", id="no such second"),
        pytest.param({"event_time": "2026-11-21T19:56:50"}, "bad_time", id="no offset"),
        pytest.param({"received_at": "yesterday"}, "bad_time", id="no time at all"),
        pytest.param({"state": "buffering"}, "unknown_value", id="no such state"),
        pytest.param({"session_id": "x" * 201}, "id_too_long", id="endless id"),
        pytest.param({"cdn": "é" * 201}, "id_too_long", id="endless text"),
        pytest.param({"session_id": "a\nb"}, "control_character", id="line feed in id"),
        pytest.param({"customer_id": "a\u0000b"}, "control_character", id="nul in id"),
        pytest.param({"device": "a\u0085b"}, "control_character", id="c1 in text"),
    ],
)
def test_a_faulty_record_is_rejected_alone_and_says_why(fields: dict[str, Json], code: str) -> None:
    read = Read(jsonl([a_beacon(session_id="before"), a_beacon(**fields), a_beacon(session_id="after")]))

    assert read.sessions == ["before", "after"]
    (reject,) = read.rejects.rows(named=True)
    assert reject["code"] == code
    assert reject["scope"] == "record"
    assert reject["field"] == next(iter(fields))
    assert reject["line"] == 2
    assert reject["offset"] == len(jsonl([a_beacon(session_id="before")]))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(b'{"session_id": "s", ', "not_json", id="cut"),
        pytest.param(b'{"session_id":"s","event_time":1}{"session_id":"t"}', "not_json", id="two on a line"),
        pytest.param(b'{"session_id":"s","event_time":NaN}', "not_json", id="nan"),
        pytest.param(b'{"session_id":"s","bitrate_kbps":-Infinity}', "not_json", id="infinity"),
        pytest.param(b'{"session_id":"s","x":NaN}', "not_json", id="nan in an unknown field"),
        pytest.param(b'["session_id"]', "not_an_object", id="array"),
        pytest.param(b'"session_id"', "not_an_object", id="text"),
        pytest.param(b'{"session_id":"\xff"}', "not_utf8", id="bytes"),
        pytest.param(b'{"session_id":"\xed\xa0\x80"}', "not_utf8", id="encoded surrogate"),
        pytest.param(b'{"session_id":"\\ud800"}', "lone_surrogate", id="half a pair"),
        pytest.param(b'{"session_id":"s","session_id":"s"}', "duplicate_key", id="twice"),
        pytest.param(b'{"session_id":"s","x":null,"x":null}', "duplicate_key", id="unknown twice"),
        pytest.param(b'{"session_id":"s","x":{"a":1,"a":2}}', "duplicate_key", id="twice within"),
        pytest.param(b'{"session_id":"s","x":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep", id="deep"),
        pytest.param(b'{"session_id":"s","x":' + b"[" * 9_000 + b"]" * 9_000 + b"}", "too_deep", id="very deep"),
        pytest.param(b'{"session_id":"s","x":' + b'{"x":' * 9_000 + b"1" + b"}" * 9_001, "too_deep", id="deep objects"),
        pytest.param(b'{"session_id":"s","sequence":' + b"9" * 4_000 + b"}", "number_too_long", id="4,000 digits"),
        pytest.param(b'{"session_id":"s","sequence":9223372036854775808}', "number_too_long", id="beyond 64 bits"),
        pytest.param(b'{"session_id":"s","x":1e999}', "number_too_long", id="beyond a double"),
        pytest.param(b'{"session_id":"' + b"x" * 70_000 + b'"}', "record_too_long", id="long"),
    ],
)
@pytest.mark.parametrize("neighbours", [1, 1_000])
def test_a_broken_line_leaves_its_neighbours_alone(line: bytes, code: str, neighbours: int) -> None:
    before = jsonl([a_beacon()] * neighbours)

    read = Read(before + line + b"\n" + before)

    assert read.codes == [code]
    assert read.rejects["line"].to_list() == [neighbours + 1]
    assert read.rejects["offset"].to_list() == [len(before)]
    assert read.events.height == 2 * neighbours


def test_objects_that_spread_over_lines_are_never_taken_for_one_a_line() -> None:
    two = json.dumps(a_beacon()) * 2

    read = Read("\n".join([json.dumps(a_beacon()), two, '{"session_id":"s","x":', '{"event_time":1}}', ""]).encode())

    assert read.codes == ["not_json"] * 3
    assert read.events.height == 1


def test_an_unknown_field_is_left_out_and_counted_once_a_name() -> None:
    beacons = [a_beacon(), a_beacon(mood="calm"), a_beacon(mood=7), a_beacon(mood=None), a_beacon(tags=["a"])]

    read = Read(jsonl(beacons))

    assert read.events.height == 5
    assert read.ignored == [("mood", "unknown_field", 2), ("tags", "unknown_field", 1)]
    assert read.rejects["line"].to_list() == [2, 5]


def test_no_reject_repeats_what_was_rejected() -> None:
    address = "rick@cafe.example"
    read = Read(
        jsonl(
            [
                a_beacon(),
                a_beacon(state=address),
                a_beacon(event_time=address),
                a_beacon(sequence=address),
                {**a_beacon(), address: 1},
                f'{{"session_id":"s","{address}":1,"{address}":2}}',
                f'{{"session_id":"{address}',
            ]
        )
    )

    assert len(read.codes) == 5
    assert address not in read.rejects.write_csv()
    assert read.ignored == [("(unprintable name)", "unknown_field", 1)]


def test_null_and_empty_text_say_nothing() -> None:
    read = Read(jsonl([a_beacon(state=None, cdn="", customer_id=None)]))

    assert sorted(read.event()) == ["channel", "event_time", "session_id"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + jsonl([a_beacon()]), id="byte order mark"),
        pytest.param(jsonl([a_beacon()]).replace(b"\n", b"\r\n"), id="carriage return"),
        pytest.param(b"\n \n\t\r\n" + jsonl([a_beacon()]) + b"\n\n", id="blank lines"),
        pytest.param(jsonl([a_beacon()]).rstrip(), id="no last line feed"),
        pytest.param(b"  " + jsonl([a_beacon()]), id="indented"),
    ],
)
def test_harmless_dirt_is_no_record(data: bytes) -> None:
    read = Read(data)

    assert read.records == 1
    assert read.codes == []


def test_a_time_may_change_its_form_within_a_file() -> None:
    forms: list[Json] = [NOW, "2026-11-21T19:56:50.509Z"]

    read = Read(jsonl([a_beacon(event_time=forms[i % 2]) for i in range(600)]))

    assert read.events["event_time"].unique().to_list() == [NOW]
    assert read.codes == []


_MESSY_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, 1, NOW, 2**53, 2**63 - 1, 2**63, 10**400]),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["playing", "2026-11-21T19:56:50Z", "2026-11-21", "a\u0000", "}\n{", "[", "\ud800"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)
_ALL = (*FIELDS, *SCAN_FIELDS, *CONTACT_FIELDS)
_NAMES = st.sampled_from([*(f.name for f in _ALL), "mood", "tags", ""])
_OBJECTS = st.dictionaries(_NAMES, _MESSY_VALUES, max_size=5).map(json.dumps)
_LINES = st.one_of(
    _OBJECTS,
    st.just(json.dumps(a_beacon())),
    _OBJECTS.map(lambda text: text + text),
    _OBJECTS.map(lambda text: text[:-1]),
    st.lists(_OBJECTS, min_size=2, max_size=2).map(lambda two: two[0][:-1] + "," + two[1][1:]),
    st.text(alphabet='{}[]":,0123456789.eE+- nulltrueNaN\\/\r', max_size=12),
)


_BY_KIND = {
    Kind.TEXT: st.sampled_from(["s-1", "", "2026-11-21", "a\u0000", "é", "x\\y"]),
    Kind.STATE: st.sampled_from(["playing", "stalled", "resting", "lost", "photo", ""]),
    Kind.CODE: st.sampled_from([27, "E-27", -1]),
    Kind.TIME: st.sampled_from([NOW, "2026-11-21T20:36:50Z", 0]),
    Kind.WHOLE: st.integers(-2, 2**63 - 1),
    Kind.NUMBER: st.one_of(st.integers(-1, 2**64), st.floats(allow_nan=False, allow_infinity=False)),
    Kind.FLAG: st.booleans(),
    Kind.MARK: st.booleans() | st.just({"reason": "did_not_occur"}),
}


def _plausible(fields: tuple[Field, ...]) -> st.SearchStrategy[str]:
    values = {f.name: _BY_KIND[f.kind] | st.none() for f in fields}
    return st.fixed_dictionaries({}, optional={**values, "mood": st.integers(), "tags": st.text()}).map(
        lambda record: json.dumps(record, separators=(",", ":"))
    )


def _texts(form: Format) -> st.SearchStrategy[tuple[Format, list[str]]]:
    plausible = _plausible(form.fields)
    lists = st.lists(plausible, min_size=1, max_size=8) | st.lists(_LINES | plausible, min_size=1, max_size=8)
    return st.tuples(st.just(form), lists)


def _same(left: Objects, right: Objects) -> None:
    names = sorted({*left.frame.columns, *right.frame.columns})

    def full(objects: Objects) -> pl.DataFrame:
        height = len(objects.rows)
        columns = [
            objects.frame[name] if name in objects.frame.columns else pl.Series(name, [None] * height) for name in names
        ]
        return pl.DataFrame(columns).select(pl.col(pl.Null).cast(pl.String), pl.exclude(pl.Null))

    said = [
        name
        for name in names
        if any(name in o.frame and o.frame[name].null_count() < len(o.rows) for o in (left, right))
    ]
    np.testing.assert_array_equal(left.rows, right.rows)
    assert left.rejects == right.rejects
    assert_frame_equal(full(left).select(said), full(right).select(said), check_column_order=False)


@examples(50)
@given(st.sampled_from((BEACONS, SCANS, CONTACTS)).flatmap(_texts))
def test_reading_in_blocks_gives_what_reading_line_by_line_gives(given_texts: tuple[Format, list[str]]) -> None:
    form, texts = given_texts
    for lines in read_lines(iter(["\n".join(texts).encode("utf-8", "surrogatepass")]), DEFAULT_LIMITS):
        tallies = Tally(DEFAULT_LIMITS), Tally(DEFAULT_LIMITS)

        fast = JsonLines(form.fields, DEFAULT_LIMITS).read(lines, tallies[0])
        slow = JsonLines(form.fields, DEFAULT_LIMITS).read_singly(lines, tallies[1])

        _same(fast, slow)
        assert _kinds(tallies[0].rejects()) == _kinds(tallies[1].rejects())


def _kinds(rejects: list[Reject]) -> set[Reject]:
    return set(rejects)
