"""What befalls many visits: a CDN that breaks for part of an evening, and forgers."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pipelines.synth.players import Player
from pipelines.synth.population import CDNS, Forgery, Habit, Visits
from pipelines.synth.recipe import HOUR_MS, Recipe
from pipelines.synth.scenes import UNSEEN, Codes, Ending

_OUTAGES: Final = 0.35
"""So many nights have one."""

_STRUCK: Final = 0.4
_WITHOUT_PICTURE: Final = 0.4
_FORGED_MS: Final = 360_000  # at least: shorter ones could have been
_FORGERIES: Final = {
    Forgery.NO_GRANT: 0.002,
    Forgery.IMPOSSIBLE_FIGURES: 0.0006,
    Forgery.IMPOSSIBLE_TIME: 0.0006,
    Forgery.REPLAY: 0.001,
}


@dataclass(frozen=True, slots=True)
class Outage:
    """A CDN that fails its viewers for a while; times are milliseconds since the epoch."""

    cdn: int
    since: int
    until: int

    @property
    def name(self) -> str:
        """As truth calls it."""
        return f"outage of {CDNS[self.cdn]}"


def outage(recipe: Recipe) -> Outage | None:
    """The night's outage, if it has one."""
    rng = recipe.random("night")
    if recipe.healthy or rng.random() > _OUTAGES:
        return None
    since = recipe.as_of - int(rng.uniform(12, 24) * HOUR_MS)
    return Outage(int(rng.integers(1, len(CDNS))), since, since + int(rng.uniform(0.5, 2) * HOUR_MS))


def troubled(recipe: Recipe, seen: Visits, broken: Outage | None, rng: np.random.Generator) -> Visits:
    """The same visits, those at the time of the outage struck by it, and some of them forged."""
    if recipe.healthy:
        return seen
    ending, struck = seen.ending.copy(), seen.struck
    if broken:
        there = (seen.cdn == broken.cdn) & (seen.begun_at >= broken.since) & (seen.begun_at < broken.until)
        struck = there & (rng.random(seen.count) < _STRUCK) & (seen.habit != Habit.BOT)
        ending[struck & (rng.random(seen.count) < _WITHOUT_PICTURE)] = Ending.NO_PICTURE
    forged = _forged(recipe, seen, rng)
    faked = forged != Forgery.NONE
    ending[faked & np.isin(ending, UNSEEN)] = Ending.LEFT
    return replace(
        seen,
        ending=ending,
        struck=struck & ~faked,
        forged=forged,
        habit=np.where(faked, Habit.ORDINARY, seen.habit).astype(np.int8),
        player=np.where(faked, Player.APP, seen.player).astype(np.int8),
        play_ms=np.where(faked, np.maximum(seen.play_ms, _FORGED_MS), seen.play_ms),
    )


def _forged(recipe: Recipe, seen: Visits, rng: np.random.Generator) -> Codes:
    """Forgeries are canonical beacons: where a night has none, nobody forges anything."""
    forged = np.zeros(seen.count, np.int8)
    if recipe.telemetry == "cmcd":
        return forged
    chance = rng.random(seen.count)
    bounds = np.cumsum([*_FORGERIES.values()])
    kinds = np.array([*_FORGERIES, Forgery.NONE], np.int8)
    return kinds[np.searchsorted(bounds, chance, side="right")]
