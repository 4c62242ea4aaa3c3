"""How far the stream has come: by what its records say, never by when they were read.

A source has parts, each in some order of its own: the files of a folder, the
partitions of a topic. No part is behind its newest record by more than the
disorder that is allowed for, so that the least of the parts tells how far all of
them are. A part that was looked at for a while without anything in it holds
nothing back; where that is so of every part, the time goes on by the wall clock.

Nothing here reads a clock: whoever looks says when.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final

import polars as pl

from detectors.playback.rules import SKEW_TOLERANCE_MS


def stream_times(frame: pl.DataFrame) -> pl.Series:
    """When each record belongs into the stream, in milliseconds since the epoch.

    That is its own time, or when it was received where the two are further apart than
    clocks and networks explain: one telephone that is days ahead must not carry
    everybody's time with it, and what a player kept back for hours arrives now.

    Args:
      frame: Events, scans or contacts.

    Returns:
      Int64, never null.
    """
    own = pl.col("event_time")
    if "received_at" not in frame.columns:
        return frame.select(own).to_series()
    received = pl.col("received_at")
    apart = (received - own).abs() > SKEW_TOLERANCE_MS
    return frame.select(pl.when(apart).then(received).otherwise(own).alias("event_time")).to_series()


_MOST_STALE: Final = 8


@dataclass(slots=True)
class _Part:
    """A file or a partition that counts: its newest stream time, and since when there was nothing in it."""

    newest: int | None
    quiet_since: int | None = None


class SourceClock:
    """The watermark of one reader over all its parts; it never runs back.

    Args:
      disorder_ms: How far a record may lie behind the newest of its part.
      idle_ms: A part without data for so long is left out.
      watermark: Where a former reader had come to, milliseconds since the epoch.
      newest: The newest stream time that it had seen.
    """

    def __init__(self, disorder_ms: int, idle_ms: int, watermark: int | None = None, newest: int | None = None) -> None:
        self._disorder_ms = disorder_ms
        self._idle_ms = idle_ms
        self._watermark = watermark
        self._parts: dict[Hashable, _Part] = {}
        # There may be thousands of parts, and the least of them is asked for with every block.
        self._order: list[tuple[int, int, Hashable]] = []
        self._turns = count()
        self._unknown = 0
        self._newest = newest
        self._newest_at: int | None = None
        self._looked_at = 0

    @property
    def newest(self) -> int | None:
        """The newest stream time of all, also of parts that are forgotten."""
        return self._newest

    def expect(self, part: Hashable, newest: int | None = None) -> None:
        """Something in the part was not read yet: until it was, nobody knows how far the part is."""
        if part not in self._parts:
            self._add(part, newest)
        self._parts[part].quiet_since = None

    def heard(self, part: Hashable, newest: int | None, now_ms: int) -> None:
        """Records of the part were read, the newest of this stream time; the future does not count."""
        self._looked_at = now_ms
        before = self._parts[part].newest if part in self._parts else None
        time = before if newest is None else max(min(newest, now_ms), before or 0)
        if part in self._parts:
            self.forget(part)
        self._add(part, time)
        if time is not None and (self._newest is None or time > self._newest or self._newest_at is None):
            self._newest, self._newest_at = max(time, self._newest or 0), now_ms

    def quiet(self, part: Hashable, now_ms: int) -> None:
        """The part was looked at, and nothing was in it."""
        self._looked_at = now_ms
        known = self._parts.get(part)
        if known is None:
            return
        known.quiet_since = now_ms if known.quiet_since is None else known.quiet_since
        if now_ms - known.quiet_since >= self._idle_ms:
            self.forget(part)

    def forget(self, part: Hashable) -> None:
        """The part is at its end, or gone, or idle."""
        known = self._parts.pop(part, None)
        self._unknown -= known is not None and known.newest is None

    def look(self, now_ms: int) -> None:
        """All parts were looked at, if there are any."""
        self._looked_at = now_ms
        if self._newest is not None and self._newest_at is None:
            self._newest_at = now_ms

    def watermark(self) -> int | None:
        """No record older than this is expected, milliseconds since the epoch; null while nobody can tell."""
        reached = self._reached()
        if reached is not None and (self._watermark is None or reached > self._watermark):
            self._watermark = reached
        return self._watermark

    def _add(self, part: Hashable, newest: int | None) -> None:
        self._parts[part] = _Part(newest)
        self._unknown += newest is None
        if newest is None:
            return
        if len(self._order) > _MOST_STALE * (len(self._parts) + 1):
            # One part that lags behind hides all that has become stale above it.
            self._order = [
                (n, next(self._turns), each) for each, p in self._parts.items() if (n := p.newest) is not None
            ]
            heapify(self._order)
        else:
            heappush(self._order, (newest, next(self._turns), part))

    def _reached(self) -> int | None:
        if self._unknown:
            return None
        while self._order:
            newest, _, part = self._order[0]
            if part in self._parts and self._parts[part].newest == newest:
                return newest - self._disorder_ms
            heappop(self._order)  # It has been heard since, or is out.
        if self._newest is None or self._newest_at is None:
            return None
        return self._newest + self._looked_at - self._newest_at - self._disorder_ms
