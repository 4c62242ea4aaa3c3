"""The figures of the published standard, read from the text of the default policy: its numbers, none of its code."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

Tier = Literal["mild", "moderate", "severe"]


class Timeline(Struct, frozen=True):
    """`[playback.timeline]`."""

    seek_grace_ms: int


class Stalls(Struct, frozen=True):
    """`[playback.stalls]`."""

    bad_ratio: float
    bad_ratio_min_stall_ms: int
    burst_count: int
    burst_stall_ms: int
    burst_window_ms: int
    long_stall_ms: int


class Start(Struct, frozen=True):
    """`[playback.start]`."""

    slow_ms: int
    very_slow_ms: int


class Failure(Struct, frozen=True):
    """`[playback.failure]`."""

    abandoned_ms: int


class Picture(Struct, frozen=True):
    """`[playback.picture]`."""

    low_bitrate_ratio: float
    good_height: int
    low_height: int
    min_player_height: int
    share_of_play: float
    min_play_ms: int


class Seeks(Struct, frozen=True):
    """`[playback.seeks]`."""

    slow_ms: int


class Playback(Struct, frozen=True):
    """`[playback]`: when a visit is below the standard."""

    timeline: Timeline
    stalls: Stalls
    start: Start
    failure: Failure
    picture: Picture
    seeks: Seeks


class CarrierDays(Struct, frozen=True):
    """A line of `[delivery.carriers]`."""

    lost_domestic: int
    lost_abroad: int
    never_scanned: int


class Late(Struct, frozen=True):
    """`[delivery.late]`."""

    grace: int


class Proof(Struct, frozen=True):
    """`[delivery.proof]`."""

    far_m: int
    many_reports: int


class Delivery(Struct, frozen=True):
    """`[delivery]`: when a parcel is below the standard."""

    merchant_country: str
    carriers: Mapping[str, CarrierDays]
    late: Late
    proof: Proof


class Shares(Struct, frozen=True):
    """Percent by tier."""

    mild: int
    moderate: int
    severe: int

    def at(self, tier: Tier) -> int:
        """Of one tier."""
        return {"mild": self.mild, "moderate": self.moderate, "severe": self.severe}[tier]


class Severity(Struct, frozen=True):
    """`[severity]`: where the tiers begin."""

    moderate_from: float
    severe_from: float

    def tier(self, severity: float) -> Tier:
        """The tier of a severity from 0 to 1."""
        if severity >= self.severe_from:
            return "severe"
        return "moderate" if severity >= self.moderate_from else "mild"


class Currency(Struct, frozen=True):
    """A line of `[currencies]`."""

    minimum: int


class LateGoods(Struct, frozen=True):
    """`[goods.late]`."""

    moderate_from_days: int
    severe_from_days: int
    shipping: Shares
    item: Shares

    def tier(self, days: int) -> Tier:
        """The tier of a delay."""
        if days >= self.severe_from_days:
            return "severe"
        return "moderate" if days >= self.moderate_from_days else "mild"


class Answers(Struct, frozen=True):
    """A line of `[goods.failed]`."""

    first: str
    again: str


class Goods(Struct, frozen=True):
    """`[goods]`: what a parcel owes."""

    refund_shipping: bool
    late: LateGoods
    failed: Mapping[str, Answers]


class Figures(Struct, frozen=True):
    """All that truth needs of the policy."""

    playback: Playback
    delivery: Delivery
    severity: Severity
    refund: Mapping[str, Mapping[str, Shares]]  # by kind of order and kind of failure
    currencies: Mapping[str, Currency]
    goods: Goods


@cache
def figures() -> Figures:
    """The published figures."""
    text = resources.files("remediation.policy").joinpath("default.toml").read_bytes()
    return msgspec.toml.decode(text, type=Figures)
