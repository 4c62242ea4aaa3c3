"""Sixty honest nights are hardly ever held; each kind of storm is held on its first night. `-s` prints the rates."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from remediation.guards.figures import Figures, Judged
from remediation.guards.judge import trips
from tests.remediation.guards.nights import HOUR, RULES, a_night, paid, reasons, weeks
from tests.remediation.guards.storms import STORMS, Storm
from tests.remediation.guards.weather import Weather
from tests.support.examples import first_of

SEEDS: Final = range(5)
NIGHTS: Final = 60
FIRST_NIGHTS: Final = RULES.history.min_nights


@pytest.mark.parametrize("size", first_of(1, [4_000, 300, 50_000]))
def test_honest_nights_are_hardly_ever_held(size: int) -> None:
    held: Counter[str] = Counter()
    for seed in SEEDS:
        released: list[Figures] = []
        for night in Weather(seed, size).nights(0, NIGHTS):
            if len(released) >= FIRST_NIGHTS and (found := reasons(night, released)):
                held.update([next(iter(found))])
            released.append(night)
    judged = len(SEEDS) * (NIGHTS - FIRST_NIGHTS)
    print(f"{size:,} sessions: {held.total()} of {judged} honest nights held: {dict(held)}")  # noqa: T201
    assert held.total() <= judged / 100


def test_the_first_nights_of_a_small_service_are_not_held() -> None:
    for seed in SEEDS:
        nights = [replace(night, sources=night.sources[:1]) for night in Weather(seed, 300).nights(0, FIRST_NIGHTS)]
        for number, night in enumerate(nights):
            assert reasons(night, nights[:number]) == {}


@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS)
@pytest.mark.parametrize("size", [2_000, 50_000])
def test_each_storm_is_held_on_its_first_night_by_the_guards_that_are_there_for_it(storm: Storm, size: int) -> None:
    for seed in SEEDS:
        *released, tonight = Weather(seed, size).nights(0, 30)
        night = storm.change(tonight)
        found = {reading.guard for reading in trips(night, released, RULES, night.as_of + storm.clock_ms)}
        assert storm.guards <= found


@pytest.mark.parametrize("name", ["every player reports stalls", "scans are missing"])
def test_without_any_history_the_absolute_limits_stop_a_storm(name: str) -> None:
    for seed in SEEDS:
        night = STORMS[name].change(Weather(seed, 2_000).night(0))
        assert STORMS[name].guards <= {reading.guard for reading in trips(night, [], RULES, night.as_of + HOUR)}


def test_a_storm_that_lasts_does_not_become_the_usual_weather() -> None:
    weather = Weather(1)
    released = list(weather.nights(0, 20))
    for storm in weather.nights(20, 60):
        assert "sessions" in reasons(STORMS["every player reports stalls"].change(storm), released)


def test_one_storm_that_a_person_released_teaches_nothing() -> None:
    weather = Weather(2)
    *released, storm = weather.nights(0, 21)
    released.append(STORMS["every player reports stalls"].change(storm))
    assert "sessions" in reasons(STORMS["every player reports stalls"].change(weather.night(21)), released)


def more_refunds(factor: float) -> Figures:
    return a_night(payouts=round(30 * factor), paid=(paid(round(30 * factor)),))


def more_flags(factor: float) -> Figures:
    return a_night(sessions=Judged(100_000, round(500 * factor)), groups=())


@pytest.mark.parametrize("creeping", [more_refunds, more_flags])
@pytest.mark.parametrize(
    ("growth", "within"),
    [pytest.param(1.2, 10, id="20 % a night"), pytest.param(1.05, 40, id="5 %"), pytest.param(1.03, 60, id="3 %")],
)
def test_a_slow_creep_is_held_in_the_end(creeping: Callable[[float], Figures], growth: float, within: int) -> None:
    """Each night is released until one is held, so that the creep itself becomes history."""
    released = [replace(creeping(1), as_of=night.as_of) for night in weeks(6)]
    for day in range(1, within + 1):
        tonight = replace(creeping(growth**day), as_of=a_night(day).as_of)
        if reasons(tonight, released):
            return
        released.append(tonight)
    pytest.fail(f"not held within {within} nights")
