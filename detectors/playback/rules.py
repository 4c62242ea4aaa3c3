"""The figures of the playback standard. `remediation/policy/default.toml` holds their values and their evidence.

Every field is required: a threshold that nobody wrote down has no default that
could lead to paying or to refusing.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

Ms = Annotated[int, Field(ge=0)]
Ratio = Annotated[float, Field(ge=0, le=1)]

SKEW_TOLERANCE_MS: Final = 600_000
"""A client's clock that is off by more than this is corrected; less is transport and queueing in the player."""

ERROR_LEAD_MS: Final = 10_000
"""An error this long before a wait that never ended is its cause: players first play what they have buffered."""

FULL_BUFFER_MS: Final = 5_000
"""A stall that opens with more than this in the buffer is the decoder's, not delivery's (Puffer)."""


class _Figures(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Timeline(_Figures):
    """How reports become a timeline."""

    session_gap_ms: Ms  # silence after which the same session id starts another row
    allowed_lateness_ms: Ms  # a record received this long after its event is late
    sleep_gap_ms: Ms  # silence between reports, when heartbeats were due, that is device sleep
    open_stall_cap_ms: Ms  # the most that one wait without any report in it may count
    seek_burst_ms: Ms  # seeks this close are one seek
    seek_grace_ms: Ms  # a wait after the last seek of a burst is the viewer's own up to here


class Stalls(_Figures):
    """When stalls are a failure: the share, the burst or the single long one."""

    bad_ratio: Ratio  # stalled share of watched time
    bad_ratio_min_stall_ms: Ms  # and at least this much in all
    burst_count: Annotated[int, Field(ge=1)]  # so many stalls
    burst_stall_ms: Ms  # of at least this length
    burst_window_ms: Ms  # within this time
    long_stall_ms: Ms  # one stall of this length


class Start(_Figures):
    """When a start is slow, and when it counts as severe."""

    slow_ms: Ms
    very_slow_ms: Ms


class Failure(_Figures):
    """When no picture came, or the picture ended for good."""

    min_wait_ms: Ms  # a failed attempt shorter than this was a slip of the finger
    abandoned_ms: Ms  # left before the first picture, without an error, after waiting this long


class Picture(_Figures):
    """When the picture is far below what title, screen and payment promise."""

    low_bitrate_ratio: Ratio  # of the best rendition this title offers
    low_bitrate_kbps: Annotated[int, Field(ge=0)]  # low whatever the title, where no record names its best rendition
    good_height: Annotated[int, Field(ge=1)]  # rows of picture, at or above which no bitrate is low
    low_height: Annotated[int, Field(ge=1)]  # rows of picture, at or below
    min_player_height: Annotated[int, Field(ge=1)]  # on a player at least this high
    share_of_play: Ratio  # of the judged time
    min_play_ms: Ms  # judged time needed: a short visit is judged by failures alone


class Seeks(_Figures):
    """When waiting after seeks is the service's fault."""

    slow_ms: Ms  # sum of the waits beyond the grace


class PlaybackRules(_Figures):
    """The section `[playback]` of the policy."""

    timeline: Timeline
    stalls: Stalls
    start: Start
    failure: Failure
    picture: Picture
    seeks: Seeks
