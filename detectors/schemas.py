"""The columns of every frame, declared once.

Times are milliseconds since the epoch, durations milliseconds, rates kbit/s.
Unknown is null. A frame may leave out a column that is null throughout; readers
call `complete` to get it back.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import polars as pl

STATES: Final = (
    "preloading",
    "starting",
    "playing",
    "stalled",
    "seeking",
    "waiting",
    "paused",
    "ended",
    "failed",
    "quit",
)
"""Player states in CTA-5004-B's vocabulary; `DOMAIN` names the CMCD tokens."""

State: Final = pl.Enum(STATES)


class Channel(IntEnum):
    """How a record reached us, and so which clock and which counter it carries.

    A sequence number counts within (session, channel) only. `BEACON` and
    `CMCD_EVENT` carry the client's clock and make the timeline. The others are
    witnesses: a response report's time is its request's start, a media request
    and an access log line carry the server's clock.
    """

    BEACON = 0
    CMCD_EVENT = 1
    CMCD_RESPONSE = 2
    CMCD_REQUEST = 3
    ACCESS_LOG = 4


DIMENSIONS: Final = ("cdn", "isp", "country", "device", "player", "app_version")
"""What a session may be grouped by when a common cause is looked for."""

EVENTS: Final = pl.Schema(
    {
        "session_id": pl.String(),
        "event_time": pl.Int64(),
        "received_at": pl.Int64(),
        "sequence": pl.Int64(),
        "channel": pl.UInt8(),
        "customer_id": pl.String(),
        "content_id": pl.String(),
        "state": State,
        "position_ms": pl.Int64(),
        "playback_rate": pl.Float32(),
        "bitrate_kbps": pl.Float32(),
        "top_bitrate_kbps": pl.Float32(),
        "height": pl.Int32(),
        "player_height": pl.Int32(),
        "frame_rate": pl.Float32(),
        "codec": pl.String(),
        "buffer_ms": pl.Float32(),
        "throughput_kbps": pl.Float32(),
        "dropped_frames": pl.Int64(),
        "stall_ms": pl.Int64(),
        "startup_ms": pl.Int64(),
        "error_code": pl.String(),
        "fatal": pl.Boolean(),
        "background": pl.Boolean(),
        "ad": pl.Boolean(),
        "http_status": pl.Int32(),
        "transfer_ms": pl.Int64(),  # how long the server took to send its answer, by the server's clock
        "signed": pl.Boolean(),  # true where a signature was verified; else null
        "cdn": pl.String(),
        "isp": pl.String(),
        "country": pl.String(),
        "device": pl.String(),
        "player": pl.String(),
        "app_version": pl.String(),
    }
)
"""One row a record. `session_id`, `event_time` and `channel` are never null."""

REJECTS: Final = pl.Schema(
    {
        "source": pl.String(),  # the file as it was named
        "line": pl.Int64(),  # first line is 1; null where the format has no lines
        "offset": pl.Int64(),  # row number (Parquet) or byte (everything else), from 0
        "scope": pl.Enum(("file", "record", "field")),
        "code": pl.String(),  # a `detectors.telemetry.rejects.Code`
        "field": pl.String(),
        "reason": pl.String(),  # one sentence, never the rejected content
        "count": pl.Int64(),  # 1, or how many fields alike were left out of this source
    }
)
"""What could not be used. Scope `field` leaves its record in use and is not part of the sum of records."""

SESSIONS: Final = pl.Schema(
    {
        "session_id": pl.String(),
        "customer_id": pl.String(),
        "content_id": pl.String(),
        "started_at": pl.Int64(),
        "ended_at": pl.Int64(),
        "startup_ms": pl.Int64(),
        "stall_count": pl.Int64(),
        "stall_ms": pl.Int64(),
        "seek_count": pl.Int64(),
        "seek_wait_ms": pl.Int64(),
        "stall_after_seek_ms": pl.Int64(),
        "paused_ms": pl.Int64(),
        "watched_ms": pl.Int64(),
        "mean_bitrate_kbps": pl.Float64(),
        "mean_height": pl.Float64(),
        "failed": pl.Boolean(),
        "exit_before_start": pl.Boolean(),
        "unfinished": pl.Boolean(),
        "quality_score": pl.Float64(),
        "worst_window_score": pl.Float64(),
        "stalls_known": pl.Boolean(),
        "events": pl.Int64(),
        "duplicates": pl.Int64(),
        "failures": pl.List(pl.String()),
        **dict.fromkeys(DIMENSIONS, pl.String()),
    }
)
"""One row a session: the public table of `makegood sessions`."""

