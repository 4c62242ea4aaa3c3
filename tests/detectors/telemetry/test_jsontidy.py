import polars as pl
import pytest

from detectors.telemetry.jsontidy import read_tidy

SCHEMA = {"who": pl.String(), "state": pl.String(), "count": pl.Int64(), "rate": pl.Float64(), "fatal": pl.Boolean()}


def read(*lines: bytes) -> pl.DataFrame | None:
    return read_tidy(b"".join(line + b"\n" for line in lines), SCHEMA)


def test_lines_of_nothing_but_values_of_their_types_are_read() -> None:
    frame = read(
        rb'{"who":"s-1","state":"playing","count":3,"rate":1.5,"fatal":false}',
        rb'{"who": "he said \"no\"", "rate": 2}',
        rb'{"who":"Ren\u00e9"}',
        b'{"fatal":true,"who":"\xc3\xa9","count":-9223372036854775808}',
        b"{}",
    )

    assert frame is not None
    assert frame.rows() == [
        ("s-1", "playing", 3, 1.5, False),
        ('he said "no"', None, None, 2.0, None),
        ("René", None, None, None, None),
        ("é", None, -(2**63), None, True),
        (None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"who":"s","mood":1}', id="a field of another name"),
        pytest.param(b'{"who":"s","who":"t"}', id="a name that stands twice"),
        pytest.param(b'{"who":"s","count":null}', id="a null"),
        pytest.param(b'{"who":"s","count":null,"count":1}', id="a null before the value"),
        pytest.param(b'{"who":5}', id="a number for a text"),
        pytest.param(b'{"who":true}', id="a truth value for a text"),
        pytest.param(b'{"who":5,"count":"s"}', id="a number and a text changed about"),
        pytest.param(b'{"who":5,"mood":"s"}', id="a number for a text, and a text that nobody asks for"),
        pytest.param(b'{"who":"s","count":"5"}', id="a text for a number"),
        pytest.param(b'{"who":"s","count":5.0}', id="a decimal for a whole number"),
        pytest.param(b'{"who":"s","count":9223372036854775808}', id="a number beyond 64 bits"),
        pytest.param(b'{"who":"s","rate":1e400}', id="a number beyond a double"),
        pytest.param(b'{"who":"s","rate":NaN}', id="no number"),
        pytest.param(b'{"who":"s","fatal":1}', id="a number for a truth value"),
        pytest.param(b'{"who":"s","count":1,"count" :2}', id="a name twice, of which one is counted"),
        pytest.param(b'{"who":":s","count":1,"count" :2}', id="a text counted as a name"),
        pytest.param(rb'{"who":"s\\","state":"x"}', id="an escaped escape"),
        pytest.param(rb'{"who":"\ud800"}', id="half a character"),
        pytest.param(b'{"who":"a\tb"}', id="a bare control character"),
        pytest.param(b'{"who":"s"', id="a line that is cut"),
        pytest.param(b'{"who":"s"} 1', id="more than an object"),
    ],
)
def test_whatever_else_may_be_in_them_is_left_to_others(line: bytes) -> None:
    good = b'{"who":"s-1","state":"playing","count":3}'

    assert read(good, good) is not None
    assert read(good, line, good) is None
