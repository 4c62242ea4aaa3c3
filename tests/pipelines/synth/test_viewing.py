"""The true course of a night: published base rates, and nothing that could not happen."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.synth.population import Habit, Visits, visits
from pipelines.synth.recipe import HOUR_MS, Recipe
from pipelines.synth.scenes import UNSEEN, Ending, Scene, Timeline, begins
from pipelines.synth.viewing import counts, watch

NIGHT = Recipe(sessions=10_000, seed=1)


def evening(recipe: Recipe) -> tuple[Visits, Timeline]:
    (chunk,) = recipe.chunks()
    chance = recipe.random("chunk", chunk.number)
    seen = visits(recipe, chunk, chance)
    return seen, watch(seen, chance)


@pytest.fixture(scope="module")
def night() -> tuple[Visits, Timeline]:
    return evening(NIGHT)


def test_the_same_recipe_is_the_same_night_and_another_seed_another() -> None:
    small = replace(NIGHT, sessions=50)
    (seen, line), (again, same), (other, _) = evening(small), evening(small), evening(replace(small, seed=2))
    assert seen.session_id == again.session_id
    assert np.array_equal(line.lasts_ms, same.lasts_ms)
    assert not set(seen.session_id) & set(other.session_id)


def test_stalls_and_starts_come_at_the_published_rates(night: tuple[Visits, Timeline]) -> None:
    seen, line = night
    pictured = ~np.isin(seen.ending, UNSEEN)
    stalls = line.is_scene(Scene.STALL) & counts(line)
    starts = line.total_ms(line.is_scene(Scene.START))[pictured & (seen.ending != Ending.BROKE_OFF)]
    assert (line.total_ms(stalls) > 0).mean() == pytest.approx(0.04, abs=0.006)
    watched = counts(line) & ~line.is_scene(Scene.PRELOAD, Scene.PAUSE, Scene.PAUSE_IN_STALL, Scene.SEEK_PAUSED)
    assert line.lasts_ms[stalls].sum() / line.lasts_ms[watched].sum() == pytest.approx(0.0017, abs=0.0006)
    assert np.percentile(starts, [50, 99]) == pytest.approx([300, 3_400], rel=0.15)


def test_few_watch_for_very_long(night: tuple[Visits, Timeline]) -> None:
    _, line = night
    played = line.total_ms(line.is_scene(Scene.PLAY))
    middle, rare = np.percentile(played[played > 0], [50, 99])
    assert rare > 10 * middle


def test_every_session_is_scenes_in_order_up_to_one_end(night: tuple[Visits, Timeline]) -> None:
    seen, line = night
    heads = np.flatnonzero(begins(line.owner))
    last = np.append(heads[1:], line.owner.size) - 1
    assert (np.diff(line.owner) >= 0).all()
    assert (line.scene[last] == Scene.END).all()
    assert np.count_nonzero(line.scene == Scene.END) == seen.count
    goes_on = ~begins(line.owner)
    assert np.array_equal(line.start_ms[goes_on], (line.start_ms + line.lasts_ms)[:-1][goes_on[1:]])
    assert not line.start_ms[heads].any()


def test_who_never_had_a_picture_never_played(night: tuple[Visits, Timeline]) -> None:
    seen, line = night
    played = line.total_ms(line.is_scene(Scene.PLAY))
    unseen = np.isin(seen.ending, UNSEEN)
    assert not played[unseen].any()
    assert played[~unseen].all()


def test_a_scrubber_jumps_and_a_pauser_pauses(night: tuple[Visits, Timeline]) -> None:
    seen, line = night
    pictured = ~np.isin(seen.ending, UNSEEN)

    def share(scene: Scene, habit: Habit) -> float:
        return float((line.total_ms(line.is_scene(scene)) > 0)[pictured & (seen.habit == habit)].mean())

    assert share(Scene.SEEK, Habit.SCRUBBER) > 0.9
    assert share(Scene.SEEK, Habit.ORDINARY) < 0.2
    assert share(Scene.PAUSE, Habit.PAUSER) > 0.6
    assert share(Scene.PAUSE, Habit.ORDINARY) < 0.2


def test_visits_lie_in_the_evening_before_the_decision(night: tuple[Visits, Timeline]) -> None:
    seen, _ = night
    before = NIGHT.as_of - seen.begun_at
    assert before.min() >= 7 * HOUR_MS
    assert before.max() <= 30 * HOUR_MS


def test_a_large_night_comes_in_parts_that_hold_all_of_it() -> None:
    parts = list(Recipe(sessions=100_001, seed=3).chunks())
    assert len(parts) > 1
    assert sum(part.sessions for part in parts) == 100_001
