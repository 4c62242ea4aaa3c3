import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.telemetry.contents import contents, ecma_number, numbers
from detectors.telemetry.fields import Field, Kind


@pytest.mark.parametrize(
    ("value", "written"),
    [
        # RFC 8785, appendix B, and the ends of each of ECMAScript's forms.
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (1e21, "1e+21"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (999999999999999900000.0, "999999999999999900000"),
        (333333333.3333332, "333333333.3333332"),
        (1.0, "1"),
        (100.0, "100"),
        (-23.976, "-23.976"),
        (0.5, "0.5"),
        (0.001, "0.001"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-7, "1.25e-7"),
        (1e23, "1e+23"),
        (1e300, "1e+300"),
    ],
)
def test_numbers_are_written_as_ecmascript_does(value: float, written: str) -> None:
    assert ecma_number(value) == written
    assert numbers(pl.Series([None, value])).to_list() == [None, written]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e6, 1e6), min_size=1))
def test_columns_of_numbers_are_written_as_single_ones_are_and_lead_back(values: list[float]) -> None:
    written = numbers(pl.Series(values, dtype=pl.Float64)).to_list()
    assert written == [ecma_number(value) for value in values]
    assert all(math.isclose(float(text), value, rel_tol=0) for text, value in zip(written, values, strict=True))


def test_what_is_null_is_left_out_and_text_is_escaped() -> None:
    fields = (Field("ad", Kind.FLAG), Field("cdn", Kind.TEXT), Field("height", Kind.WHOLE))
    frame = pl.DataFrame({"ad": [True, None], "cdn": ['a"\\é', None], "height": [None, 720]})
    assert contents(frame, frame, fields).to_list() == ['{"ad":true,"cdn":"a\\"\\\\é"}', '{"height":720}']