SESSION_EVIDENCE: Final = pl.Schema(
    {
        "played_ms": pl.Int64(),  # picture on screen and moving
        "longest_stall_ms": pl.Int64(),
        "long_stall_count": pl.Int64(),  # stalls of a second or more
        "worst_window_stall_count": pl.Int64(),  # most stalls of a second or more within five minutes
        "first_fault_at": pl.Int64(),  # start of the first stall, late start or failed wait
        "last_fault_at": pl.Int64(),  # end of the last one
        "failed_at": pl.Int64(),  # start of the failure, or of the wait that was never over
        "low_picture_ms": pl.Int64(),  # played far below what title and screen promise
        "judged_picture_ms": pl.Int64(),  # played with enough known to judge the picture
        "top_bitrate_kbps": pl.Float64(),
        "player_height": pl.Int64(),
        "device_stall_count": pl.Int64(),  # stalls that opened with over five seconds in the buffer
        "server_error_count": pl.Int64(),  # responses of 500 and above
        "error_code": pl.String(),
        "clock_skew_ms": pl.Int64(),  # server clock minus client clock, 0 where they agree
        "clamped": pl.Int64(),  # negative durations that were set to zero
        # What the word of a session is worth; of sessions with failures alone, else null.
        "received_at": pl.Int64(),  # server clock, of the last record
        "attested_ms": pl.Int64(),  # watched between reports that came closely one after the other
        "signed": pl.Boolean(),  # every record of the timeline
        "corroborated": pl.List(pl.String()),  # failures that the CDN's access log bears out
        "contradicted": pl.List(pl.String()),  # failures that it speaks against
        "doubts": pl.List(pl.String()),  # a `detectors.finding.Doubt` each
        "fingerprints": pl.List(pl.String()),  # of its course, without names and dates
    }
)
"""What the rules and the explanations need beside the public columns."""

SESSIONS_WITH_EVIDENCE: Final = pl.Schema({**SESSIONS, **SESSION_EVIDENCE})


def complete(frame: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The frame with exactly the columns of `schema`: missing ones null, types cast strictly."""
    return frame.select(
        pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
    )


PARCEL_STATUSES: Final = (
    "pending",
    "picked_up",
    "in_transit",
    "out_for_delivery",
    "ready_for_pickup",
    "delivered",
    "delivery_failed",
    "delivery_delayed",
    "on_hold",
    "return_to_sender",
    "cancelled",
    "unknown",
)
"""What a scan may say; the union that karrio, EasyPost, AfterShip, 17TRACK and Shippo can be mapped to."""

PARCEL_REASONS: Final = (
    "lost",
    "damaged",
    "refused",
    "address",
    "unclaimed",
    "customs",
    "weather",
    "carrier",
    "merchant",
    "neighbour",
    "did_not_occur",
)
"""Why, where the carrier says so. `did_not_occur` retracts the scan of the same parcel, time and status (EPCIS)."""

PROOFS: Final = ("photo", "signature", "pin", "none")
"""Proof of delivery. Null is unknown; `none` is the carrier's word that there is none."""

TRACKING: Final = pl.Schema(
    {
        "tracking_number": pl.String(),
        "carrier": pl.String(),
        "event_time": pl.Int64(),
        "status": pl.Enum(PARCEL_STATUSES),
        "reason": pl.Enum(PARCEL_REASONS),
        "lat": pl.Float64(),
        "lon": pl.Float64(),
        "proof": pl.Enum(PROOFS),
        "depot": pl.String(),  # where the scan was made, as the carrier names it; never an address
        "promised_at": pl.Int64(),  # the carrier's own estimate at that time
    }
)
"""One row a scan. `tracking_number`, `event_time` and `status` are never null."""

TOPICS: Final = ("not_received", "wrong_item", "damaged", "poor_playback", "other")

CONTACTS: Final = pl.Schema(
    {
        "contact_id": pl.String(),
        "customer_id": pl.String(),
        "order_line_id": pl.String(),
        "event_time": pl.Int64(),
        "topic": pl.Enum(TOPICS),
        "language": pl.String(),
        "voice": pl.String(),  # plain, warm, playful: how the customer wrote
        "received_item_id": pl.String(),
    }
)
"""One row a contact. Its text never travels: it holds names. `order_line_id` may be null."""

PROMISES: Final = pl.Schema(
    {
        "order_line_id": pl.String(),
        "order_id": pl.String(),
        "customer_id": pl.String(),
        "item_id": pl.String(),
        "purchased_at": pl.Int64(),
        "promised_date": pl.Date(),
        "tracking_number": pl.String(),
        "carrier": pl.String(),
        "country": pl.String(),  # ISO 3166-1 alpha-2 of the destination
        "lat": pl.Float64(),
        "lon": pl.Float64(),
        "timezone": pl.String(),  # of the customer: in it, a promised day ends
    }
)
"""One row an order line of kind `goods`: what was promised, whether or not it was ever scanned."""
