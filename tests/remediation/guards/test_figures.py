import pytest
from pydantic import ValidationError

from remediation.guards.figures import Judged, from_json, to_json
from tests.remediation.guards.nights import a_night
from tests.remediation.guards.weather import Weather


@pytest.mark.parametrize("night", [a_night(), a_night(median_age_ms=None, paid=(), groups=()), Weather(1).night(40)])
def test_what_is_kept_of_a_night_is_the_night(night: object) -> None:
    assert from_json(to_json(night)) == night  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("payouts", "30", id="text for a number"),
        pytest.param("payouts", 30.0, id="a fraction for a number"),
        pytest.param("unheard_of", 1, id="a field that nobody knows"),
        pytest.param("sessions", {"units": 3, "flagged": 1, "lost": 1}, id="a field within that nobody knows"),
    ],
)
def test_what_is_not_as_it_was_kept_is_refused(field: str, value: object) -> None:
    kept = to_json(a_night())
    assert isinstance(kept, dict)
    with pytest.raises(ValidationError):
        from_json({**kept, field: value})


def test_what_is_missing_is_refused() -> None:
    kept = to_json(a_night())
    assert isinstance(kept, dict)
    del kept["median_age_ms"]
    with pytest.raises(ValidationError, match="median_age_ms"):
        from_json(kept)


def test_the_share_of_nothing_is_unknown() -> None:
    assert Judged(0, 0).rate is None
    assert Judged(8, 2).rate == 0.25
