"""CMCD columns as events: which key says what, and when it may be believed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from detectors import schemas
from detectors.schemas import Channel
from detectors.telemetry.checks import Bools, Checked, Fault
from detectors.telemetry.cmcd_columns import Columns
from detectors.telemetry.cmcd_keys import STATES, VERSION
from detectors.telemetry.cmcd_members import ASKED
from detectors.telemetry.limits import Limits
from detectors.telemetry.rejects import Code

_SECONDS_BELOW: Final = 100_000_000_000  # ten digits, as older drafts print `ts`; milliseconds have twelve since 1973
_PICTURE: Final = ("v", "av", "o")


@dataclass(frozen=True, slots=True)
class Carriers:
    """What the carrier of each record says: one row a record.

    `channel` is `CMCD_EVENT`, `CMCD_REQUEST` or `ACCESS_LOG`; `received_at` the
    server's clock in milliseconds or null; `http_status` the server's answer or null.
    """

    channel: pl.Series
    received_at: pl.Series
    http_status: pl.Series


def to_events(columns: Columns, carriers: Carriers, limits: Limits) -> Checked:
    """Events of a block of CMCD records and their faults.

    A state counts only in a report of a change of state (`e=ps`): elsewhere `sta`
    is a copy that may be stale. An error code counts only where the error is
    reported, since players repeat it on every later report. A rate of bits counts
    only for the picture: what is fetched for sound, or as a manifest, says
    nothing of it.
    """
    said = columns.frame.with_columns(
        *(pl.lit(None, dtype).alias(name) for name, dtype in ASKED.items() if name not in columns.frame.columns),
        carriers.channel.alias("carrier"),
        carriers.received_at.alias("received_at"),
        carriers.http_status.alias("answer"),
    )
    frame = said.select(_EVENT_COLUMNS)
    faults = _faults(frame, columns, limits)
    used = [name for name in frame.columns if frame[name].null_count() < frame.height or name in _ALWAYS]
    return Checked(frame.select(used), tuple(faults))


_ALWAYS: Final = ("session_id", "event_time", "channel")
_EVENT: Final = pl.col("carrier") == int(Channel.CMCD_EVENT)
_CHANGE: Final = _EVENT & (pl.col("e") == "ps")
_RESPONSE: Final = _EVENT & (pl.col("e") == "rr")
_FAILURE: Final = _EVENT & ((pl.col("e") == "e") | ((pl.col("e") == "ps") & (pl.col("sta") == "f")))
_OF_PICTURE: Final = pl.col("ot").is_null() | pl.col("ot").is_in(_PICTURE)
_CLIENT_TIME: Final = pl.when(pl.col("ts") < _SECONDS_BELOW).then(pl.col("ts") * 1_000).otherwise(pl.col("ts"))


def _as(expression: pl.Expr, name: str) -> pl.Expr:
    return expression.cast(schemas.EVENTS[name], strict=False).alias(name)


_EVENT_COLUMNS: Final = (
    pl.col("sid").alias("session_id"),
    _as(pl.when(_EVENT).then(_CLIENT_TIME).otherwise(pl.coalesce(pl.col("received_at"), _CLIENT_TIME)), "event_time"),
    pl.col("received_at"),
    _as(pl.col("sn"), "sequence"),
    _as(pl.when(_RESPONSE).then(int(Channel.CMCD_RESPONSE)).otherwise(pl.col("carrier")), "channel"),
    pl.col("cid").alias("content_id"),
    _as(pl.when(_CHANGE).then(pl.col("sta").replace_strict(STATES, default=None)), "state"),
    _as(pl.col("pt"), "position_ms"),
    _as(pl.col("pr"), "playback_rate"),
    _as(pl.when(_OF_PICTURE).then(pl.col("br")), "bitrate_kbps"),
    # One player names only the best rendition that it can play, which is the best that its viewer was promised.
    _as(pl.when(_OF_PICTURE).then(pl.coalesce("tb", "tpb")), "top_bitrate_kbps"),
    _as(pl.col("bl"), "buffer_ms"),
    _as(pl.col("mtp"), "throughput_kbps"),
    _as(pl.coalesce("dfa", "df"), "dropped_frames"),
    _as((pl.col("bsd") + 0.5).floor(), "stall_ms"),
    _as(pl.col("msd"), "startup_ms"),
    pl.when(_FAILURE).then(pl.col("ec")).alias("error_code"),
    _as(pl.when((pl.col("e") == "b") | pl.col("bg").is_not_null()).then(pl.col("bg").fill_null(0) > 0), "background"),
    _as(pl.coalesce(pl.when(_RESPONSE).then(pl.col("rc")), pl.col("answer")), "http_status"),
)


def _faults(frame: pl.DataFrame, columns: Columns, limits: Limits) -> list[Fault]:
    time = frame["event_time"]
    late = (time < limits.earliest_ms) | (time >= limits.latest_ms)
    found = (
        Fault(columns.newer, Code.UNKNOWN_VERSION, "v", f"The record is of a CMCD version above {VERSION}."),
        Fault(columns.empty, Code.NOT_CMCD, "cmcd", "The record holds no usable CMCD key."),
        Fault(_mask(frame["session_id"].is_null()), Code.MISSING_SESSION, "sid", "The record names no session."),
        Fault(_mask(time.is_null()), Code.MISSING_TIME, "ts", "The record says neither when it was made nor received."),
        Fault(_mask(late), Code.OUT_OF_RANGE, "ts", "The record's time lies before the year 2000 or after 2099."),
    )
    return [fault for fault in found if bool(np.any(fault.mask))]


def _mask(series: pl.Series) -> Bools:
    return series.fill_null(value=False).to_numpy()
