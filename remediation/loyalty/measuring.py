"""Loyalty in figures: promoters, and who came back, by failure, by remedy, and with goodwill against without.

Each customer counts once in a group: by their first remedy in it, and by the last
survey that reached them. Whose weeks are not over counts neither as returned nor as
lost. The arms are compared as they were drawn, whatever became of a remedy since.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from remediation.durations import DAY_MS
from remediation.loyalty.intervals import (
    Interval,
    difference,
    needed_for_scores,
    needed_for_shares,
    net_promoters,
    share,
)
from remediation.loyalty.reading import Asked, Known, MadeGood
from remediation.remedy import Arm

RETURN_DAYS: Final = (28, 84)
"""Four weeks and twelve: whole weeks, since people buy by the day of the week."""
PROMOTERS_FROM: Final = 9
PASSIVES_FROM: Final = 7
SCORE_GAP: Final = 0.1
"""The smallest difference of net promoter scores that is looked for: ten points."""
SHARE_GAP: Final = 0.05
"""The smallest difference of shares that is looked for: five in a hundred."""

Verdict = Literal["higher", "lower", "none_seen", "too_few"]


@dataclass(frozen=True, slots=True)
class Returned:
    """How many bought again within so many days; of `not_over` the days have not passed, so that nobody knows."""

    within_days: int
    counted: int
    returned: int
    not_over: int

    @property
    def share(self) -> Interval | None:
        """The share of those counted; null where nobody was."""
        return share(self.returned, self.counted)


@dataclass(frozen=True, slots=True)
class Group:
    """Customers, what they answered, and whether they came back."""

    customers: int
    asked: int
    promoters: int
    passives: int
    detractors: int
    returned: tuple[Returned, ...]

    @property
    def answered(self) -> int:
        """How many of those who were asked."""
        return self.promoters + self.passives + self.detractors

    @property
    def response(self) -> Interval | None:
        """The share of those asked who answered; null where nobody was asked."""
        return share(self.answered, self.asked)

    @property
    def score(self) -> Interval | None:
        """The net promoter score from -1 to 1; null where nobody answered."""
        return net_promoters(self.promoters, self.passives, self.detractors)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure with goodwill less the same without.

    `needed` are how many it takes, with goodwill and without, to see `looked_for`
    where it is there; `counted` are how many there are. All differences are shares of 1.
    """

    figure: str
    difference: Interval | None
    counted: tuple[int, int]
    looked_for: float
    needed: tuple[int, int]

    @property
    def verdict(self) -> Verdict:
        """What may be said of goodwill."""
        if self.difference and self.difference.says_something:
            return "higher" if self.difference.low > 0 else "lower"
        enough = all(have >= need for have, need in zip(self.counted, self.needed, strict=True))
        return "none_seen" if enough else "too_few"


@dataclass(frozen=True, slots=True)
class Loyalty:
    """The whole comparison; `orders_until` is up to when it is known who bought, in milliseconds since the epoch."""

    as_of: int
    orders_until: int | None
    everybody: Group
    by_kind: Mapping[str, Group]
    by_remedy: Mapping[str, Group]
    arms: Mapping[Arm, Group]
    comparisons: tuple[Comparison, ...]
    forgotten_count: int
    both_arms_count: int
    taken_back_count: int
    erased_count: int


def measure(known: Known, as_of: int) -> Loyalty:
    """The figures of what was read up to `as_of`, in milliseconds since the epoch."""
    drawn: dict[str, set[Arm]] = {}
    for each in known.made_good:
        if each.arm:
            drawn.setdefault(each.customer_id, set()).add(each.arm)
    in_one = {customer_id: min(arms) for customer_id, arms in drawn.items() if len(arms) == 1}
    arms: dict[Arm, Group] = {arm: _arm(known, in_one, arm) for arm in ("goodwill", "holdout")}
    return Loyalty(
        as_of=as_of,
        orders_until=known.orders_until,
        everybody=_group(known, known.made_good, known.asked),
        by_kind=_each(known, lambda case: case.kind),
        by_remedy=_each(known, lambda case: case.remedy),
        arms=arms,
        comparisons=tuple(_comparisons(arms["goodwill"], arms["holdout"])),
        forgotten_count=known.forgotten_count,
        both_arms_count=len(drawn) - len(in_one),
        taken_back_count=known.taken_back_count,
        erased_count=known.erased_count,
    )


