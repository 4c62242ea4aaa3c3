"""Which records of a partition are used, in which order, and to which session row each belongs."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from detectors.playback.groups import Bools, Codes, Floats, Groups, Ints, changes
from detectors.playback.ordering import Ordered, in_order
from detectors.playback.rules import SKEW_TOLERANCE_MS, Timeline
from detectors.schemas import Channel

OWN_CLOCK: Final = (Channel.BEACON, Channel.CMCD_EVENT, Channel.CMCD_RESPONSE)
"""Channels whose `event_time` was read off the client's clock."""

_FAR: Final = 2**62


@dataclass(frozen=True, slots=True)
class Records:
    """The records in use, sorted by session row, in each the witnesses before the timeline.

    `row` points into `frame`; `time` is on the client's clock (server minus client
    is `skew_ms`, 0 where they agree); `duplicates` belong to the record that
    was kept of them. Rows of the frame = records in use + `duplicate` + `late`.
    """

    frame: pl.DataFrame
    row: Ints
    sessions: Groups
    time: Ints
    channel: Codes
    session_id: pl.Series
    skew_ms: Ints
    duplicates: Ints
    duplicate: int
    late: int
    _numbers: dict[str, Floats] = field(default_factory=dict)

    @property
    def timeline(self) -> Bools:
        """Marks the records that report the player's own course, not a request's."""
        return self.channel <= Channel.CMCD_EVENT

    def has(self, name: str) -> bool:
        """Whether any record of the frame carries a value of that name."""
        return name in self.frame.columns and self.frame[name].null_count() < self.frame.height

    def known(self, name: str) -> Bools:
        """Marks the records that carry a value of that name."""
        if not self.has(name):
            return np.zeros(self.row.size, np.bool_)
        if name in self._numbers:
            return ~np.isnan(self._numbers[name])
        if self.frame[name].null_count() == 0:
            return np.ones(self.row.size, np.bool_)
        return self.frame[name].is_not_null().to_numpy()[self.row]

    def numbers(self, name: str) -> Floats:
        """The values of a numeric column, NaN where unknown; not to be written, since others read them, too."""
        if not self.has(name):
            return np.full(self.row.size, np.nan)
        if name not in self._numbers:
            self._numbers[name] = self.frame[name].to_numpy()[self.row].astype(np.float64, copy=False)
        return self._numbers[name]

    def whole(self, name: str) -> Ints:
        """The values of a column of whole numbers, 0 where unknown."""
        return self.frame[name].fill_null(0).to_numpy()[self.row]

    def codes(self, name: str) -> Codes:
        """The physical values of an enumeration or truth column, -1 where unknown."""
        if not self.has(name):
            return np.full(self.row.size, -1, np.int8)
        return self.frame[name].to_physical().cast(pl.Int8).fill_null(-1).to_numpy()[self.row]

    def texts(self, name: str, at: Ints) -> pl.Series:
        """Text values at record numbers, null where the number is -1."""
        if not self.has(name):
            return pl.repeat(None, at.size, dtype=pl.String, eager=True).alias(name)
        rows = pl.Series(self.row[at], dtype=pl.Int64).set(pl.Series(at < 0), None)
        return self.frame[name].gather(rows).cast(pl.String)


def select(events: pl.DataFrame, rules: Timeline) -> Records:
    """The records to use: each once, none late, ordered, split where a session fell silent.

    Args:
      events: `schemas.EVENTS`, at least one row, in any order; a column that is null
        throughout may be left out.
      rules: `allowed_lateness_ms` and `session_gap_ms` are used.
    """
    order = in_order(events)
    code, channel = order.code, order.channel
    time = events["event_time"].to_numpy()[order.row]
    skew, late = _clocks(events, order, time, rules.allowed_lateness_ms)
    if skew.any():
        time = time - np.where(np.isin(channel, OWN_CLOCK), 0, skew[code])
    row, repeats = order.row, order.repeats
    if late.any():
        row, code, time, repeats = (each[~late] for each in (row, code, time, repeats))
        channel = channel[~late]
    part, owner = _parts(code, time, rules.session_gap_ms)
    turn = _turns(part, channel, time)
    if turn is not None:
        row, part, time, repeats = (each[turn] for each in (row, part, time, repeats))
        channel = channel[turn]
    sessions = Groups.by(part, owner.size)
    return Records(
        frame=events,
        row=row,
        sessions=sessions,
        time=time,
        channel=channel,
        session_id=order.session_id.gather(owner),
        skew_ms=skew[owner],
        duplicates=sessions.sum(repeats),
        duplicate=events.height - order.row.size,
        late=int(late.sum()),
    )


