"""What waits in one partition, kept so that a tick costs what is new and what closes, not all that waits.

    new rows ─┬► by session: first, last, last word, end ─► what is due at the tick
              └► chunks: rows, and the number of each one's session ─► only what is due is taken out

What an engine must keep is the log of the same: the rows that went on waiting at
each tick, and the sessions that were over. Whoever has both has the partition.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.schemas import complete
from pipelines.streaming.clock import stream_times
from pipelines.streaming.closing import OVER, Closed, Patience, ends, on_timeline

FEW: Final = 10_000
"""So many rows that are of no use any more are not worth clearing away."""

_OPEN: Final = pl.Schema(
    {
        "session_id": pl.String(),
        "number": pl.UInt32(),
        "first": pl.Int64(),
        "last": pl.Int64(),
        "told": pl.Int64(),  # the player's own last word
        "end": pl.Int64(),  # its last that was an end: where the two are one, the session has ended
    }
)

Ticked = tuple[int, pl.DataFrame]
"""Something of a tick, and which one: in ms since the epoch."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Rows without the id of their session, and with its number."""

    rows: pl.DataFrame
    number: npt.NDArray[np.uint32]


class Waiting:
    """One partition.

    Args:
      patience: How long is waited.
      kept: `Closed.kept` of the ticks until now.
      over: `Closed.over` of the ticks until now.
    """

    def __init__(self, patience: Patience, kept: Iterable[Ticked] = (), over: Iterable[Ticked] = ()) -> None:
        self._patience = patience
        self._open = _OPEN.to_frame()
        self._numbers = 0
        self._chunks: list[_Chunk] = []
        self._gone: list[pl.DataFrame] = []
        self._useless = 0
        ended = [(at, complete(frame, OVER)) for at, frame in over]
        for _, frame in ended:
            self._remember(frame)
        for tick, frame in kept:
            rows = _named(frame)
            # What came after a session was closed is another visit.
            later = [OVER.to_frame()["session_id"], *(each["session_id"] for at, each in ended if at >= tick)]
            rows = rows.filter(~pl.col("session_id").is_in(pl.concat(later).implode()))
            self._put(rows, self._meet(rows))

    def close(self, rows: pl.DataFrame, at: int) -> Closed:
        """Takes in what is new, then closes what is over.

        Args:
          rows: `schemas.EVENTS`; columns that are null throughout may be absent.
          at: the tick, in ms since the epoch.
        """
        named = _named(rows)
        stray = self._strays(named)
        new = named.filter(~stray)
        number = self._meet(new)
        is_due = self._due() <= at
        over, self._open = self._open.filter(is_due), self._open.filter(~is_due)
        closes = np.zeros(self._numbers, np.bool_)
        closes[over["number"].to_numpy()] = True
        old = list(self._taken(over, closes))
        kept = new.filter(~closes[number])
        self._put(kept, number[~closes[number]])
        by_end = pl.when(pl.col("end") == pl.col("told")).then(pl.col("last") + self._patience.gap_ms)
        ended = over.select("session_id", until=by_end)
        self._forget(at)
        self._remember(ended)
        self._useless += sum(each.height for each in old) + over.height
        closed = pl.concat([new.filter(closes[number]), *old], how="diagonal")
        return Closed(closed, named.filter(stray), kept, ended, _least(self._due()), _least(self._open["first"]))

    @property
    def is_wasteful(self) -> bool:
        """Whether more is kept of what is over than of what waits."""
        rows = sum(chunk.rows.height for chunk in self._chunks)
        return self._useless > max(FEW, rows // 2)

    def short(self, at: int) -> tuple[list[Ticked], list[Ticked]]:
        """`kept` and `over` in brief, after the tick `at`: they give the same partition."""
        waits = np.zeros(self._numbers, np.bool_)
        waits[self._open["number"].to_numpy()] = True
        rows = list(self._taken(self._open, waits))
        gone = pl.concat([OVER.to_frame(), *self._gone])
        kept = [(at, pl.concat(rows, how="diagonal"))] if rows else []
        return kept, [(0, gone.filter(pl.col("until") + self._patience.lateness_ms > at))]

    def _meet(self, rows: pl.DataFrame) -> npt.NDArray[np.uint32]:
        """Brings the open sessions up to date; gives each row the number of its session."""
        time, told = pl.lit(stream_times(rows)), pl.lit(on_timeline(rows))
        seen = rows.select(
            "session_id",
            first=time,
            last=time,
            told=pl.when(told).then(time),
            end=pl.when(told & pl.lit(ends(rows))).then(time),
        )
        both = pl.concat([self._open, seen], how="diagonal").group_by("session_id")
        known = both.agg(pl.max("number"), pl.min("first"), pl.max("last", "told", "end"))
        is_new = known["number"].is_null().to_numpy()
        number = known["number"].fill_null(0).to_numpy().copy()
        number[is_new] = np.arange(self._numbers, self._numbers + int(is_new.sum()))
        self._numbers += int(is_new.sum())
        self._open = known.with_columns(number=pl.Series(number))
        names = self._open.select("session_id", "number")
        return (
            rows.select("session_id")
            .join(names, on="session_id", how="left", maintain_order="left")["number"]
            .to_numpy()
        )

    def _due(self) -> pl.Series:
        """At which tick each of the open sessions closes, if nothing more comes of it."""
        silence = pl.when(pl.col("end") == pl.col("told")).then(0).otherwise(self._patience.gap_ms)
        return self._open.select(self._patience.tick(pl.col("last") + silence)).to_series()

    def _put(self, rows: pl.DataFrame, number: npt.NDArray[np.uint32]) -> None:
        if rows.height:
            self._chunks.append(_Chunk(rows.drop("session_id"), number))

    def _taken(self, sessions: pl.DataFrame, wanted: npt.NDArray[np.bool_]) -> Iterator[pl.DataFrame]:
        """The rows of some sessions; `wanted` says so of each number."""
        place = np.zeros(self._numbers, np.uint32)
        place[sessions["number"].to_numpy()] = np.arange(sessions.height)
        for chunk in self._chunks:
            of_them = wanted[chunk.number]
            if of_them.any():
                session_id = sessions["session_id"].gather(place[chunk.number[of_them]])
                yield chunk.rows.filter(of_them).insert_column(0, session_id)

    def _strays(self, rows: pl.DataFrame) -> pl.Series:
        """Marks rows of a session that has ended already: within the gap there is no other visit."""
        names = rows["session_id"].unique().implode()
        gone = pl.concat([OVER.to_frame(), *self._gone]).filter(pl.col("session_id").is_in(names))
        until = gone.group_by("session_id").agg(pl.max("until"))
        joined = rows.select("session_id").join(until, on="session_id", how="left", maintain_order="left")
        return (stream_times(rows) <= joined["until"]).fill_null(value=False)

    def _remember(self, over: pl.DataFrame) -> None:
        ended = over.filter(pl.col("until").is_not_null())
        if ended.height:
            self._gone.append(ended)

    def _forget(self, at: int) -> None:
        """Of what ended so long ago nothing can come in time."""
        self._gone = [each for each in self._gone if _most(each["until"]) + self._patience.lateness_ms > at]


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """With ids as text: shared categories would keep every id that ever came."""
    return rows.with_columns(pl.col("session_id").cast(pl.String))


def _least(column: pl.Series) -> int | None:
    return None if column.is_empty() else int(column.to_numpy().min())


def _most(column: pl.Series) -> int:
    return int(column.to_numpy().max())
