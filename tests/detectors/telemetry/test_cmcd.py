import random
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from detectors import schemas
from detectors.schemas import Channel
from detectors.telemetry import cmcd_columns
from detectors.telemetry.cmcd_columns import Columns, read_columns, read_singly
from detectors.telemetry.cmcd_forms import read_alike
from detectors.telemetry.cmcd_keys import KEYS
from detectors.telemetry.cmcd_members import ASKED
from tests.detectors.telemetry.reading import NOW, Json, Read, a_report, jsonl
from tests.support.examples import examples

CHANGE = "e=ps,sta=r"


def event(cmcd: str, *, mode: str = "event") -> dict[str, object]:
    return Read(jsonl([a_report(cmcd, mode=mode)])).event()


def test_a_report_of_an_event_carries_the_players_clock() -> None:
    assert event("e=ps,sta=r,sn=7,pt=4000,pr=2,bl=(0;v 1900;a)") == {
        "session_id": "s-1",
        "event_time": NOW,
        "received_at": NOW + 50,
        "sequence": 7,
        "channel": Channel.CMCD_EVENT,
        "state": "stalled",
        "position_ms": 4000,
        "playback_rate": 2.0,
        "buffer_ms": 0.0,
    }


def test_a_request_carries_the_servers_clock_and_no_state() -> None:
    assert event("sta=r,sn=7", mode="request") == {
        "session_id": "s-1",
        "event_time": NOW + 50,
        "received_at": NOW + 50,
        "sequence": 7,
        "channel": Channel.CMCD_REQUEST,
    }


def test_a_response_report_is_a_witness_of_its_own() -> None:
    response = event("e=rr,rc=404,sta=r")

    assert response["channel"] == Channel.CMCD_RESPONSE
    assert response["http_status"] == 404
    assert "state" not in response


@pytest.mark.parametrize(
    ("token", "state"),
    [
        ("d", "preloading"),
        ("s", "starting"),
        ("p", "playing"),
        ("k", "seeking"),
        ("r", "stalled"),
        ("a", "paused"),
        ("w", "waiting"),
        ("e", "ended"),
        ("f", "failed"),
        ("q", "quit"),
    ],
)
def test_states_are_told_in_our_words(token: str, state: str) -> None:
    assert event(f"e=ps,sta={token}")["state"] == state


@pytest.mark.parametrize(
    ("cmcd", "code"),
    [
        pytest.param("e=e,ec=27", "27", id="error report"),
        pytest.param('e=e,ec=("net" "drm")', "net", id="first of a list"),
        pytest.param("e=ps,sta=f,ec=27", "27", id="failed"),
        pytest.param("e=ps,sta=p,ec=27", None, id="repeated on a change"),
        pytest.param("e=t,ec=27", None, id="repeated on a sample"),
        pytest.param("e=rr,ec=27", None, id="repeated on a response"),
    ],
)
def test_an_error_counts_where_it_is_reported_and_not_where_it_is_repeated(cmcd: str, code: str | None) -> None:
    assert event(cmcd).get("error_code") == code


@pytest.mark.parametrize(
    ("cmcd", "kbps"),
    [
        ("br=(150;v 48;a)", 150),
        ("br=(48;a)", None),
        ("br=(948)", 948),
        ("br=1800,ot=v", 1800),
        ("br=1800.5,ot=av", 1800.5),
        ("br=48,ot=a", None),
        ("br=48,ot=i", None),
        ("br=452,ot=m", None),
    ],
)
def test_a_rate_counts_for_the_picture_only(cmcd: str, kbps: float | None) -> None:
    assert event(cmcd).get("bitrate_kbps") == kbps


@pytest.mark.parametrize(
    ("cmcd", "background"),
    [("e=b,bg", True), ("e=b", False), ("e=t,bg", True), ("e=t", None), ("bg=?0", False)],
)
def test_background_is_entered_with_the_flag_and_left_without(cmcd: str, background: bool | None) -> None:  # noqa: FBT001 - a table
    assert event(cmcd).get("background") is background


