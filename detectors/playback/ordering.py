"""One sort of a partition: by session, channel and place in the channel, repeats taken out.

Everything that orders or compares is packed into one integer a row where it fits,
because numpy sorts plain integers four times faster than it ranks them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from detectors.playback.groups import Bools, Codes, Ints, changes
from detectors.schemas import EVENTS

_CHANNEL_RANK: Final = np.array([3, 4, 0, 1, 2])
"""Place of a channel in its session: the witnesses first, so that the timeline is the session's tail."""

_CHANNEL_AT: Final = np.argsort(_CHANNEL_RANK).astype(np.int8)
"""The channel that has a place."""

_CHANNEL_BITS: Final = 3

_BESIDE: Final = ("session_id", "channel", "received_at", "state", "signed")
_CONTENT: Final = tuple(name for name in EVENTS if name not in _BESIDE)

_TIE_RANK: Final = {
    state: rank
    for rank, state in enumerate(
        ("preloading", "starting", "stalled", "seeking", "waiting", "playing", "paused", "ended", "failed", "quit")
    )
}
"""Order of states that carry the same time and no number: a wait that ends as it begins is no wait."""

_KEY_BITS: Final = 63


@dataclass(frozen=True, slots=True)
class Ordered:
    """Rows of a frame without repeats, sorted; `code` points into `session_id`, which is sorted.

    `repeats` is, for each row, how many rows were left out as repeats of it.
    """

    row: Ints
    code: Ints
    channel: Codes
    session_id: pl.Series
    repeats: Ints


def in_order(events: pl.DataFrame) -> Ordered:
    """The rows of `schemas.EVENTS` by session id, channel and place in that channel.

    The place is the sequence number where every record of that session and channel
    has one, else the time. A repeat has the session, channel and number of
    another record or, without a number, the content of another. A signed one is kept
    before an unsigned one, else the one received first, so that the result does
    not depend on the order of the rows.
    """
    code, session_id = _encode(events["session_id"])
    channel = events["channel"].to_numpy()
    group = (code << _CHANNEL_BITS) | _CHANNEL_RANK[channel]
    time = events["event_time"].to_numpy()
    number, numbered = _numbers(events)
    mixed = _mixed(group, numbered, session_id.len() << _CHANNEL_BITS)
    place = number if numbered.all() else np.where(numbered, number, time)
    by, row, tied = _sorted((group << 1) | numbered if mixed.any() else group, place)
    row, repeat = _settle(events, row, tied, drop=True)
    repeats = np.zeros(row.size, np.int64)
    if repeat.any():
        # Repeats follow the row that is kept of them.
        kept = np.flatnonzero(~repeat)
        repeats = np.diff(kept, append=row.size) - 1
        by, row = by[kept], row[kept]
    if mixed.any():
        of_row = np.zeros(events.height, np.int64)
        of_row[row] = repeats
        place = np.where(numbered & ~mixed[group], number, time)
        by, by_place, tied = _sorted(group[row], place[row])
        row, _ = _settle(events, row[by_place], tied, drop=False)
        repeats = of_row[row]
    return Ordered(row, by >> _CHANNEL_BITS, _CHANNEL_AT[by & ((1 << _CHANNEL_BITS) - 1)], session_id, repeats)


def _encode(session_id: pl.Series) -> tuple[Ints, pl.Series]:
    """Each row's number among the sorted session ids, and these ids."""
    # Categories of this call's own: the shared ones would grow with every partition.
    own = session_id.dtype if session_id.dtype == pl.Categorical else pl.Categorical(pl.Categories.random())
    physical = session_id.cast(own).to_physical().to_numpy()
    example = np.full(int(physical.max()) + 1, -1)
    example[physical] = np.arange(physical.size)
    present = np.flatnonzero(example >= 0)
    names = session_id.gather(example[present]).cast(pl.String)
    by_name = names.arg_sort().to_numpy()
    rank = np.empty(example.size, np.int64)
    rank[present[by_name]] = np.arange(present.size)
    return rank[physical], names.gather(by_name)


def _numbers(events: pl.DataFrame) -> tuple[Ints, Bools]:
    if "sequence" not in events.columns:
        return np.zeros(events.height, np.int64), np.zeros(events.height, np.bool_)
    column = events["sequence"]
    if not column.null_count():
        return column.to_numpy(), np.ones(events.height, np.bool_)
    return column.fill_null(0).to_numpy(), column.is_not_null().to_numpy()


