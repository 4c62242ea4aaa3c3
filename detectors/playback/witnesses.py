"""What the CDN's access log has to say to a visit's failures.

A log shows what the server was asked for, when, and how long its answers took by
its own clock. It does not show what was on the screen, and what a request says in
its CMCD is the player's own word, though spoken at the time. So it bears a wait out
only by what the server measured itself, a slow or failed answer, and it speaks
against a wait where the player went on asking for the picture with enough of it
in its buffer. Where neither is so, it cannot tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from detectors.playback.groups import Bools, Floats, Groups, Ints
from detectors.playback.records import Records
from detectors.playback.rules import FULL_BUFFER_MS
from detectors.playback.spans import Spans, spans
from detectors.playback.timeline import Course, Mode, among
from detectors.schemas import Channel

SLOW_MS: Final = 1_000
"""An answer that took this long may have kept a viewer waiting: on a good line a piece of film takes a third of it."""

ALIGN_MS: Final = 2_000
"""The two clocks are laid upon each other by the quickest report, which was still on its way for a while."""

FEWEST_REQUESTS: Final = 3
"""Fewer requests for the picture have no mean."""

_APART: Final = 2.0  # a picture twice as good as the player says
_ALIKE: Final = 1.5  # neighbouring renditions are about this far apart
_CLIENT_ERROR: Final = 400

_WAITS: Final[Mapping[str, tuple[Mode, ...]]] = {
    "playback_stalls": (Mode.STALL,),
    "slow_start": (Mode.START,),
    "playback_failed": (Mode.START, Mode.STALL),
    "slow_seeks": (Mode.SEEK,),
}
"""The waits of which each kind of failure consists. A low picture has none."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Marks by session row and kind of failure: what the log bears out, and what it speaks against."""

    corroborated: Mapping[str, Bools]
    contradicted: Mapping[str, Bools]


@dataclass(frozen=True, slots=True)
class _Log:
    """Requests by session row, then by the server's time; `took_ms` is zero and figures are NaN where unknown."""

    session: Ints
    at: Ints
    took_ms: Ints
    failed: Bools
    buffer_ms: Floats
    bitrate_kbps: Floats  # of the picture alone: what was asked for as sound has none


def verdicts(records: Records, record: Ints, sessions: Groups, course: Course) -> Verdicts | None:
    """What the access log says of the sessions of `course`; null where it has none of their requests.

    Args:
      records: All records.
      record: The numbers of those that belong to these sessions.
      sessions: To which of these each belongs.
      course: What their timelines came to.
    """
    logged = records.channel[record] == Channel.ACCESS_LOG
    if not logged.any() or not records.has("received_at"):
        return None
    log = _log(records, record[logged], sessions.of[logged])
    stretches = spans(course)
    waits = np.flatnonzero(among(stretches.mode, (Mode.START, Mode.STALL, Mode.SEEK)) & (stretches.counted_ms > 0))
    ahead, known = _clock_ahead(records, course)
    waits = waits[known[stretches.sessions.of[waits]]]
    borne_out, spoken_against = _judge(log, stretches, waits, ahead)
    corroborated: dict[str, Bools] = {}
    contradicted: dict[str, Bools] = {}
    for kind, modes in _WAITS.items():
        of_kind = among(stretches.mode[waits], modes)
        said, good, bad = (
            _summed(stretches, waits[of_kind & marks])
            for marks in (np.ones(waits.size, np.bool_), borne_out, spoken_against)
        )
        # Most of the wait must be borne out, and none contradicted; a quarter is too much to be the clocks' error.
        corroborated[kind] = (said > 0) & (2 * good >= said) & (bad == 0)
        contradicted[kind] = (said > 0) & (4 * bad >= said) & (bad > good)
    corroborated["low_quality"], contradicted["low_quality"] = _picture(records, course, log)
    return Verdicts(corroborated, contradicted)


def _log(records: Records, record: Ints, owner: Ints) -> _Log:
    at = records.frame["event_time"].gather(records.row[record]).to_numpy()
    order = np.lexsort((at, owner))
    rows = records.row[record[order]]

    def figures(name: str) -> Floats:
        if not records.has(name):
            return np.full(rows.size, np.nan)
        return records.frame[name].gather(rows).cast(pl.Float64).fill_null(np.nan).to_numpy()

    status = figures("http_status")
    return _Log(
        session=owner[order],
        at=at[order],
        took_ms=np.nan_to_num(figures("transfer_ms")).astype(np.int64),
        failed=status >= _CLIENT_ERROR,
        buffer_ms=figures("buffer_ms"),
        bitrate_kbps=figures("bitrate_kbps"),
    )