def test_reported_figures_keep_their_units() -> None:
    reported = event("bsd=(400.5;v),msd=1072,dfa=3,mtp=(3700;v 1200;a),tb=(1800;v)")

    assert reported["stall_ms"] == 401
    assert reported["startup_ms"] == 1072
    assert reported["dropped_frames"] == 3
    assert reported["throughput_kbps"] == 3700.0
    assert reported["top_bitrate_kbps"] == 1800.0


@pytest.mark.parametrize(
    ("cmcd", "kbps"),
    [("e=t,tpb=(1850.106)", 1850.106), ("e=t,tb=4000,tpb=1800", 4000.0), ("ot=a,tpb=(1850.106)", None)],
)
def test_what_can_be_played_at_best_counts_where_the_best_is_not_named(cmcd: str, kbps: float | None) -> None:
    assert event(cmcd).get("top_bitrate_kbps") == (kbps if kbps is None else pytest.approx(kbps, rel=1e-6))


def test_ten_digits_are_seconds() -> None:
    line: dict[str, Json] = {"received_at": NOW, "mode": "event", "cmcd": f'e=t,sid="s",ts={NOW // 1000}'}

    assert Read(jsonl([line])).event()["event_time"] == NOW // 1000 * 1000


@pytest.mark.parametrize(
    ("cmcd", "mode", "code"),
    [
        pytest.param("br=1,v=2", "request", "missing_session", id="no session"),
        pytest.param('br=1,sid="s",sid="s"', "request", "missing_session", id="two sessions"),
        pytest.param('sid="s",e=t', "event", "missing_time", id="no time"),
        pytest.param('sid="s",e=t,ts=12', "event", "out_of_range", id="1970"),
        pytest.param('sid="s",v=3', "request", "unknown_version", id="newer"),
        pytest.param('sid="s",v=2.5', "request", "unknown_version", id="newer by half"),
        pytest.param('sid="s",v=1234567890', "request", "unknown_version", id="newer by far"),
        pytest.param("quite another thing", "request", "not_cmcd", id="prose"),
        pytest.param("", "request", "not_cmcd", id="empty"),
        pytest.param("x" * 70_000, "request", "record_too_long", id="long"),
        pytest.param('sid="s"', "answer", "unknown_value", id="mode"),
        pytest.param(None, "event", "missing_field", id="no record"),
        pytest.param(7, "event", "wrong_type", id="number for a record"),
    ],
)
def test_a_set_that_cannot_be_used_is_rejected_alone(cmcd: str | int | None, mode: str, code: str) -> None:
    lines: list[dict[str, Json]] = [
        a_report(CHANGE),
        {"received_at": NOW, "cmcd": cmcd, "mode": mode},
        a_report(CHANGE),
    ]

    read = Read(jsonl(lines))

    assert read.codes == [code]
    assert read.rejects.filter(pl.col("scope") == "record")["line"].to_list() == [2]
    assert read.events.height == 2


def test_a_request_without_any_time_is_rejected() -> None:
    assert Read(jsonl([{"cmcd": 'sid="s"', "mode": "request"}])).codes == ["missing_time"]


def test_keys_left_out_are_counted_by_name_and_reason() -> None:
    lines = [a_report("e=t"), a_report("e=t,mood=1,br=-1"), a_report('e=t,mood="x",br=-2'), a_report("e=t,br=x")]

    read = Read(jsonl(lines))

    assert read.events.height == 4
    assert sorted(read.ignored) == [("br", "out_of_range", 2), ("br", "wrong_type", 1), ("mood", "unknown_field", 2)]


def test_keys_left_out_for_several_reasons_stand_where_the_first_was_met() -> None:
    read = Read(jsonl([a_report("br=1"), a_report('br="x,y"'), a_report("br=")]))

    left_out = read.rejects.filter(pl.col("scope") == "field").select("line", "field", "reason", "count")
    assert left_out.rows() == [(2, "br", "The key needs a number.", 2)]


