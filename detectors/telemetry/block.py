"""Judged columns become events and rejects."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from detectors import schemas
from detectors.telemetry.checks import Checked
from detectors.telemetry.lines import Ints, Lines
from detectors.telemetry.rejects import Place, Reject


@dataclass(frozen=True, slots=True)
class Block:
    """Events, and the records that are none; `skipped` lines were no records."""

    events: pl.DataFrame
    rejects: tuple[Reject, ...]
    skipped: int = 0


def empty_events() -> pl.DataFrame:
    """No event: the columns that every frame of events has."""
    return pl.DataFrame(schema={name: schemas.EVENTS[name] for name in ("session_id", "event_time", "channel")})


def settle(checked: Checked, place: Callable[[int], Place], earlier: Iterable[Reject] = ()) -> Block:
    """Rows without a fault as events, the others as rejects in the order of the file.

    Args:
      checked: What the columns hold, `channel` among them, and what is wrong with them.
      place: The line and the offset of a row of `checked`.
      earlier: Rejects of records that never became rows.
    """
    first = checked.first_faults()
    rejects = list(earlier)
    for row in np.flatnonzero(first >= 0).tolist():
        fault = checked.faults[first[row]]
        line, offset = place(row)
        rejects.append(Reject("record", fault.code, fault.reason, fault.name, line, offset))
    events = checked.frame if not rejects else checked.frame.filter(pl.Series(first < 0))
    if events.height == 0:
        events = empty_events()
    return Block(events, tuple(sorted(rejects, key=lambda reject: reject.offset or 0)))


def on_channel(checked: Checked, channel: schemas.Channel) -> Checked:
    """The same rows, all of which reached us on `channel`."""
    return Checked(checked.frame.with_columns(pl.lit(int(channel), pl.UInt8).alias("channel")), checked.faults)


def line_places(lines: Lines, rows: Ints) -> Callable[[int], Place]:
    """The place of a row whose index in `lines` stands in `rows`."""
    return lambda row: lines.place(int(rows[row]))