def _clock_ahead(records: Records, course: Course) -> tuple[Ints, Bools]:
    """The server's clock minus the client's, by the quickest report, and where that is known."""
    received_at = records.frame["received_at"].gather(records.row[course.record])
    arrived = received_at.is_not_null().to_numpy()
    never = np.int64(2**62)
    lag = np.where(arrived, received_at.fill_null(0).to_numpy() - course.at, never)
    least = course.sessions.least(lag, int(never))
    return np.where(least < never, least, 0), least < never


def _judge(log: _Log, stretches: Spans, waits: Ints, ahead: Ints) -> tuple[Bools, Bools]:
    """Marks on the waits that the log bears out, and on those that it speaks against."""
    session = stretches.sessions.of[waits]
    since = stretches.started_at[waits] + ahead[session]
    until = stretches.ended_at[waits] + ahead[session]
    slow = log.failed | (log.took_ms >= SLOW_MS)
    # Under way during the wait: begun before its end, and not over before its beginning.
    begun = _before(log, slow, log.at, session, until + ALIGN_MS)
    over = _before(log, slow, log.at + log.took_ms, session, since - ALIGN_MS)
    of_picture = ~np.isnan(log.bitrate_kbps) & ~np.isnan(log.buffer_ms)
    full = of_picture & ~log.failed & (log.buffer_ms > FULL_BUFFER_MS)
    closing = np.maximum(until - ALIGN_MS, since)
    asked_full, asked_else = (
        _before(log, marks, log.at, session, closing) - _before(log, marks, log.at, session, since)
        for marks in (full, of_picture & ~full)
    )
    spoken_against = (asked_full > 0) & (asked_else == 0)
    return (begun > over) & ~spoken_against, spoken_against


def _before(log: _Log, marks: Bools, at: Ints, session: Ints, moment: Ints) -> Ints:
    """How many marked requests of each session lie before a moment, in the order of `at`."""
    if not session.size:
        return np.zeros(0, np.int64)
    low = min(int(at.min()), int(moment.min()))
    width = max(int(at.max()), int(moment.max())) - low + 1
    place = np.sort(log.session[marks] * width + (at[marks] - low))
    found: Ints = np.searchsorted(place, session * width + (moment - low)) - np.searchsorted(place, session * width)
    return found


def _summed(stretches: Spans, waits: Ints) -> Ints:
    return Groups.by(stretches.sessions.of[waits], stretches.sessions.count).sum(stretches.counted_ms[waits])


def _picture(records: Records, course: Course, log: _Log) -> tuple[Bools, Bools]:
    """Whether the picture that was asked for is about the one that the player reports, or far better."""
    count = course.sessions.count
    asked = _mean(log.session, log.at, log.bitrate_kbps, count)
    said = np.full(course.record.size, np.nan)
    if records.has("bitrate_kbps"):
        values = records.frame["bitrate_kbps"].gather(records.row[course.record])
        said = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    ratio = asked / _mean(course.sessions.of, course.at, said, count)
    return (ratio <= _ALIKE) & (ratio >= 1 / _ALIKE), ratio >= _APART


def _mean(owner: Ints, at: Ints, values: Floats, count: int) -> Floats:
    """The mean over time of what is known by session row; NaN where that is little, or nothing.

    Each value holds until the next: after a shortage players ask for many good
    pieces at once, which are soon fetched and long watched.
    """
    known = np.flatnonzero(~np.isnan(values) & (values > 0))
    owner, at, values = owner[known], at[known], values[known]
    lasted = np.maximum(np.diff(at, append=at[-1:]), 0)
    lasted[:-1][owner[1:] != owner[:-1]] = 0
    number = np.bincount(owner, minlength=count)
    time = np.bincount(owner, weights=lasted, minlength=count)
    total = np.bincount(owner, weights=values * lasted, minlength=count)
    return np.where((number >= FEWEST_REQUESTS) & (time > 0), total / np.maximum(time, 1), np.nan)