def test_a_set_of_a_newer_version_is_ignored_whole() -> None:
    assert Read(jsonl([a_report("mood=1,v=3")])).ignored == []


def test_a_line_without_a_mode_is_told_by_its_keys() -> None:
    lines: list[dict[str, Json]] = [
        {"received_at": NOW, "cmcd": f'e=t,sid="s",ts={NOW}'},
        {"received_at": NOW, "cmcd": 'br=1,sid="s"'},
    ]

    assert Read(jsonl(lines)).events["channel"].to_list() == [Channel.CMCD_EVENT, Channel.CMCD_REQUEST]


def test_a_body_of_reports_is_one_record_a_line() -> None:
    body = f'e=ps,sid="s",sta=p,ts={NOW},v=2\ne=t,sid="s",ts={NOW + 5},v=2\nprose\n'.encode()

    read = Read(body)

    assert read.events["event_time"].to_list() == [NOW, NOW + 5]
    assert read.codes == ["not_cmcd"]


def test_a_trailing_line_feed_within_a_collected_record_is_normal() -> None:
    line: dict[str, Json] = {"received_at": NOW, "mode": "request", "cmcd": 'sid="s",v=2\n'}

    assert Read(jsonl([line])).ignored == []


def test_captured_query_arguments_have_no_time_and_say_so(recordings: Path) -> None:
    read = Read((recordings / "cmcd" / "cmcd-bitmovin-url.log").read_bytes())

    assert read.codes == ["not_cmcd"] * 2 + ["missing_time"] * 375


@pytest.mark.parametrize("code", ["not_utf8", "not_url_encoded"])
def test_a_broken_captured_argument_is_rejected_alone(code: str) -> None:
    broken = {"not_utf8": b"CMCD=\xff", "not_url_encoded": b'CMCD=sid="s"'}[code]

    assert Read(b"CMCD=sid%3D%22s%22,ts=1795291010509\n" + broken + b"\n").codes == [code]


def test_every_recorded_report_decodes(recordings: Path) -> None:
    files = sorted((recordings / "players").glob("*/*/reports.jsonl"))
    reads = [Read(file.read_bytes()) for file in files]

    assert len(files) == 15
    assert sum(read.events.height for read in reads) == 3096
    assert all(read.codes == [] for read in reads)
    assert {slip[:2] for read in reads for slip in read.ignored} <= {("mtp", "out_of_range")}


_VALUES = st.sampled_from(
    [
        *(
            "1",
            "0",
            "007",
            "1795291010509",
            "123456789012345",
            "1234567890123456",
            "1.5",
            "-1",
            "",
            " 5",
            "5 ",
            "?1",
            "?0",
        ),
        *(
            "(1)",
            "(5000;v 320;a)",
            "(5;v,6)",
            "()",
            "(",
            ")",
            "(0;v)",
            "true",
            "v",
            "ps",
            "rr",
            "p",
            "a;b",
            "27",
            "2",
            "3",
        ),
        *(
            '"s"',
            '""',
            '"a,b"',
            '"a=b"',
            '"),br=5,x=("',
            r'"a\"b"',
            '"',
            '"a"b',
            '("a" "b,c")',
            '"é"',
            '"\x07"',
            '"%2F"',
            '"/"',
        ),
        *(f'"{"x" * size}"' for size in (64, 65, 128, 129, 200, 201)),
    ]
)
_KEY_NAMES = st.sampled_from([*KEYS, "com.x-y", "abcde", "abcdef", "", "br ", " br", "Br", "x=y", "é"])
_MEMBERS = st.one_of(
    st.tuples(_KEY_NAMES, _VALUES).map("=".join), _KEY_NAMES, st.text(alphabet='a=,"();\\ \n1', max_size=6)
)
_RECORDS = st.lists(_MEMBERS, max_size=7).map(",".join)


def _slips(columns: Columns) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {(s.ignored.key, s.ignored.code.value, s.ignored.reason): (s.count, s.row) for s in columns.slips}


