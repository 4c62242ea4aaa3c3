"""Who watched what, on what, through what, when and how it ended: a row a session, at the published base rates."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from pipelines.synth.players import CMCD
from pipelines.synth.recipe import HOUR_MS, Chunk, Recipe, TelemetryFormat
from pipelines.synth.scenes import BROKEN, UNSEEN, Bools, Codes, Ending, Floats, Ints


class Habit(IntEnum):
    """What kind of viewer it is."""

    ORDINARY = 0
    SCRUBBER = 1
    PAUSER = 2
    BACKGROUND = 3
    ZAPPER = 4
    BOT = 5


class Forgery(IntEnum):
    """Who says what never happened."""

    NONE = 0
    NO_GRANT = 1  # a visit that the service never allowed
    IMPOSSIBLE_FIGURES = 2
    IMPOSSIBLE_TIME = 3
    REPLAY = 4  # somebody's bad evening under another name


CDNS: Final = ("cdn-a", "cdn-b", "cdn-c", "cdn-d")
ISPS: Final = ("as64500", "as64501", "as64502", "as64503", "as64504", "as64505")
DEVICES: Final = ("tv", "phone", "desktop", "tablet", "console")
VERSIONS: Final = ("7.1.0", "7.1.2", "7.2.0")
TITLES: Final = 40
LADDER: Final = np.array([1.0, 0.6, 0.35, 0.2, 0.1, 0.04])
"""The renditions of every title as shares of its best data rate, the best first."""

HEIGHTS: Final = np.array([[1080, 720, 540, 360, 240, 144], [2160, 1440, 1080, 540, 360, 234]])
_TOPS: Final = np.array([4_200, 5_800, 7_400, 9_000, 14_000, 16_000])
"""The best data rates of titles, in kbit/s; the last two are of titles in ultra high definition."""

_SCREENS: Final = np.array([2160, 1080, 720, 480, 360])
_CDN_SHARES: Final = (0.45, 0.3, 0.15, 0.1)
_HABITS: Final = (0.63, 0.06, 0.1, 0.05, 0.15, 0.01)

# Of all visits 0.5 % never get a picture and 0.2 % break off: the order of what the field reports for technical
# failures; few who leave before the picture have waited for long.
_ENDINGS: Final = {
    Ending.ENDED: 0.3,
    Ending.LEFT: 0.498,
    Ending.KILLED: 0.171,
    Ending.BROKE_OFF: 0.002,
    Ending.NO_PICTURE: 0.005,
    Ending.ABANDONED: 0.02,
    Ending.REFUSED: 0.002,
    Ending.GAVE_UP: 0.002,
}
_PLAYERS: Final[dict[TelemetryFormat, tuple[float, ...]]] = {
    "mixed": (0.4, 0.25, 0.15, 0.1, 0.08, 0.02),
    "parquet": (0.6, 0.4, 0, 0, 0, 0),
    "jsonl": (0.6, 0.4, 0, 0, 0, 0),
    "cmcd": (0, 0, 0.42, 0.3, 0.22, 0.06),
}
_POOR_LINE_SHARE: Final = 0.006
_SLOW_JUMPS_SHARE: Final = 0.08  # of those who look for scenes
_BEAT_MS: Final = 10_000
_BESIDE_BEATS: Final = 8  # records of a session that are no heartbeats, on average
_SPREAD: Final = (
    1.3  # of the logarithm of watched time: one in a hundred watches twenty times as long as the middle one
)
_LONGEST_MS: Final = 6 * HOUR_MS
_SESSIONS_A_CUSTOMER: Final = 1.4
_EVENING: Final = (30 * HOUR_MS, 7 * HOUR_MS)
"""From when to when before the decision visits begin."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Sessions as columns. `begun_at` is true time, in ms since the epoch; `play_ms` is what is to be watched."""

    session_id: tuple[str, ...]
    customer: Ints
    customers: int
    begun_at: Ints
    play_ms: Ints
    player: Codes
    habit: Codes
    ending: Codes
    title: Codes
    screen: Ints
    cdn: Codes
    isp: Codes
    device: Codes
    version: Codes
    poor_line: Bools  # kept far below what it was promised
    slow_jumps: Bools  # each jump waits for seconds
    forged: Codes
    struck: Bools  # by what broke at large

    @property
    def count(self) -> int:
        """The number of sessions."""
        return self.begun_at.size

    @property
    def top_kbps(self) -> Ints:
        """The best data rate of each session's title."""
        tops: Ints = _TOPS[self.title % _TOPS.size]
        return tops

    @property
    def is_uhd(self) -> Bools:
        """Whether the title has ultra high definition."""
        return self.title % _TOPS.size >= _TOPS.size - 2


