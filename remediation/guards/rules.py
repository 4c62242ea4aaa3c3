"""The figures of the guards. `remediation/policy/default.toml` holds their values and their evidence.

Several have bounds that no policy may leave, so that a slip of the hand in the
policy cannot switch off what is there to catch slips.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from remediation.orders import Currency, Minor
from remediation.policy.shares import Section

Nights = Annotated[int, Field(ge=1, le=366)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Ms = Annotated[int, Field(ge=0, le=366 * 86_400_000)]
Times = Annotated[float, Field(ge=1, le=10)]
"""How many times the usual figure is still ordinary; ten times is never."""


class HistoryRules(Section):
    """Which earlier nights say what is usual."""

    nights: Nights
    long_nights: Nights
    min_nights: Nights

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.min_nights <= self.nights <= self.long_nights:
            raise ValueError("min_nights must not exceed nights, nor nights long_nights")
        return self


class NightLimits(Section):
    """How much one night may send by itself: pay-outs, or minor units of one currency."""

    floor: Minor
    first_nights: Minor
    ceiling: Minor

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.floor <= self.first_nights <= self.ceiling:
            raise ValueError("floor must not exceed first_nights, nor first_nights ceiling")
        return self

    def limit(self, usual: float | None, times: float) -> float:
        """The most that is ordinary where `usual` is the median of earlier nights; null where too few are known."""
        return self.first_nights if usual is None else min(self.ceiling, max(self.floor, times * usual))


class PayoutRules(NightLimits):
    """The number of pay-outs; `times` the usual is ordinary, in number as in money."""

    times: Times


class CurrencyRules(NightLimits):
    """The money of one currency, and the largest single pay-out in it."""

    single: Minor


class ShareRules(Section):
    """How large a share of sessions, order lines or records may be out of order."""

    floor: Ratio
    times: Times
    ceiling: Annotated[float, Field(gt=0, le=0.9)]
    min_count: Count
    min_units: Count

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.floor > self.ceiling:
            raise ValueError("floor must not exceed ceiling")
        return self

    def limit(self, usual: float | None) -> float:
        """The largest ordinary share where `usual` is the median of earlier nights; null where too few are known."""
        return self.ceiling if usual is None else min(self.ceiling, max(self.floor, self.times * usual))

    def counts(self, count: int, units: int, usual: float | None) -> bool:
        """Whether so few say anything: a handful never does, and without history only many units do."""
        return count >= self.min_count and (usual is not None or units >= self.min_units)

    def ways(self, count: int, units: int, usual: float | None) -> Iterator[float]:
        """How much of what `counts` demands is there: 1 or more where all of it is."""
        if self.min_count:
            yield count / self.min_count
        if usual is None and self.min_units:
            yield units / self.min_units


class ConcentrationRules(Section):
    """When one app version, device, title, CDN, network or depot has too much of what failed."""

    floor: Ratio
    times: Times
    most: Ratio
    whole: Ratio


class RecordRules(Section):
    """What may become of the records of the telemetry."""

    rejected: ShareRules
    late: ShareRules
    duplicate: ShareRules


class SourceRules(Section):
    """When a file is missing, too small or too large."""

    usual: Annotated[float, Field(gt=0, le=1)]
    empty_below: Count
    least_times: Ratio
    most_times: Times
    min_records: Count
    order_lines_least_times: Ratio


class ClockRules(Section):
    """Which moments a night may have."""

    ahead_ms: Ms
    gap_ms: Ms
    age_ms: Ms
    age_drift_ms: Ms


class GuardRules(Section):
    """The section `[guards]` of the policy."""

    history: HistoryRules
    payouts: PayoutRules
    money: Mapping[Currency, CurrencyRules]
    sessions: ShareRules
    order_lines: ShareRules
    concentration: ConcentrationRules
    records: RecordRules
    sources: SourceRules
    clock: ClockRules