_TRAPS = [
    *(
        'sid="a,b",br=5',
        'cid="a,br=5",su',
        'br=(1,2),sid="s"',
        'x=(1,2),sid="s"',
        'cid=",br=5,",sid="s"',
        r'cid="a\",br=5,\"b"',
        'nor=("a" "b,c")',
    ),
    *('sid="a",sid="b"', "br=1,br=2", "su,su", "x=1,x=2", "br=x,br=1", "mtp=0", "mtp=(0)", "ec=27", "ec=(27 28)"),
    *("", ",", ",,", "br=1,", ",br=1", " br=1", "br=1, bl=2", "br=1 ,bl=2", "br= 1", "br=", "br", "=", "=1", "br=1=2"),
    *("1234567=1", "12345678=1", "abcdefgh=1", "abcdefghi=1", "bg=?0", "bg", "bg=1", "v=3,br=1", "v=2,br=-1", "v=0"),
    *('v=2.5,sid="a"', 'v=2.4,sid="a"', "v=123456789,br=1", "v=123456789"),
    *("ts=123456789012345", "ts=1234567890123456", "ts=00000001", "ts=12345678", "ts=123456789", "ts=1/", "ts=:1"),
    *('sid="é"', 'sid="\x07"', 'sid="\x7f"', 'sid=""', 'sid="', 'sid="a"b"', f'sid="{"x" * 201}"', f'cid="{"x" * 65}"'),
]


_WRITTEN = (
    'br=({0};v {1};a),cid="film",e=t,sid="s-{2}",sn={3},ts={4},v=2',
    'cid="{0}",e=ps,sid="s-1",sn={1},sta={2},ts=179528400{3},v=2',
    "bl={0},bs,com.example-x={1},mtp={2},nr,pr={3},su,ts={4},v=1",
    'com.example-y="{0}",d={1},dl={2},ot={3},sf=d,sid="{4}",st=v,v=1',
    'bg,br={0},bsd=({1};v),rc={2},sn={3},st=?,url="{4}"',
    "bl={0},sn={1},bl={2},ts={3}",
)
_ODD = (
    *("0", "p", "a", "v", "2", "3", "", "1.5", "-1", "00", "x" * 65, "x" * 129, "x" * 201, "1" * 16, "?0", "é", "\t"),
    *("a,b", 'a"b', "a b", "(1 2)", r"a\b", "a=b", "27", "(27 28)", " 5", "5 ", "(1"),
)


@examples(50)
@example(_TRAPS)
@example([*_TRAPS[::-1], "x" * 300, "nor=" + "(" * 300])
@given(st.lists(_RECORDS, min_size=1, max_size=12))
def test_reading_a_block_gives_what_reading_record_by_record_gives(records: list[str]) -> None:
    _demand_same(records)


@pytest.mark.parametrize("seed", range(24))
def test_records_that_are_written_alike_are_read_as_each_by_itself(seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311  # no secret
    forms = luck.sample(_WRITTEN, 2)

    def values() -> list[str]:
        some = [str(luck.randrange(10 ** luck.randrange(1, 14))) for _ in range(7)]
        if luck.random() < 0.3:
            some[luck.randrange(5)] = luck.choice(_ODD)
        return some

    with patch.object(cmcd_columns, "read_alike", wraps=read_alike) as together:
        _demand_same([luck.choice(forms).format(*values()) for _ in range(200)])
    assert together.called


def test_of_records_alike_those_of_a_newer_version_and_those_that_say_nothing_of_use_are_told() -> None:
    _demand_same(['sid="s",sn=1,v=2'] * 70 + ['sid="s",sn=1,v=3'] * 70)
    _demand_same(["d=1"] * 70)


def _demand_same(records: list[str]) -> None:
    block, single = read_columns(pl.Series(records, dtype=pl.String)), read_singly(records)

    assert_frame_equal(schemas.complete(block.frame, ASKED), schemas.complete(single.frame, ASKED))
    assert block.empty.tolist() == single.empty.tolist()
    assert block.newer.tolist() == single.newer.tolist()
    assert _slips(block) == _slips(single)
