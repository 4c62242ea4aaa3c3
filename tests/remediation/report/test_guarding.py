from dataclasses import replace

import pytest

from remediation.ledger.run import Objection
from remediation.report.guarding import guard_chart, guard_rows, guards, margin
from tests.remediation.guards.nights import a_night as usual_night
from tests.remediation.guards.nights import weeks
from tests.remediation.report.nights import A_NIGHT, a_backdrop

STORM = usual_night(payouts=200)


def test_the_guard_that_holds_comes_first_and_the_nearest_next() -> None:
    backdrop = a_backdrop(STORM, weeks())
    (storm,) = (reading for reading in backdrop.readings if reading.tripped)
    night = replace(A_NIGHT, run_state="held", objections=(Objection(storm.guard, storm.reason),))

    first, *others = guards(night, backdrop)
    assert (first.name, first.holds) == ("Pay-outs", True)
    assert first.near_ratio == pytest.approx(200 / 90)
    assert margin(first) == "222 % of its limit, holds the night"
    measured = [guard.near_ratio for guard in others if guard.near_ratio is not None]
    assert measured == sorted(measured, reverse=True)
    assert len(others) == len(backdrop.readings) - 1
    assert "Pay-outs: 222 % of its limit, holds the night" in str(guard_chart(guards(night, backdrop)))


def test_what_held_the_night_stands_whatever_would_be_read_today() -> None:
    night = replace(A_NIGHT, run_state="held", objections=(Objection("mode", "It was made in mode shadow."),))
    first, *others = guards(night, a_backdrop(earlier=weeks()))
    assert (first.name, margin(first)) == ("Mode", "holds the night")
    assert not any(guard.holds for guard in others)


def test_a_guard_that_knows_only_yes_and_no_has_no_margin() -> None:
    rows = {row.name: row.margin for row in guard_rows(guards(A_NIGHT, a_backdrop(earlier=weeks())))}
    assert rows["Policy"] == rows["Detectors"] == "yes or no"
    assert rows["Sessions flagged"].endswith(" % of its limit")


def test_without_a_backdrop_only_what_was_kept_is_told() -> None:
    assert guards(A_NIGHT, None) == ()
    assert guard_chart(()) is None
