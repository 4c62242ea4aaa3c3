"""What runs came to in one world: figures that can stand beside those of the other world."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from remediation.money import Money
from remediation.policy.wording import FOR_A_PERSON, held_for
from remediation.remedy import GOODS, Declined, Remedy, RemedyState
from remediation.report.formats import sums
from remediation.whatif.world import Given, World

T = TypeVar("T")

_FIGURE: Final = re.compile(r"[0-9](?:[0-9.,:-]*[0-9])?")
_STANDING: Final[frozenset[RemedyState]] = frozenset({"approved", "held"})


@dataclass(frozen=True, slots=True)
class Both(Generic[T]):
    """As it was recorded, and as it would have been."""

    before: T
    after: T

    @property
    def differ(self) -> bool:
        """Whether there is any difference."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Side:
    """Remedies as they were decided, and what became of them once people had said what they said.

    `approved` and `held` (for a person) are counts of decisions. `paid`, `goods`
    (orders of goods) and `waiting` are of what is approved, or still held, by now.
    """

    approved: int
    held: int
    paid: tuple[Money, ...]
    goods: int
    waiting: tuple[Money, ...]
    declined: int
    reviews: int


@dataclass(frozen=True, slots=True)
class Sum:
    """So many remedies that stand, and their money, one amount a currency."""

    count: int
    money: tuple[Money, ...]


def side_of(world: World, given: Iterable[Given], refused: Iterable[Declined]) -> Side:
    """The figures of some remedies and refusals of a world."""
    now = [(world.state(each.remedy_id), each.remedy) for each in given]
    outcomes = Counter(each.outcome for each in refused)
    approved = [remedy for state, remedy in now if state == "approved"]
    return Side(
        approved=sum(remedy.state == "approved" for _, remedy in now),
        held=sum(remedy.state == "held" for _, remedy in now),
        paid=money(approved),
        goods=goods(approved),
        waiting=money(remedy for state, remedy in now if state == "held"),
        declined=outcomes["declined"],
        reviews=outcomes["review"],
    )


def money(remedies: Iterable[Remedy]) -> tuple[Money, ...]:
    """The money of remedies, one amount a currency."""
    return sums(Money(remedy.amount, remedy.currency) for remedy in remedies if remedy.amount)


def goods(remedies: Iterable[Remedy]) -> int:
    """How many orders of goods the remedies make."""
    return sum(action.kind in GOODS for remedy in remedies for action in remedy.actions)


def by_kind(world: World) -> Mapping[tuple[tuple[str, ...], str], Sum]:
    """The remedies that stand, by the kinds of failure and the kind of action."""
    counts: Counter[tuple[tuple[str, ...], str]] = Counter()
    amounts: dict[tuple[tuple[str, ...], str], list[Money]] = {}
    for given in world.given.values():
        if world.state(given.remedy_id) in _STANDING:
            for action in given.remedy.actions:
                key = (given.kinds, action.kind)
                counts[key] += 1
                if action.amount_minor:
                    amounts.setdefault(key, []).append(Money(action.amount_minor, given.remedy.currency))
    return {key: Sum(count, sums(amounts.get(key, ()))) for key, count in counts.items()}


def reasons(world: World) -> Iterator[str]:
    """Why remedies were held, without the figures and ids in it: each reason once a remedy."""
    for given in world.given.values():
        remedy = given.remedy
        if remedy.state == "held":
            for_a_person = held_for(remedy.reason)
            objection = remedy.reason.partition(". ")[0] if not remedy.reason.startswith(FOR_A_PERSON) else ""
            by_the_ledger = (objection.removeprefix("Held: "),) if objection.startswith("Held: ") else ()
            for reason in (*by_the_ledger, *for_a_person) or ("no mail could be written",):
                yield _FIGURE.sub("…", reason.replace(remedy.order_line_id, "…"))


def codes(world: World) -> Iterator[str]:
    """The codes of what was declined, or left to a person."""
    return (declined.code for _, declined in world.declined.values())


def counted(worlds: Both[World], each: Callable[[World], Iterable[str]]) -> Mapping[str, Both[int]]:
    """How often each occurs in both worlds, the most frequent first."""
    before, after = Counter(each(worlds.before)), Counter(each(worlds.after))
    names = sorted({*before, *after}, key=lambda name: (-max(before[name], after[name]), name))
    return {name: Both(before[name], after[name]) for name in names}
