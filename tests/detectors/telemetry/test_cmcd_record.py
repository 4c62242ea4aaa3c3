import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from detectors.telemetry.carried import from_headers, from_url
from detectors.telemetry.cmcd_record import Measure, ParsedRecord, Value, least_measure, main_measure, parse_record
from detectors.telemetry.rejects import FaultError

SESSION = "6e2fb550-c457-11e9-bb97-0800200c9a66"

REAL_PLAYERS_WIN = {
    "Correct input bl without ot": "bl=21301 is no multiple of 100, and real captures carry decimals even",
    "Test: Query malformed": "sdfsdfCMCD is another argument than CMCD: no_cmcd, whatever stands behind it",
}
"""Vectors of which we ask less or say otherwise, and why."""

WHOLE_SETS = {
    "no-CMCD-request": "no_cmcd",
    "parameter-encoding": "not_url_encoded",
    "incorrect-format": "duplicate_key",
    "query-malformed": "no_cmcd",
    "no-ampersand-between-requests:": "no_cmcd",
}
"""Errors of the vectors that spoil a set as a whole, and our codes for them."""


def ignored(text: str) -> list[tuple[str, str]]:
    return [(slip.key, slip.code.value) for slip in parse_record(text).ignored]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("bl=21300", 21300),
        ("bl=3993.8321995464853", 3993.8321995464853),
        ("dl=3993.5", 3994),
        ("dl=3993.49", 3993),
        ("pr=1.08", 1.08),
        ("pr=-2", -2),
        ("su", True),
        ("bg=?0", False),
        ("ot=av", "av"),
        ('cid="a,b;c=(d)"', "a,b;c=(d)"),
        (r'cid="say \"hi\" \\ bye"', r'say "hi" \ bye'),
        ("br=(5000;v 320;a)", (Measure(5000, "v"), Measure(320, "a"))),
        ("br=(948)", (Measure(948, None),)),
        ("br=5000;v", (Measure(5000, "v"),)),
        ("mtp=(0;v 100;a)", (Measure(100, "a"),)),
        ("ec=27", "27"),
        ("ec=(27 28)", ("27", "28")),
        ('ec=("net,1" "two")', ("net,1", "two")),
        ('nor=("seg-4.m4s";r="0-9")', ("seg-4.m4s",)),
    ],
)
def test_a_member_is_read_as_it_is_written(member: str, value: Value) -> None:
    record = parse_record(f'{member},sid="s"')

    assert record == ParsedRecord({member.partition("=")[0]: value, "sid": "s"}, ())


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("com.example-mood=calm", "unknown_field"),
        ("sid=bare", "wrong_type"),
        ('br="3200"', "wrong_type"),
        ("br=fast", "wrong_type"),
        ("br=1e5", "wrong_type"),
        ("br=(5000;v,320;a)", "wrong_type"),
        ("br=1234567890123456", "wrong_type"),
        ("br", "wrong_type"),
        ("br=", "wrong_type"),
        ("br=-3200", "out_of_range"),
        ("br=(-1;v)", "out_of_range"),
        ("mtp=0", "out_of_range"),
        ("mtp=(0;v 0;a)", "out_of_range"),
        ("su=true", "wrong_type"),
        ("su=?2", "wrong_type"),
        ('ot="v"', "wrong_type"),
        ("ot=q", "unknown_value"),
        ("ec=()", "missing_field"),
        ('cid=""', "missing_field"),
        (f'cid="{"x" * 65}"', "id_too_long"),
        (f'sid="{"x" * 201}"', "id_too_long"),
        ('cid="a\x07"', "control_character"),
        ('nrr="48763"', "wrong_type"),
        ('nor="https%3A%2F%2Felsewhere"', "wrong_type"),
        ("su,su", "duplicate_key"),
        ('cid="open', "malformed_member"),
        ('cid="a"ot=v', "malformed_member"),
    ],
)
def test_an_ill_typed_member_is_left_out_alone_with_its_reason(member: str, code: str) -> None:
    text = f"d=4000,{member}"

    assert parse_record(text).values == {"d": 4000}
    assert ignored(text) == [(member.partition("=")[0].partition(",")[0], code)]


