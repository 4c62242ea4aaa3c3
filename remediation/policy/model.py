"""The policy: one strict, frozen model of the whole TOML file."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from detectors.delivery.rules import DeliveryRules
from detectors.finding import Kind
from detectors.incidents.rules import IncidentRules
from detectors.playback.rules import PlaybackRules
from remediation.canonical import sha256_of
from remediation.guards.rules import GuardRules
from remediation.loyalty.rules import SurveyRules
from remediation.money import DIGITS
from remediation.orders import Currency, Minor, OrderKind, Voice
from remediation.policy.goods import Goods
from remediation.policy.shares import Section, Shares, Tier
from remediation.policy.trust import Trust
from remediation.retention.rules import RetentionRules

GOODWILL_LIMIT_PERCENT: Final = 50
"""Of the price paid, so that a full refund and goodwill stay within 150 % of it: more would invite false claims."""

UNDECIDING: Final = frozenset({"retention", "survey"})
"""Sections that say how long something is kept and who is asked, and nothing of what is owed."""

GOODWILL_HOLDOUT_PERCENT: Final = 50
"""More hold-outs than customers who get goodwill would make no comparison better."""

Severity = Annotated[float, Field(gt=0, lt=1)]
Hour = Annotated[int, Field(ge=0, le=24)]


def _in_circulation(code: str) -> str:
    if code not in DIGITS:
        raise ValueError("is no currency in circulation under ISO 4217")
    return code


def _with_default_carrier(rules: DeliveryRules) -> DeliveryRules:
    if "default" not in rules.carriers:
        raise ValueError("carriers must have a line called default, for carriers that are not named")
    if any(name != name.lower() for name in rules.carriers):
        raise ValueError("carriers are written in small letters, or no scan would ever find them")
    return rules


class SeverityLimits(Section):
    """Where the tiers begin; `mild` begins at 0."""

    moderate_from: Severity
    severe_from: Severity

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.moderate_from >= self.severe_from:
            raise ValueError("moderate_from must be less than severe_from")
        return self

    def tier(self, severity: float) -> Tier:
        """The tier of a severity between 0 and 1."""
        if severity >= self.severe_from:
            return "severe"
        return "moderate" if severity >= self.moderate_from else "mild"


class KindShares(Section):
    """What each kind of playback failure owes on one kind of order."""

    playback_failed: Shares
    playback_stalls: Shares
    low_quality: Shares
    slow_start: Shares
    slow_seeks: Shares

    def of(self, failure: Kind) -> Shares | None:
        """The shares of one kind of failure; null where the policy has no rule for it."""
        rules: Mapping[Kind, Shares] = {
            "playback_failed": self.playback_failed,
            "playback_stalls": self.playback_stalls,
            "low_quality": self.low_quality,
            "slow_start": self.slow_start,
            "slow_seeks": self.slow_seeks,
        }
        return rules.get(failure)


class Refund(Section):
    """The shares by kind of order. A subscription's are of one day's share of its price."""

    rental: KindShares
    purchase: KindShares
    subscription: KindShares

    def of(self, order: OrderKind, failure: Kind) -> Shares | None:
        """What `failure` owes on an order of this kind; null where the policy has no rule for the pair."""
        rules: Mapping[OrderKind, KindShares] = {
            "rental": self.rental,
            "purchase": self.purchase,
            "subscription": self.subscription,
        }
        return rules[order].of(failure) if order in rules else None


class Subscription(Section):
    """What the order leaves open."""

    period_days: Annotated[int, Field(ge=1, le=366)]


class CurrencyFigures(Section):
    """Floor and limits of one currency, in its minor units."""

    minimum: Minor
    second_person_above: Minor
    customer_month: Minor
    day: Minor


class Limits(Section):
    """Limits without a currency."""

    payouts_per_customer_month: Annotated[int, Field(ge=0)]


class Goodwill(Section):
    """A credit on top of what is owed."""

    enabled: bool
    percent: Annotated[int, Field(ge=0, le=GOODWILL_LIMIT_PERCENT)]
    from_tier: Tier
    holdout_percent: Annotated[int, Field(ge=0, le=GOODWILL_HOLDOUT_PERCENT)]

    @property
    def is_compared(self) -> bool:
        """Whether some of those who earn goodwill are held out from it."""
        return self.enabled and self.holdout_percent > 0


class MailRules(Section):
    """When and in which tone mails go out."""

    from_hour: Hour
    until_hour: Hour
    voice: Literal["as_chosen"] | Voice

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_hour >= self.until_hour:
            raise ValueError("from_hour must be before until_hour")
        return self

    def voice_for(self, chosen: Voice) -> Voice:
        """The voice of a mail to a customer who has chosen `chosen`."""
        return chosen if self.voice == "as_chosen" else self.voice


class Policy(Section):
    """Every figure that decides what is owed, and how it is said."""

    playback: PlaybackRules
    delivery: Annotated[DeliveryRules, AfterValidator(_with_default_carrier)]
    incidents: IncidentRules
    severity: SeverityLimits
    refund: Refund
    subscription: Subscription
    goods: Goods
    currencies: Mapping[Annotated[Currency, AfterValidator(_in_circulation)], CurrencyFigures]
    limits: Limits
    guards: GuardRules
    trust: Trust
    goodwill: Goodwill
    mail: MailRules
    survey: SurveyRules
    retention: RetentionRules

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the figures: of this model's canonical JSON, not of the file.

        Remarks, spacing and the order of lines leave it alone, so that only a change
        of what is owed counts as another policy.
        """
        return figures_sha256(self.model_dump(mode="json"))


def figures_sha256(content: Mapping[str, object]) -> str:
    """The digest of a policy's content as JSON, without what decides nothing about what is owed."""
    return sha256_of({name: section for name, section in content.items() if name not in UNDECIDING})