def _mixed(group: Ints, numbered: Bools, groups: int) -> Bools:
    """Marks the groups of which only some records carry a number."""
    if numbered.all() or not numbered.any():
        return np.zeros(groups, np.bool_)
    with_number = np.bincount(group[numbered], minlength=groups)
    without = np.bincount(group[~numbered], minlength=groups)
    return (with_number > 0) & (without > 0)


def _sorted(group: Ints, place: Ints) -> tuple[Ints, Ints, Bools]:
    """The groups in order, row numbers by group and place, and marks on those equal in both to the one before."""
    place = place - place.min()
    place_bits, row_bits = int(place.max()).bit_length(), (group.size - 1).bit_length()
    if int(group.max()).bit_length() + place_bits + row_bits <= _KEY_BITS:
        key = np.sort((((group << place_bits) | place) << row_bits) | np.arange(group.size))
        row = key & ((1 << row_bits) - 1)
        key >>= row_bits
        return key >> place_bits, row, ~changes(key)
    row = np.lexsort((place, group))
    by = group[row]
    return by, row, ~(changes(by) | changes(place[row]))


def _settle(events: pl.DataFrame, row: Ints, tied: Bools, *, drop: bool) -> tuple[Ints, Bools]:
    """The same rows with ties ordered by content, and marks on repeats (none unless `drop`)."""
    repeat = np.zeros(row.size, np.bool_)
    if not tied.any():
        return row, repeat
    among = tied.copy()
    among[:-1] |= tied[1:]
    at = np.flatnonzero(among)
    block = np.cumsum(~tied[at], dtype=np.int64)
    row = row.copy()
    row[at], repeat[at] = (_by_arrival(events, row[at], block) if drop else None) or _by_content(
        events, row[at], block, drop=drop
    )
    return row, repeat


def _by_arrival(events: pl.DataFrame, row: Ints, block: Ints) -> tuple[Ints, Bools] | None:
    """As `_by_content`, without a look at the content, of numbered records that all arrived at different times."""
    if not {"sequence", "received_at"} <= set(events.columns):
        return None
    ties = events.select("sequence", "received_at", *(["signed"] if "signed" in events.columns else []))[row]
    if ties["sequence"].null_count() or ties["received_at"].null_count():
        return None
    unsigned = ties["signed"].is_null().to_numpy() if "signed" in ties.columns else np.ones(row.size, np.bool_)
    received_at = ties["received_at"].to_numpy()
    order = np.lexsort((received_at, unsigned, block))
    later = ~changes(block[order])
    if np.any(later & ~changes(received_at[order]) & ~changes(unsigned[order].astype(np.int8))):
        return None
    return row[order], later


def _by_content(events: pl.DataFrame, row: Ints, block: Ints, *, drop: bool) -> tuple[Ints, Bools]:
    content = [name for name in _CONTENT if name in events.columns]
    ties = events[row].with_columns(
        pl.col(pl.Categorical).cast(pl.String),
        pl.lit(pl.Series("row", row)),
        pl.lit(pl.Series("block", block)),
        (pl.col("state").cast(pl.String) if "state" in events.columns else pl.lit(None, pl.String)).alias("state"),
        **{name: pl.lit(None, pl.Int64) for name in ("sequence", "received_at") if name not in events.columns},
    )
    ties = ties.with_columns(
        tie_rank=pl.col("state").replace_strict(_TIE_RANK, default=-1, return_dtype=pl.Int64),
        unsigned=pl.col("signed").is_null() if "signed" in events.columns else pl.lit(value=True),
    )
    by_arrival = ties.sort("block", "unsigned", "received_at", "tie_rank", *content, nulls_last=True)
    same_content = ~pl.struct("block", "state", *content).is_first_distinct()
    same_number = pl.col("sequence").is_not_null() & ~pl.col("block").is_first_distinct()
    repeat = (same_number | same_content) if drop else pl.lit(value=False)
    settled = by_arrival.with_columns(repeat=repeat).sort(
        "block", "repeat", "sequence", "tie_rank", *content, "unsigned", "received_at", nulls_last=True
    )
    return settled["row"].to_numpy(), settled["repeat"].to_numpy()
