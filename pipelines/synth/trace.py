"""What players report of a course: changes of state, heartbeats, errors and last words, as records in columns."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from pipelines.synth.players import CMCD, HABITS, SAMPLE, Player
from pipelines.synth.population import Habit, Visits
from pipelines.synth.scenes import BROKEN, Bools, Codes, Ending, Ints, Scene, Timeline, begins

BEAT_MS: Final = 10_000
LAST_WORD_ARRIVES: Final = 0.63
"""Of what a page sends as it is closed, so much arrives."""

_UNSENT_MS: Final = 6_000
"""What an app has not sent yet when it is killed is lost: up to so much of it."""

_NOTHING_NEW: Final = len(Scene)
_ANSWER_MS: Final = 300


class Say(IntEnum):
    """What a record is."""

    STATE = 0
    BEAT = 1
    SWITCH = 2  # of the rendition
    ERROR = 3
    RESPONSE = 4  # how a request was answered
    REQUEST = 5
    LAST = 6
    HIDE = 7  # the tab is closed


@dataclass(frozen=True, slots=True)
class Trace:
    """Records, a row each, by session and in the order in which the player made them; `at_ms` is from its beginning.

    `row` is the scene during which a record was made; `state` is -1 where it says none.
    """

    owner: Ints
    row: Ints
    at_ms: Ints
    say: Codes
    state: Codes

    def where(self, kept: Bools | slice) -> "Trace":
        """The marked records, or those of a stretch."""
        return Trace(self.owner[kept], self.row[kept], self.at_ms[kept], self.say[kept], self.state[kept])


@dataclass(frozen=True, slots=True)
class _Plan:
    """How many records of which sort each scene leaves, in this order."""

    player: Codes
    scene: Ints  # as the players' table knows it, or `_NOTHING_NEW`
    turns: Ints
    switched: Ints
    errors: Ints
    beats: Ints
    beside: Ints  # 2 where a request or its answer stands beside each heartbeat, else 1
    first_beat_ms: Ints


def trace(seen: Visits, line: Timeline, rng: np.random.Generator) -> Trace:
    """The records that these courses leave, in order."""
    plan = _plan(seen, line, rng)
    size = plan.turns + plan.switched + plan.errors + plan.beats * plan.beside
    row = np.repeat(np.arange(line.owner.size), size)
    turn = np.arange(row.size) - (np.cumsum(size) - size)[row]
    made = Trace(
        owner=line.owner[row],
        row=row,
        at_ms=line.start_ms[row],
        say=np.full(row.size, Say.BEAT, np.int8),
        state=np.full(row.size, SAMPLE, np.int8),
    )
    _tell_states(line, plan, made, turn)
    _tell_troubles(line, plan, made, turn)
    _tell_beats(line, plan, made, turn)
    _tell_ends(seen, line, made)
    return made.where(_arrives(seen, line, made, rng))


def _plan(seen: Visits, line: Timeline, rng: np.random.Generator) -> _Plan:
    player = seen.player[line.owner]
    is_cmcd = np.isin(player, CMCD)
    goes_on = _goes_on(line)
    scene = np.where(goes_on, _NOTHING_NEW, line.scene.astype(np.int64))
    known = np.minimum(scene, Scene.END)
    phase = rng.integers(0, BEAT_MS, seen.count)[line.owner]
    since = line.start_ms + phase
    beats = (since + line.lasts_ms) // BEAT_MS - since // BEAT_MS
    return _Plan(
        player=player,
        scene=known,
        turns=np.where(goes_on, 0, np.where(line.scene == Scene.END, 1, HABITS.count[player, known])),
        switched=(goes_on & is_cmcd & (line.scene == Scene.PLAY)).astype(np.int64),
        errors=(_troubles(seen, line) & is_cmcd).astype(np.int64),
        beats=np.where(_silent(seen, line), 0, beats),
        beside=1 + is_cmcd,
        first_beat_ms=(since // BEAT_MS + 1) * BEAT_MS - phase,
    )


def _goes_on(line: Timeline) -> Bools:
    """Marks scenes that are no news: play after play, in the same tab and no advertising; play after sleep."""
    before = np.arange(line.owner.size) - 1
    same = (line.owner == line.owner[before]) & (line.scene == Scene.PLAY)
    same &= (line.hidden == line.hidden[before]) & (line.ad == line.ad[before])
    news: Bools = same & np.isin(line.scene[before], (Scene.PLAY, Scene.SLEEP))
    news[:1] = False
    return news


def _troubles(seen: Visits, line: Timeline) -> Bools:
    """Marks the wait in which a session breaks, whose request fails, and the screen that shows the error."""
    shown = (line.scene == Scene.STUCK) & (seen.player[line.owner] != Player.HLS)
    troubles: Bools = np.isin(seen.ending, BROKEN)[line.owner] & (line.last_waits | shown)
    return troubles


def _silent(seen: Visits, line: Timeline) -> Bools:
    """Marks scenes without heartbeats: with the lid closed; and a television is silent while nothing moves."""
    still = line.is_scene(Scene.PAUSE, Scene.PAUSE_IN_STALL, Scene.SEEK_PAUSED, Scene.STUCK, Scene.PRELOAD)
    quiet = line.is_scene(Scene.SLEEP, Scene.END) | (still & (seen.player[line.owner] == Player.TV))
    silent: Bools = quiet | (seen.habit == Habit.BOT)[line.owner]
    return silent


def _tell_states(line: Timeline, plan: _Plan, made: Trace, turn: Ints) -> None:
    told = np.flatnonzero(turn < plan.turns[made.row])
    row = made.row[told]
    key = plan.player[row], plan.scene[row], turn[told]
    made.say[told] = Say.STATE
    made.state[told] = HABITS.state[key]
    made.at_ms[told] += np.minimum(HABITS.offset_ms[key], line.lasts_ms[row])


def _tell_troubles(line: Timeline, plan: _Plan, made: Trace, turn: Ints) -> None:
    place = turn - plan.turns[made.row]
    switch = np.flatnonzero((place == 0) & (plan.switched[made.row] == 1))
    made.say[switch] = Say.SWITCH
    error = np.flatnonzero((place == 0) & (plan.errors[made.row] == 1))
    row = made.row[error]
    is_shown = line.scene[row] == Scene.STUCK
    made.say[error] = np.where(is_shown, Say.ERROR, Say.RESPONSE)
    made.at_ms[error] += np.where(is_shown, 0, np.minimum(_ANSWER_MS, line.lasts_ms[row]))


def _tell_beats(line: Timeline, plan: _Plan, made: Trace, turn: Ints) -> None:
    """Heartbeats confirm the state, except a television's; requests and their answers take turns at their side."""
    number = turn - (plan.turns + plan.switched + plan.errors)[made.row]
    beat = np.flatnonzero(number >= 0)
    row = made.row[beat]
    count, beside = np.divmod(number[beat], plan.beside[row])
    # What a scene's beginning says is said before its first heartbeat.
    said = HABITS.offset_ms[plan.player, plan.scene, np.maximum(plan.turns - 1, 0)]
    opened = line.start_ms + np.minimum(np.where(plan.turns > 0, said, 0), line.lasts_ms)
    made.at_ms[beat] = np.maximum(plan.first_beat_ms[row] + count * BEAT_MS, opened[row])
    lone = beat[beside == 1]
    made.say[lone] = np.where(count[beside == 1] % 2 == 0, Say.RESPONSE, Say.REQUEST)
    confirms = beat[(beside == 0) & (plan.player[row] != Player.TV)]
    made.state[confirms] = _standing(line, plan)[made.row[confirms]]