def visits(recipe: Recipe, chunk: Chunk, rng: np.random.Generator) -> Visits:
    """The sessions of one part of the night."""
    count = chunk.sessions
    habit = _one_of(rng, count, _HABITS)
    player = _one_of(rng, count, _PLAYERS[recipe.telemetry])
    ending = np.array([*_ENDINGS])[_one_of(rng, count, tuple(_ENDINGS.values()))].astype(np.int8)
    ending[(habit == Habit.BOT) & np.isin(ending, (*UNSEEN, *BROKEN))] = Ending.KILLED
    customers = max(1, int(count / _SESSIONS_A_CUSTOMER))
    customer = rng.integers(0, customers, count)
    return Visits(
        session_id=_ids(rng, count),
        customer=customer,
        customers=customers,
        begun_at=recipe.as_of - _begun_before(rng, chunk),
        play_ms=_play_ms(rng, recipe, habit),
        player=player,
        habit=habit,
        ending=ending,
        title=_one_of(rng, customers, _falling(TITLES))[customer],  # each has ordered one
        screen=_SCREENS[_one_of(rng, count, (0.15, 0.4, 0.2, 0.15, 0.1))],
        cdn=_one_of(rng, count, _CDN_SHARES),
        isp=_one_of(rng, count, _falling(len(ISPS))),
        device=_one_of(rng, count, (0.4, 0.3, 0.2, 0.07, 0.03)),
        version=_one_of(rng, count, (0.2, 0.3, 0.5)),
        poor_line=rng.random(count) < _POOR_LINE_SHARE,
        slow_jumps=(rng.random(count) < _SLOW_JUMPS_SHARE) & (habit == Habit.SCRUBBER),
        forged=np.zeros(count, np.int8),
        struck=np.zeros(count, np.bool_),
    )


def _one_of(rng: np.random.Generator, count: int, shares: tuple[float, ...]) -> Codes:
    bounds = np.cumsum(shares) / np.sum(shares)
    return np.minimum(np.searchsorted(bounds, rng.random(count)), len(shares) - 1).astype(np.int8)


def _falling(count: int) -> tuple[float, ...]:
    """Shares of which the first is much the largest, as with titles and networks."""
    return tuple(1 / (place + 2) for place in range(count))


def _ids(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    text = rng.bytes(16 * count).hex()
    parts = (text[at : at + 32] for at in range(0, len(text), 32))
    return tuple(f"{p[:8]}-{p[8:12]}-{p[12:16]}-{p[16:20]}-{p[20:]}" for p in parts)


def _begun_before(rng: np.random.Generator, chunk: Chunk) -> Ints:
    """How long before the decision each visit began: most in the middle of the evening, none in the last hours."""
    low, high = chunk.share
    part = low + rng.random(chunk.sessions) * (high - low)
    half = 1 / 2
    risen = np.where(part < half, np.sqrt(part / 2), 1 - np.sqrt((1 - part) / 2))
    since, until = _EVENING
    return (since - risen * (since - until)).astype(np.int64)


def _play_ms(rng: np.random.Generator, recipe: Recipe, habit: Codes) -> Ints:
    """Log-normal: most watch for minutes, few for hours. A record of CMCD has a request or its answer beside it."""
    share_of_cmcd = sum(_PLAYERS[recipe.telemetry][each] for each in CMCD)
    beats = max(recipe.events_per_session - _BESIDE_BEATS, 1.0) / (1 + share_of_cmcd)
    middle = beats * _BEAT_MS / np.exp(_SPREAD**2 / 2)
    lasts: Floats = middle * np.exp(_SPREAD * rng.standard_normal(habit.size))
    short = np.isin(habit, (Habit.ZAPPER, Habit.BOT))
    lasts = np.where(short, 3_000 + rng.exponential(9_000, habit.size), lasts * 1.18)
    return np.clip(lasts, 1_500, _LONGEST_MS).astype(np.int64)