def _each(known: Known, name: Callable[[MadeGood], str]) -> Mapping[str, Group]:
    """A group a name; a survey belongs to the group of the remedy that it asked about."""
    named = {each.remedy_id: name(each) for each in known.made_good}
    return {
        one: _group(
            known,
            [each for each in known.made_good if named[each.remedy_id] == one],
            [each for each in known.asked if named.get(each.remedy_id) == one],
        )
        for one in sorted(set(named.values()))
    }


def _arm(known: Known, in_one: Mapping[str, Arm], arm: Arm) -> Group:
    """The customers of one arm, from the remedy on that drew them into it; any later survey of them counts."""
    theirs = [each for each in known.made_good if each.arm == arm and in_one.get(each.customer_id) == arm]
    begun = {each.customer_id: each.as_of for each in reversed(theirs)}
    asked = [each for each in known.asked if each.asked_at > begun.get(each.customer_id, each.asked_at)]
    return _group(known, theirs, asked)


def _group(known: Known, made_good: Iterable[MadeGood], asked: Iterable[Asked]) -> Group:
    first: dict[str, MadeGood] = {}
    for case in made_good:  # the oldest come first
        first.setdefault(case.customer_id, case)
    scores = list({each.customer_id: each.score for each in asked}.values())  # the last survey of each stays
    answers = [score for score in scores if score is not None]
    promoters = sum(score >= PROMOTERS_FROM for score in answers)
    detractors = sum(score < PASSIVES_FROM for score in answers)
    return Group(
        customers=len(first),
        asked=len(scores),
        promoters=promoters,
        passives=len(answers) - promoters - detractors,
        detractors=detractors,
        returned=tuple(_returned(known, list(first.values()), days) for days in RETURN_DAYS),
    )


def _returned(known: Known, cases: Sequence[MadeGood], days: int) -> Returned:
    until = -1 if known.orders_until is None else known.orders_until
    over = [case for case in cases if case.as_of + days * DAY_MS <= until]
    back = [case for case in over if _bought_within(known, case, days)]
    return Returned(days, len(over), len(back), len(cases) - len(over))


def _bought_within(known: Known, case: MadeGood, days: int) -> bool:
    """Whether another order was placed; further lines of the one that went wrong are the same purchase."""
    return any(
        order_id != case.order_id and case.as_of < at <= case.as_of + days * DAY_MS
        for order_id, at in known.bought.get(case.customer_id, ())
    )


def _comparisons(goodwill: Group, holdout: Group) -> Iterable[Comparison]:
    ratio = goodwill.customers / holdout.customers if goodwill.customers and holdout.customers else 1.0
    variance = _variance(goodwill, holdout)
    yield Comparison(
        "net promoter score",
        _less(goodwill.score, holdout.score),
        (goodwill.answered, holdout.answered),
        SCORE_GAP,
        needed_for_scores(variance, SCORE_GAP, ratio),
    )
    for one, other in zip(goodwill.returned, holdout.returned, strict=True):
        base = (one.returned + other.returned + 1) / (one.counted + other.counted + 2)
        yield Comparison(
            f"bought again within {one.within_days} days",
            _less(one.share, other.share),
            (one.counted, other.counted),
            SHARE_GAP,
            needed_for_shares(base, SHARE_GAP, ratio),
        )


def _variance(*groups: Group) -> float:
    """Of one answer, which counts as -1, 0 or 1; while few have answered, near what is usual."""
    answers = sum(each.answered for each in groups) + 3
    for_it = (sum(each.promoters for each in groups) + 0.75) / answers
    against = (sum(each.detractors for each in groups) + 0.75) / answers
    return for_it + against - (for_it - against) ** 2


def _less(one: Interval | None, other: Interval | None) -> Interval | None:
    return difference(one, other) if one and other else None
