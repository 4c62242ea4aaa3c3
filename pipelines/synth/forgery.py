"""Forged reports: what is written over honest records, and whose bad evening is told again under another name."""

from dataclasses import replace
from typing import Final

import numpy as np

from pipelines.synth.arrivals import Clocks
from pipelines.synth.players import Player
from pipelines.synth.population import Forgery, Visits
from pipelines.synth.recipe import HOUR_MS
from pipelines.synth.scenes import Bools, Ints, Scene, Timeline
from pipelines.synth.trace import Trace

ABSURD_KBPS: Final = 500_000_000

_ROUND_MS: Final = 60_000
_LATER_MS: Final = 20 * 60_000
_MANY_SCENES: Final = 10
"""A course of fewer is none that could be told from another: nobody can prove that it is a copy."""


def sources(seen: Visits, line: Timeline, failed: Bools, clock: Clocks, as_of: int) -> tuple[Ints, Ints]:
    """For each replay the session that it copies: one of the honest ones that `failed`, heard of at once.

    Returns:
      The sessions that are replays, and their sources; both empty where there is nobody to copy.
    """
    length_ms = line.length_ms
    replays = np.flatnonzero(seen.forged == Forgery.REPLAY)
    fits = failed & (seen.player == Player.APP) & (seen.forged == Forgery.NONE) & (clock.late_ms == 0)
    fits &= (np.abs(clock.skew_ms) < _ROUND_MS) & (clock.begun_at + 2 * length_ms + 2 * HOUR_MS < as_of)
    fits &= np.bincount(line.owner[line.scene != Scene.PLAY], minlength=line.sessions) >= _MANY_SCENES
    found = np.flatnonzero(fits)
    if not found.size:
        return replays[:0], found
    return replays, found[np.arange(replays.size) % found.size]


def replayed(told: Trace, replays: Ints, copied: Ints) -> Trace:
    """The records without the replays' own, and with those of their sources under the replays' names."""
    own = told.where(~np.isin(told.owner, replays))
    parts = [own]
    for replay, source in zip(replays, copied, strict=True):
        rows = slice(*np.searchsorted(own.owner, (source, source + 1)))
        taken = own.where(rows)
        parts.append(replace(taken, owner=np.full(taken.owner.size, replay)))
    columns = ("owner", "row", "at_ms", "say", "state")
    return Trace(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def moved(clock: Clocks, replays: Ints, copied: Ints, length_ms: Ints) -> Clocks:
    """The clocks with each replay some time after its source was over."""
    begun_at, skew, late, cut = (each.copy() for each in (clock.begun_at, clock.skew_ms, clock.late_ms, clock.cut_ms))
    begun_at[replays] = begun_at[copied] + length_ms[copied] + _LATER_MS + np.arange(replays.size) % 60 * 60_000
    skew[replays], late[replays], cut[replays] = 0, 0, length_ms[copied] + 1
    return Clocks(begun_at, skew, late, cut)


def tampered(seen: Visits, owner: Ints, event_time: Ints, top_kbps: Ints) -> tuple[Ints, Ints]:
    """Times and best data rates as forgers write them: one minute filled over and over, figures beyond belief."""
    absurd = (seen.forged == Forgery.IMPOSSIBLE_FIGURES)[owner]
    over = (seen.forged == Forgery.IMPOSSIBLE_TIME)[owner]
    return (
        np.where(over, event_time - event_time % HOUR_MS + event_time % _ROUND_MS, event_time),
        np.where(absurd, ABSURD_KBPS, top_kbps),
    )