def _standing(line: Timeline, plan: _Plan) -> Codes:
    """The state that stands during each scene: the last one that its session's player has named."""
    last = np.where(plan.turns > 0, HABITS.state[plan.player, plan.scene, np.maximum(plan.turns - 1, 0)], SAMPLE)
    at = np.maximum.accumulate(np.where(last != SAMPLE, np.arange(last.size), -1))
    known = (at >= 0) & (line.owner[at] == line.owner)
    return np.where(known, last[at], SAMPLE).astype(np.int8)


def _tell_ends(seen: Visits, line: Timeline, made: Trace) -> None:
    end = np.flatnonzero(line.scene[made.row] == Scene.END)
    player, ending = seen.player[made.owner[end]], seen.ending[made.owner[end]]
    made.state[end] = HABITS.last_word[player, ending]
    closes = np.isin(player, (Player.SHAKA, Player.SHAKA_DEBUG)) & np.isin(ending, (Ending.LEFT, Ending.GAVE_UP))
    made.say[end] = np.where(closes, Say.HIDE, Say.LAST)


def _arrives(seen: Visits, line: Timeline, made: Trace, rng: np.random.Generator) -> Bools:
    """Marks what ever arrives: of last words at closing 63 %, and of killed apps what had been sent by then."""
    unsaid = (made.say == Say.LAST) & (made.state == SAMPLE)
    closing = np.isin(made.say, (Say.LAST, Say.HIDE)) & (seen.ending[made.owner] != Ending.ENDED)
    lost = closing & (rng.random(seen.count) > LAST_WORD_ARRIVES)[made.owner]
    killed = seen.ending == Ending.KILLED
    sent_ms = line.length_ms - np.where(killed, rng.integers(0, _UNSENT_MS, seen.count), -1)
    arrives: Bools = ~(unsaid | lost) & ((made.at_ms <= sent_ms[made.owner]) | begins(made.owner))
    return arrives
