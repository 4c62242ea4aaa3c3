"""Truth is the published standard on the true course: each rule at its limit, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.synth.figures import figures
from pipelines.synth.players import Player
from pipelines.synth.population import Forgery, Habit, Visits, visits
from pipelines.synth.recipe import Recipe
from pipelines.synth.scenes import Ending, Scene, Timeline, from_start
from pipelines.synth.standard import KINDS, suffered

Course = tuple[tuple[Scene, int], ...]
(USUAL,) = (visits(recipe, chunk, recipe.random("chunk")) for recipe in [Recipe(1, 1)] for chunk in recipe.chunks())
FINE: Course = ((Scene.START, 300), (Scene.PLAY, 600_000))


def one_visit(
    ending: Ending = Ending.ENDED,
    *,
    habit: Habit = Habit.ORDINARY,
    forged: Forgery = Forgery.NONE,
    player: Player = Player.APP,
    screen: int = 1080,
) -> Visits:
    return replace(
        USUAL,
        ending=np.array([ending], np.int8),
        habit=np.array([habit], np.int8),
        forged=np.array([forged], np.int8),
        player=np.array([player], np.int8),
        screen=np.array([screen]),
        title=np.zeros(1, np.int8),
    )


def a_timeline(*course: tuple[Scene, int], rung: int = 0, hidden: bool = False, ad: bool = False) -> Timeline:
    scene = np.array([*(each for each, _ in course), Scene.END], np.int8)
    lasts = np.array([*(ms for _, ms in course), 0])
    owner = np.zeros(scene.size, np.int64)
    return Timeline(
        owner=owner,
        scene=scene,
        start_ms=from_start(owner, lasts),
        lasts_ms=lasts,
        rung=np.full(scene.size, rung, np.int8),
        hidden=np.full(scene.size, hidden),
        ad=np.full(scene.size, ad),
        sessions=1,
    )


def kinds(line: Timeline, seen: Visits | None = None) -> list[str]:
    (happened,) = suffered(seen or one_visit(), line, figures().playback).happened
    return [kind for kind, is_so in zip(KINDS, happened, strict=True) if is_so]


def stalls(*lasting: int, apart_ms: int = 60_000) -> Course:
    return tuple(each for ms in lasting for each in ((Scene.PLAY, apart_ms), (Scene.STALL, ms)))


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (FINE, []),
        ((*FINE, *stalls(14_999), (Scene.PLAY, 600_000)), []),
        ((*FINE, *stalls(15_000), (Scene.PLAY, 600_000)), ["playback_stalls"]),
        ((*FINE, *stalls(1_000, 1_000, 1_000)), ["playback_stalls"]),
        ((*FINE, *stalls(1_000, 1_000, 999)), []),
        ((*FINE, *stalls(1_000, 1_000, 1_000, apart_ms=149_501)), []),
        (((Scene.START, 300), (Scene.PLAY, 200_000), (Scene.STALL, 5_000)), ["playback_stalls"]),
        (((Scene.START, 300), (Scene.PLAY, 200_000), (Scene.STALL, 4_900)), []),
        (((Scene.START, 4_999), (Scene.PLAY, 60_000)), []),
        (((Scene.START, 5_000), (Scene.PLAY, 60_000)), ["slow_start"]),
        ((*FINE, (Scene.SEEK, 15_000), (Scene.PLAY, 9_000)), ["slow_seeks"]),
        ((*FINE, (Scene.SEEK, 14_999), (Scene.PLAY, 9_000)), []),
        ((*FINE, (Scene.SEEK, 1_900), (Scene.SEEK_AGAIN, 14_000), (Scene.PLAY, 9_000)), []),
        ((*FINE, (Scene.PAUSE, 900_000), (Scene.SEEK_PAUSED, 900_000), (Scene.PLAY, 9_000)), []),
        ((*FINE, (Scene.SLEEP, 900_000), (Scene.PLAY, 9_000)), []),
    ],
)
def test_waits(course: Course, expected: list[str]) -> None:
    assert kinds(a_timeline(*course)) == expected


@pytest.mark.parametrize(
    ("ending", "wait_ms", "expected"),
    [
        (Ending.NO_PICTURE, 3_000, ["playback_failed"]),
        (Ending.ABANDONED, 9_999, []),
        (Ending.ABANDONED, 10_000, ["playback_failed"]),
        (Ending.REFUSED, 60_000, []),
    ],
)
def test_who_never_had_a_picture(ending: Ending, wait_ms: int, expected: list[str]) -> None:
    assert kinds(a_timeline((Scene.START, wait_ms)), one_visit(ending)) == expected


def test_a_film_that_breaks_off_has_failed() -> None:
    assert kinds(a_timeline(*FINE), one_visit(Ending.BROKE_OFF)) == ["playback_failed"]


@pytest.mark.parametrize(
    ("rung", "screen", "expected"),
    [(0, 1080, []), (2, 1080, []), (3, 1080, ["low_quality"]), (3, 360, ["low_quality"]), (5, 2160, ["low_quality"])],
)
def test_a_picture_far_below_the_best(rung: int, screen: int, expected: list[str]) -> None:
    assert kinds(a_timeline(*FINE, rung=rung), one_visit(screen=screen)) == expected
    assert kinds(a_timeline((Scene.START, 300), (Scene.PLAY, 29_999), rung=rung), one_visit(screen=screen)) == []


def test_nobody_suffers_in_a_hidden_tab_or_in_advertising() -> None:
    course = (*FINE, *stalls(60_000), (Scene.SEEK, 60_000), (Scene.PLAY, 60_000))
    assert kinds(a_timeline(*course)) == ["playback_stalls", "slow_seeks"]
    assert kinds(a_timeline(*course, hidden=True)) == kinds(a_timeline(*course, ad=True)) == []


@pytest.mark.parametrize("nobody", [one_visit(habit=Habit.BOT), one_visit(forged=Forgery.NO_GRANT)])
def test_nobody_suffers_where_nobody_was(nobody: Visits) -> None:
    assert kinds(a_timeline(*FINE, *stalls(60_000)), nobody) == []


def test_the_graver_it_was_the_graver_it_counts() -> None:
    def severity(stall_ms: int) -> float:
        line = a_timeline(*FINE, (Scene.STALL, stall_ms), (Scene.PLAY, 600_000))
        return float(suffered(one_visit(), line, figures().playback).severity[0, 0])

    assert (severity(15_000), severity(30_000)) == pytest.approx((0.0, 0.5))


def test_dash_shows_a_film_that_stands_still_where_others_show_an_error() -> None:
    course = (*FINE, (Scene.STALL, 6_000), (Scene.STUCK, 12_000))
    assert kinds(a_timeline(*course), one_visit(Ending.BROKE_OFF)) == ["playback_failed"]
    on_dash = one_visit(Ending.BROKE_OFF, player=Player.DASH)
    assert kinds(a_timeline(*course), on_dash) == ["playback_stalls", "playback_failed"]
