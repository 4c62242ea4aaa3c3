"""CMCD as it arrives: collector lines, bodies of event reports, captured query arguments."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import polars as pl

from detectors.schemas import Channel
from detectors.telemetry.block import Block, line_places, settle
from detectors.telemetry.carried import from_query_value
from detectors.telemetry.checks import Checked, Fault, check
from detectors.telemetry.cmcd_columns import Columns, pieces, read_columns
from detectors.telemetry.cmcd_events import Carriers, to_events
from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.jsonlines import JsonLines, Objects
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Lines
from detectors.telemetry.rejects import Code, FaultError, Place, Reject, Tally

QUERY_PREFIX: Final = b"CMCD="

_COLLECTOR_FIELDS: Final = (
    Field("cmcd", Kind.TEXT),
    Field("mode", Kind.TEXT),
    Field("received_at", Kind.TIME),
)
_MODES: Final = {"event": int(Channel.CMCD_EVENT), "request": int(Channel.CMCD_REQUEST)}
_BYTES_AT_ONCE: Final = 2 * 1024 * 1024
"""Records that are read together: enough of them are written alike."""


def records_to_events(
    texts: pl.Series, carriers: Carriers, place: Callable[[int], Place], limits: Limits, tally: Tally
) -> Checked:
    """Events and faults of CMCD records, whatever carried them; left out keys are counted in `tally`."""
    parts = []
    for first, last in pieces(texts, _BYTES_AT_ONCE):
        columns = read_columns(texts[first:last])
        _count(columns, first, place, tally)
        parts.append(columns)
    whole = Columns(
        pl.concat([part.frame for part in parts], how="diagonal"),
        np.concatenate([part.empty for part in parts]),
        np.concatenate([part.newer for part in parts]),
        (),
    )
    return to_events(whole, carriers, limits)


def _count(columns: Columns, first: int, place: Callable[[int], Place], tally: Tally) -> None:
    for slip in columns.slips:
        ignored = slip.ignored
        tally.add(ignored.key, ignored.code, ignored.reason, place(first + slip.row), slip.count)


class CollectorLines:
    """Decodes the portions of a file of `{"received_at": ms, "cmcd": "<record>", "mode": "event"|"request"}`."""

    continues: Final = False

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._reader = JsonLines(_COLLECTOR_FIELDS, limits)

    def tidy(self, lines: Lines, tally: Tally) -> Block | None:
        """As `decode`, of lines that are certainly the collector's all of them; null where some may be others."""
        objects = self._reader.tidy(lines)
        if objects is None or "cmcd" not in objects.frame.columns or objects.frame["cmcd"].null_count():
            return None
        return self._block(objects, lines, tally)

    def decode(self, lines: Lines, tally: Tally) -> Block:
        """The events of some lines and the rejects of the others."""
        return self._block(self._reader.read(lines, tally), lines, tally)

    def _block(self, objects: Objects, lines: Lines, tally: Tally) -> Block:
        place = line_places(lines, objects.rows)
        received = check(objects.frame, _COLLECTOR_FIELDS[2:], self._limits, plain=True)
        faults, texts, carriers = _carried(objects, received)
        checked = records_to_events(texts, carriers, place, self._limits, tally)
        return settle(Checked(checked.frame, (*faults, *checked.faults)), place, objects.rejects)


def _carried(objects: Objects, received: Checked) -> tuple[list[Fault], pl.Series, Carriers]:
    """What is wrong with the wrapping, the records, and what the collector says of them."""
    height = len(objects.rows)
    nothing = pl.Series("nothing", [None] * height, dtype=pl.String)
    frame = objects.frame
    texts = frame["cmcd"] if "cmcd" in frame.columns else nothing
    modes = frame["mode"] if "mode" in frame.columns else nothing
    faults = list(received.faults)
    for mask, code, name, reason in (
        (texts.is_null(), Code.MISSING_FIELD, "cmcd", "The field cmcd is required and is missing."),
        (
            modes.is_not_null() & ~modes.is_in(list(_MODES)),
            Code.UNKNOWN_VALUE,
            "mode",
            "The field mode must be event or request.",
        ),
    ):
        if mask.any():
            faults.append(Fault(mask.to_numpy(), code, name, reason))
    texts = texts.fill_null("")
    if texts.str.ends_with("\n").any():  # a body ends with a line feed
        texts = texts.str.strip_chars_end("\r\n")
    at = received.frame["received_at"] if "received_at" in received.frame.columns else nothing.cast(pl.Int64)
    return faults, texts, Carriers(_channels(modes, texts), at, nothing.cast(pl.Int32))


def _channels(modes: pl.Series, texts: pl.Series) -> pl.Series:
    channels = modes.replace_strict(_MODES, default=None, return_dtype=pl.UInt8)
    if not channels.null_count():
        return channels
    # Without a mode, only a report of an event has an event and a time to name.
    event = pl.when(texts.str.contains(r"(?:^|,)(?:e|ts)=")).then(_MODES["event"]).otherwise(_MODES["request"])
    return pl.select(pl.coalesce(channels, event.cast(pl.UInt8))).to_series()


class RawRecords:
    """Decodes bodies of event reports: one record a line, or captured `CMCD=` query arguments."""

    continues: Final = False

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def decode(self, lines: Lines, tally: Tally) -> Block:
        """The events of some lines and the rejects of the others; nothing here says when a record was received."""
        rejects: list[Reject] = []
        found = list(self._texts(lines, rejects))
        rows = np.array([row for row, _, _ in found], np.int64)
        place = line_places(lines, rows)
        channel = pl.Series([channel for _, channel, _ in found], dtype=pl.UInt8)
        unknown = pl.Series([None] * len(found), dtype=pl.Int64)
        carriers = Carriers(channel, unknown, unknown.cast(pl.Int32))
        texts = pl.Series([text for _, _, text in found], dtype=pl.String)
        return settle(records_to_events(texts, carriers, place, self._limits, tally), place, rejects)

    def _texts(self, lines: Lines, rejects: list[Reject]) -> Iterator[tuple[int, int, str]]:
        for row in range(len(lines)):
            raw = lines.text(row)
            try:
                text = raw.decode("utf-8")
                if raw.startswith(QUERY_PREFIX):
                    yield row, _MODES["request"], from_query_value(text[len(QUERY_PREFIX) :])
                else:
                    yield row, _MODES["event"], text
            except UnicodeDecodeError:
                line, offset = lines.place(row)
                rejects.append(
                    Reject("record", Code.NOT_UTF8, "The record is not UTF-8 text.", line=line, offset=offset)
                )
            except FaultError as fault:
                line, offset = lines.place(row)
                rejects.append(Reject("record", fault.code, fault.reason, fault.name, line, offset))