def test_what_cannot_be_named_safely_is_not_named() -> None:
    assert ignored("Alice Jones lives here,d=1") == [("", "malformed_member")]


def test_version_two_allows_a_longer_content_id() -> None:
    assert "cid" in parse_record(f'cid="{"x" * 128}",v=2').values


def test_a_newer_version_is_not_understood() -> None:
    assert not parse_record("br=1,v=3").understood
    assert parse_record("br=1,v=2").understood


def test_the_picture_is_measured_by_its_video_item() -> None:
    both = (Measure(48, "a"), Measure(150, "v"))

    assert main_measure(both) == 150
    assert main_measure((Measure(948, None),)) == 948
    assert main_measure((Measure(48, "a"),)) is None
    assert least_measure(both) == 150
    assert least_measure((Measure(1900, "a"), Measure(400, "tt"))) == 400


def test_headers_are_joined_and_decoded() -> None:
    assert from_headers(["bl=1", None, "-", "sid=%22s%22"]) == 'bl=1,sid="s"'
    assert from_headers(["-", None]) is None


@pytest.mark.parametrize(
    "url",
    [
        "/seg?CMCD=sid%3D%22s%22",
        "/seg?a=b&CMCD=sid=%22s%22&c",
        "CMCD=sid%3D%22s%22",
        "/seg??CMCD=sid%3D%22s%22#frag",
        "CMCD=sid%253D%2522s%2522",
    ],
)
def test_the_argument_is_found_in_a_url_and_decoded_as_often_as_it_was_encoded(url: str) -> None:
    assert from_url(url) == 'sid="s"'


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("/seg?cmcd=x", "no_cmcd"),
        ("/seg?CMCD=a&CMCD=b", "duplicate_key"),
        ('/seg?CMCD=sid="s"', "not_url_encoded"),
        ("/seg?CMCD=sid%3", "not_url_encoded"),
        ("/seg?CMCD=sid%3D%FF", "not_url_encoded"),
    ],
)
def test_a_request_without_one_readable_argument_is_refused(url: str, code: str) -> None:
    with pytest.raises(FaultError) as refused:
        from_url(url)
    assert refused.value.code == code


def _vectors(recordings: Path) -> list[dict[str, object]]:
    files = [recordings / "cmcd" / f"{name}TestCases.json" for name in ("generic", "query")]
    return [vector for file in files for vector in json.loads(file.read_text())]


def _forms(vector: dict[str, object]) -> list[str]:
    """The record in the forms that are ours: query and headers."""
    forms = [from_url(str(vector["query"]))]
    if header := vector.get("header"):
        lines = (line.partition(": ") for line in str(header).split("\n"))
        forms.append(from_headers(value for name, _, value in lines if name.startswith("CMCD-")) or "")
    return forms


def test_the_standard_vectors_hold(recordings: Path) -> None:
    seen = 0
    for vector in _vectors(recordings):
        name, output = str(vector["description"]), vector["output"]
        assert isinstance(output, dict)
        keys = [error["key"] for error in output["errors"]]
        if keys == [None]:
            with pytest.raises(FaultError) as refused:
                _forms(vector)
            assert refused.value.code == WHOLE_SETS[output["errors"][0]["type"]], name
        else:
            for form in _forms(vector):
                record = parse_record(form)
                if output["valid"]:
                    assert record == ParsedRecord(output["parsedData"], ()), name
                elif name in REAL_PLAYERS_WIN:
                    assert record.ignored == (), name
                else:
                    wrong = str(keys[0]).partition("=")[0]
                    assert [slip.key for slip in record.ignored] == [wrong], name
                    assert wrong not in record.values, name
                    assert "sid" in {*record.values, wrong}, name
        seen += 1
    assert seen == 60


def test_the_captured_player_reads_through(recordings: Path) -> None:
    lines = (recordings / "cmcd" / "cmcd-bitmovin-url.log").read_text().splitlines()[2:]

    records = [parse_record(unquote(line.removeprefix("CMCD="))) for line in lines]

    assert len(records) == 375
    assert all(record.ignored == () and record.values["su"] is True for record in records)
    assert records[7].values["bl"] == 3993.8321995464853
