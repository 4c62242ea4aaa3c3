"""What would have been different: remedies, money, customers, reasons and runs, beside what was recorded."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar, get_args

from remediation.ledger.run import HELD, RECORDING, Objection
from remediation.money import Money
from remediation.remedy import Declined, Remedy, RemedyState
from remediation.whatif.guarding import Word
from remediation.whatif.replay import Replay
from remediation.whatif.sides import Both, Side, Sum, by_kind, codes, counted, goods, money, reasons, side_of
from remediation.whatif.world import Given, World

T = TypeVar("T")

Fate = Literal["same", "more", "less", "otherwise", "waits", "no_longer", "helped"]
"""What would become of a customer who is helped: the same, more, less, another thing, a wait for a person, nothing; or
help that was not given."""

_NOTHING: Final = Sum(0, ())
_UNJUDGED: Final = Word(RECORDING, ())


@dataclass(frozen=True, slots=True)
class Kind:
    """Remedies for the same kinds of failure with the same kind of action."""

    failures: tuple[str, ...]
    action: str
    sums: Both[Sum]


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its figures, the state in which the guards left it, and what they said."""

    run_id: str
    as_of: int
    sides: Both[Side]
    states: Both[str]
    objections: Both[tuple[Objection, ...]]

    @property
    def guards(self) -> Both[tuple[str, ...]]:
        """The names of the guards that held it."""
        return Both(*(tuple(sorted(each.guard for each in said)) for said in _sides(self.objections)))

    @property
    def differs(self) -> bool:
        """Whether anything of it would be different."""
        return self.sides.differ or self.states.differ or self.guards.differ


@dataclass(frozen=True, slots=True)
class Customer:
    """What becomes of one customer. Lines are those of their remedies in either world."""

    customer_id: str
    fate: Fate
    order_line_ids: tuple[str, ...]
    paid: Both[tuple[Money, ...]]
    goods: Both[int]


@dataclass(frozen=True, slots=True)
class Difference:
    """All of it. `fates` counts everybody who is helped in either world, `customers` are those whose help differs."""

    sides: Both[Side]
    kinds: tuple[Kind, ...]
    reasons: Mapping[str, Both[int]]
    codes: Mapping[str, Both[int]]
    fates: Mapping[Fate, int]
    customers: tuple[Customer, ...]
    runs: tuple[Run, ...]

    @property
    def runs_held(self) -> Both[int]:
        """How many runs the guards hold."""
        states = [run.states for run in self.runs]
        return Both(sum(each.before == HELD for each in states), sum(each.after == HELD for each in states))

    @property
    def is_none(self) -> bool:
        """Whether nothing at all would be different."""
        counts = [*self.reasons.values(), *self.codes.values()]
        parts = (self.sides.differ, *(each.differ for each in counts), *(each.sums.differ for each in self.kinds))
        return not (any(parts) or self.customers or any(run.differs for run in self.runs))


def difference(replay: Replay) -> Difference:
    """Compares both worlds of a replay that has come to its end."""
    worlds = Both(replay.recorded, replay.imagined)
    customers = tuple(_customers(worlds))
    fates = Counter(each.fate for each in customers)
    return Difference(
        sides=Both(*(side_of(world, world.given.values(), _refused(world)) for world in _sides(worlds))),
        kinds=tuple(_kinds(worlds)),
        reasons=counted(worlds, reasons),
        codes=counted(worlds, codes),
        fates={fate: fates[fate] for fate in get_args(Fate)},
        customers=tuple(each for each in customers if each.fate != "same"),
        runs=tuple(_runs(replay, worlds)),
    )


def _sides(both: Both[T]) -> tuple[T, T]:
    return both.before, both.after


def _refused(world: World) -> list[Declined]:
    return [declined for _, declined in world.declined.values()]


def _kinds(worlds: Both[World]) -> Iterator[Kind]:
    before, after = map(by_kind, _sides(worlds))
    for failures, action in sorted({*before, *after}):
        key = (failures, action)
        yield Kind(failures, action, Both(before.get(key, _NOTHING), after.get(key, _NOTHING)))


def _runs(replay: Replay, worlds: Both[World]) -> Iterator[Run]:
    """The runs by their moments."""
    sides = Both(*map(_by_run, _sides(worlds)))
    none: tuple[list[Given], list[Declined]] = ([], [])
    for run in sorted(replay.past.runs.values(), key=lambda run: (run.as_of, run.run_id)):
        before, after = replay.guarding.words.get(run.run_id, (_UNJUDGED, _UNJUDGED))
        yield Run(
            run.run_id,
            run.as_of,
            Both(
                side_of(worlds.before, *sides.before.get(run.run_id, none)),
                side_of(worlds.after, *sides.after.get(run.run_id, none)),
            ),
            Both(before.state, after.state),
            Both(before.objections, after.objections),
        )


def _by_run(world: World) -> Mapping[str, tuple[list[Given], list[Declined]]]:
    found: defaultdict[str, tuple[list[Given], list[Declined]]] = defaultdict(lambda: ([], []))
    for given in world.given.values():
        found[given.run_id][0].append(given)
    for run_id, declined in world.declined.values():
        found[run_id][1].append(declined)
    return found


def _customers(worlds: Both[World]) -> Iterator[Customer]:
    """Everybody who has something approved in either world, by id."""
    before, after = map(_helped, _sides(worlds))
    waiting = {remedy.customer_id for remedy in _in_state(worlds.after, "held")}
    for customer_id in sorted({*before, *after}):
        had, would_have = before.get(customer_id, []), after.get(customer_id, [])
        lines = sorted({remedy.order_line_id for remedy in (*had, *would_have)})
        paid, sent = Both(money(had), money(would_have)), Both(goods(had), goods(would_have))
        fate = _fate(paid, sent) if had and would_have else _at_all(bool(had), waits=customer_id in waiting)
        yield Customer(customer_id, fate, tuple(lines), paid, sent)


def _helped(world: World) -> Mapping[str, list[Remedy]]:
    found: defaultdict[str, list[Remedy]] = defaultdict(list)
    for remedy in _in_state(world, "approved"):
        found[remedy.customer_id].append(remedy)
    return found


def _in_state(world: World, state: RemedyState) -> Iterator[Remedy]:
    return (given.remedy for given in world.given.values() if world.state(given.remedy_id) == state)


def _at_all(was_helped: bool, *, waits: bool) -> Fate:  # noqa: FBT001 it is what is asked
    if not was_helped:
        return "helped"
    return "waits" if waits else "no_longer"


def _fate(paid: Both[tuple[Money, ...]], sent: Both[int]) -> Fate:
    before, after = ({each.currency: each.minor for each in amounts} for amounts in _sides(paid))
    steps = [after.get(currency, 0) - before.get(currency, 0) for currency in {*before, *after}]
    steps.append(sent.after - sent.before)
    if not any(steps):
        return "same"
    if min(steps) >= 0:
        return "more"
    return "less" if max(steps) <= 0 else "otherwise"
