"""Judged columns become a block: events, scans or contacts, and rejects."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

import numpy as np
import polars as pl

from detectors import schemas
from detectors.telemetry.checks import Checked
from detectors.telemetry.lines import Ints, Lines
from detectors.telemetry.rejects import Code, FaultError, Place, Reject, Tally


class Slot(Enum):
    """Which frame of a block some rows belong to."""

    EVENTS = "events"
    SCANS = "scans"
    CONTACTS = "contacts"


@cache  # thousands of blocks hold none
def empty_events() -> pl.DataFrame:
    """No event: the columns that every frame of events has."""
    types = {name: schemas.EVENTS[name] for name in ("event_time", "channel")}
    return pl.DataFrame(schema={"session_id": pl.Categorical(), **types})


@cache  # thousands of blocks hold none
def empty_scans() -> pl.DataFrame:
    """No scan."""
    return pl.DataFrame(schema=schemas.TRACKING)


@cache  # thousands of blocks hold none
def empty_contacts() -> pl.DataFrame:
    """No contact."""
    return pl.DataFrame(schema=schemas.CONTACTS)


@dataclass(frozen=True, slots=True)
class Block:
    """Events, scans and contacts, and the records that are none.

    `extra` is how many more records than lines there were: a tracker holds
    several, and some lines are no records.
    """

    events: pl.DataFrame = field(default_factory=empty_events)
    rejects: tuple[Reject, ...] = ()
    extra: int = 0
    scans: pl.DataFrame = field(default_factory=empty_scans)
    contacts: pl.DataFrame = field(default_factory=empty_contacts)


@dataclass(frozen=True, slots=True)
class Part:
    """A block, the number of records that it was made of, and the fields that were left out of them."""

    block: Block
    records: int
    left_out: Tally


Task = Callable[[], Part]
"""What makes a part: no task needs what another one makes, so that they may be run at once."""


def settle(
    checked: Checked, place: Callable[[int], Place], earlier: Iterable[Reject] = (), slot: Slot = Slot.EVENTS
) -> Block:
    """Rows without a fault in their frame, the others as rejects in the order of the file.

    Args:
      checked: What the columns hold (of events: `channel` among them), and what is wrong with them.
      place: The line and the offset of a row of `checked`.
      earlier: Rejects of records that never became rows.
      slot: The frame that the rows belong to.
    """
    first = checked.first_faults()
    rejects = list(earlier)
    for row in np.flatnonzero(first >= 0).tolist():
        fault = checked.faults[first[row]]
        line, offset = place(row)
        rejects.append(Reject("record", fault.code, fault.reason, fault.name, line, offset))
    rows = checked.frame if not rejects else checked.frame.filter(pl.Series(first < 0))
    ordered = _ordered(rejects)
    if rows.height == 0:
        return Block(rejects=ordered)
    if slot is Slot.SCANS:
        return Block(rejects=ordered, scans=schemas.complete(rows, schemas.TRACKING))
    if slot is Slot.CONTACTS:
        return Block(rejects=ordered, contacts=schemas.complete(rows, schemas.CONTACTS))
    # Ids repeat, and blocks must join whatever they were read from.
    return Block(rows.with_columns(pl.col("session_id").cast(pl.Categorical)), ordered)


def joined(blocks: Sequence[Block]) -> Block:
    """Several blocks of the same lines as one."""
    return Block(
        pl.concat([block.events for block in blocks], how="diagonal"),
        _ordered(reject for block in blocks for reject in block.rejects),
        sum(block.extra for block in blocks),
        pl.concat([block.scans for block in blocks]),
        pl.concat([block.contacts for block in blocks]),
    )


def _ordered(rejects: Iterable[Reject]) -> tuple[Reject, ...]:
    return tuple(sorted(rejects, key=lambda reject: reject.offset or 0))


def count_slips(checked: Checked, place: Callable[[int], Place], tally: Tally) -> None:
    """Counts the values that were set aside, in rows that stay in use."""
    if not checked.slips:
        return
    used = checked.first_faults() < 0
    for slip in checked.slips:
        rows = np.flatnonzero(slip.mask & used)
        if len(rows):
            tally.add(slip.name, slip.code, slip.reason, place(int(rows[0])), len(rows))


def on_channel(checked: Checked, channel: schemas.Channel) -> Checked:
    """The same rows, all of which reached us on `channel`."""
    frame = checked.frame.with_columns(pl.lit(int(channel), pl.UInt8).alias("channel"))
    return Checked(frame, checked.faults, checked.slips)


def line_places(lines: Lines, rows: Ints) -> Callable[[int], Place]:
    """The place of a row whose index in `lines` stands in `rows`."""
    return lambda row: lines.place(int(rows[row]))


def refused(lines: Lines, row: int, fault: FaultError) -> Reject:
    """The reject of a line that could not be read; the last one may only have been cut."""
    line, offset = lines.place(row)
    if fault.code is Code.NOT_JSON and lines.cut_at(row):
        return Reject("record", Code.TRUNCATED_FILE, "The file ends within this record.", None, line, offset)
    return Reject("record", fault.code, fault.reason, fault.name, line, offset)