def _clocks(events: pl.DataFrame, order: Ordered, time: Ints, allowed_ms: int) -> tuple[Ints, Bools]:
    """The server's clock minus the client's by session id, and marks on late records.

    The least time between an own-clock record and its arrival is transport; where
    it is beyond `SKEW_TOLERANCE_MS`, either way, it is the clock's error.
    """
    skew, late = np.zeros(order.session_id.len(), np.int64), np.zeros(time.size, np.bool_)
    if "received_at" not in events.columns:
        return skew, late
    received_at = events["received_at"]
    arrived = received_at.is_not_null().to_numpy()[order.row]
    lag = received_at.fill_null(0).to_numpy()[order.row] - time
    lag[~arrived] = 0
    if lag.min() >= -SKEW_TOLERANCE_MS and lag.max() <= min(SKEW_TOLERANCE_MS, allowed_ms):
        return skew, late
    own = np.isin(order.channel, OWN_CLOCK)
    least = Groups.by(order.code, skew.size).least(np.where(own & arrived, lag, _FAR), _FAR)
    skew = np.where((np.abs(least) > SKEW_TOLERANCE_MS) & (least < _FAR), least, 0)
    late = arrived & (lag - np.where(own, skew[order.code], 0) > allowed_ms)
    return skew, late


def _parts(code: Ints, time: Ints, gap_ms: int) -> tuple[Ints, Ints]:
    """The session row of each record, counted in order, and the session id of each session row."""
    ids = Groups.by(code, int(code[-1]) + 1 if code.size else 0)
    wide = ids.greatest(time, 0) - ids.least(time, 0) > gap_ms
    silences = np.zeros(code.size, np.int64)
    if wide.any():
        among = np.flatnonzero(wide[code])
        by_time = among[np.lexsort((time[among], code[among]))]
        silent = ~changes(code[by_time])
        silent[1:] &= np.diff(time[by_time]) > gap_ms
        heard = np.cumsum(silent)
        silences[by_time] = heard
    if not silences.any():
        owner = ids.present
        return np.cumsum(changes(code)) - 1, owner
    # Silences are counted through all sessions, so that the pair is one session row's own and rises with time.
    most = int(silences.max()) + 1
    pairs, part = np.unique(code * most + silences, return_inverse=True)
    return part, pairs // most


def _turns(part: Ints, channel: Codes, time: Ints) -> Ints | None:
    """The order of records by session row, witnesses first, or null where it is theirs already.

    Two channels with one session's timeline are merged by a clock that never runs
    back within its channel, so that neither loses its own order.
    """
    both = np.any(channel == Channel.BEACON) and np.any(channel == Channel.CMCD_EVENT)
    if not both and not np.any(part[1:] < part[:-1]):
        return None
    # Records come by session id, channel and place; a stable sort keeps the place.
    merged = np.zeros(part.size, np.int64)
    for own in (Channel.BEACON, Channel.CMCD_EVENT):
        rows = np.flatnonzero(channel == own)
        by_part = rows[np.argsort(part[rows], kind="stable")]
        merged[by_part] = _running_greatest(part[by_part], time[by_part])
    return np.lexsort((merged, channel <= Channel.CMCD_EVENT, part))


def _running_greatest(part: Ints, time: Ints) -> Ints:
    """The greatest time so far within each run of `part`."""
    if not time.size:
        return time
    above = part - part[0]
    low, span = int(time.min()), int(time.max()) - int(time.min()) + 1
    greatest: Ints = np.maximum.accumulate(above * span + (time - low)) - above * span + low
    return greatest
