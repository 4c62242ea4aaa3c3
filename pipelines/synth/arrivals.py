"""How records reach the collector: by which clock they are told, how late, how often, and in what disorder."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.synth.population import Visits
from pipelines.synth.recipe import HOUR_MS
from pipelines.synth.scenes import Ints, begins
from pipelines.synth.trace import Say, Trace

_TRANSPORT_MS: Final = (40, 90)  # at least, and the mean beyond
_WRONG_CLOCKS: Final = 0.03
_MOST_SKEW_MS: Final = 48 * HOUR_MS
_OFFLINE: Final = 0.012
_CUT_OFF: Final = 0.008
_LATEST_MS: Final = 72 * HOUR_MS
_BATCHES: Final = 0.05
_BATCH_MS: Final = 15_000
_REPEATED: Final = 0.004
_REPEATED_WHOLE: Final = 0.003
_SPARE_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Clocks:
    """By session: when it truly began, how far ahead the client's clock is, and how late it is heard of.

    `cut_ms` is from when on, counted from its beginning, its player had no
    connection; what it reported from then on comes `late_ms` later.
    """

    begun_at: Ints
    skew_ms: Ints
    late_ms: Ints
    cut_ms: Ints


@dataclass(frozen=True, slots=True)
class Arrived:
    """Records as they lie in the files: `record` points into the trace; times are milliseconds since the epoch.

    Repeats are rows of their own. `sequence` counts within a session and a channel.
    """

    record: Ints
    event_time: Ints
    received_at: Ints
    sequence: Ints


def clocks(seen: Visits, length: Ints, as_of: int, rng: np.random.Generator) -> Clocks:
    """Most clocks are right within a second, a few wrong by up to two days; a few players are heard of days later.

    `length` is how long each session lasted, in milliseconds. All of it is over, and
    heard of, before the decision.
    """
    count = seen.count
    wrong = rng.random(count) < _WRONG_CLOCKS
    far = np.exp(rng.uniform(np.log(60_000), np.log(_MOST_SKEW_MS), count)) * rng.choice((-1, 1), count)
    skew = np.where(wrong, far, 300 * rng.standard_normal(count)).astype(np.int64)
    offline = rng.random(count) < _OFFLINE
    cut = rng.random(count) < _CUT_OFF
    late = np.exp(rng.uniform(np.log(HOUR_MS), np.log(_LATEST_MS - HOUR_MS), count)).astype(np.int64)
    late = np.where(offline | cut, late, 0)
    latest = as_of - length - late - _SPARE_MS
    return Clocks(
        begun_at=np.minimum(seen.begun_at, latest),
        skew_ms=skew,
        late_ms=late,
        cut_ms=np.where(offline, -1, np.where(cut, (rng.random(count) * length).astype(np.int64), length + 1)),
    )


def arrive(seen: Visits, told: Trace, clock: Clocks, rng: np.random.Generator) -> Arrived:
    """The records in the order in which they came."""
    owner = told.owner
    true_time = clock.begun_at[owner] + told.at_ms
    received = true_time + _delay_ms(told, clock, rng)
    sequence = _sequence(told)
    # What was not answered is sent again: so single records come twice rather than never.
    whole = rng.random(seen.count) < _REPEATED_WHOLE
    repeated = np.flatnonzero(whole[owner] | (rng.random(owner.size, dtype=np.float32) < _REPEATED))
    record = np.concatenate((np.arange(owner.size), repeated))
    again = received[repeated] + rng.integers(500, 30_000, repeated.size)
    received = np.concatenate((received, again))
    order = np.argsort(received, kind="stable")
    record = record[order]
    # A request is told by the server's clock alone; all else by the client's.
    skew = np.where(told.say[record] == Say.REQUEST, 0, clock.skew_ms[owner[record]])
    return Arrived(record, true_time[record] + skew, received[order], sequence[record])


def _delay_ms(told: Trace, clock: Clocks, rng: np.random.Generator) -> Ints:
    least, beyond = _TRANSPORT_MS
    delay = (least + beyond * rng.standard_exponential(told.owner.size, dtype=np.float32)).astype(np.int64)
    batched = rng.random(clock.begun_at.size) < _BATCHES
    waits = np.where(batched[told.owner], _BATCH_MS - told.at_ms % _BATCH_MS, 0)
    late = told.at_ms > clock.cut_ms[told.owner]
    # What waited for a connection comes all at once.
    delayed = np.where(late, clock.late_ms[told.owner], 0)
    return delay + waits + delayed


def _sequence(told: Trace) -> Ints:
    """Each record's number in its session; requests have a count of their own."""
    number = np.arange(told.owner.size)
    request = told.say == Say.REQUEST
    sequence = np.zeros(number.size, np.int64)
    for marks in (request, ~request):
        rows = np.flatnonzero(marks)
        owner = told.owner[rows]
        place = np.arange(rows.size)
        sequence[rows] = place - np.maximum.accumulate(np.where(begins(owner), place, 0))
    return sequence
