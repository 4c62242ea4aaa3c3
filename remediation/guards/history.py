"""What is usual: medians over earlier nights, so that one strange night that was released teaches nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Self

from remediation.durations import DAY_MS
from remediation.guards.figures import Figures
from remediation.guards.rules import HistoryRules

WEEK: Final = 7

Measure = Callable[[Figures], float | None]
"""One figure of a night; null where that night says nothing about it."""


@dataclass(frozen=True, slots=True)
class Usual:
    """A median, and over how many nights."""

    value: float
    nights: int


@dataclass(frozen=True, slots=True)
class History:
    """The released nights up to tonight's moment, the earliest first, and the newest of all, which may be later."""

    nights: tuple[Figures, ...]
    newest: Figures | None
    rules: HistoryRules

    @classmethod
    def before(cls, tonight: Figures, released: Iterable[Figures], rules: HistoryRules) -> Self:
        """The history of `tonight`, which is no part of it: a night that is judged again is judged alike."""
        others = sorted((night for night in released if night != tonight), key=lambda night: night.as_of)
        earlier = tuple(night for night in others if night.as_of <= tonight.as_of)
        return cls(earlier[-rules.long_nights :], others[-1] if others else None, rules)

    @property
    def recent(self) -> tuple[Figures, ...]:
        """The nights of the short window."""
        return self.nights[-self.rules.nights :]

    def usual(self, measure: Measure) -> Usual | None:
        """The smaller of the medians of the recent nights and of the long window; null where too few nights say it.

        The long window is what a slow creep is seen against: within two weeks every
        night looks like the one before.
        """
        return self.usual_of([measure(night) for night in self.nights])

    def usual_of(self, values: Sequence[float | None]) -> Usual | None:
        """As `usual`, of values that stand beside `nights`."""
        medians = (self._median(values[-self.rules.nights :]), self._median(values))
        return min(filter(None, medians), key=lambda each: each.value, default=None)

    def bounds(self, measure: Measure, as_of: int) -> tuple[Usual, Usual] | None:
        """The smaller and the larger of the median of the recent nights and that of their weekday.

        A Saturday is no Tuesday. Null where too few nights say it.
        """
        recent = self._median([measure(night) for night in self.recent])
        same = [measure(night) for night in self.nights if _same_weekday(night.as_of, as_of)]
        known = sorted(
            filter(None, (recent, self._median(same[-_WEEKS:]))),
            key=lambda each: each.value,
        )
        return (known[0], known[-1]) if known else None

    def _median(self, values: Sequence[float | None]) -> Usual | None:
        known = [value for value in values if value is not None]
        return Usual(median(known), len(known)) if len(known) >= self.rules.min_nights else None


_WEEKS: Final = 4
"""So many nights of the same weekday are looked back on: a month."""


def _same_weekday(one: int, other: int) -> bool:
    """Whole weeks apart, within half a day: a night may start later than usual, and summer time begins."""
    return (one - other + DAY_MS // 2) // DAY_MS % WEEK == 0
