"""What the guards would have said of each run, had another policy been in force."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from detectors.finding import Finding
from remediation.guards.figures import Figures, Judged, with_remedies
from remediation.guards.judge import slice_trips, trips
from remediation.guards.reading import Reading
from remediation.guards.rules import GuardRules
from remediation.guards.window import Slice, spans
from remediation.ledger.run import HELD, RECORDING, RELEASED, Objection
from remediation.policy.model import Policy
from remediation.remedy import Remedy
from remediation.whatif.events import Judged as JudgedRun
from remediation.whatif.events import Kept, Past, PastRun, RunVerdict

_OF_NO_POLICY: Final = frozenset({"mode", "balance"})
"""What held a run for another reason than its figures."""


@dataclass
class Lost:
    """What would not have been found in a run: sessions, order lines, and findings by kind."""

    sessions: set[str] = field(default_factory=set)
    order_lines: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, before: Iterable[Finding], after: Iterable[Finding]) -> None:
        """Adds what is among the findings of a claim before, and not after."""
        left = {finding.finding_id: finding.subject for finding in after}
        gone = {each.finding_id: each for each in before if each.finding_id not in left}
        subjects = {each.subject for each in gone.values()}.difference(left.values())
        self.sessions |= {each.id for each in subjects if each.type == "session"}
        self.order_lines |= {each.id for each in subjects if each.type == "order_line"}
        self.kinds.update(each.kind for each in gone.values())

    def taken_from(self, figures: Figures) -> Figures:
        """The figures without it. By app version, device and the like they stay: no finding says of which it was."""
        kinds = {kind: count - self.kinds[kind] for kind, count in figures.findings_by_kind.items()}
        return replace(
            figures,
            sessions=_fewer(figures.sessions, self.sessions),
            order_lines=_fewer(figures.order_lines, self.order_lines),
            findings_by_kind={kind: count for kind, count in kinds.items() if count > 0},
        )


def _fewer(judged: Judged, lost: set[str]) -> Judged:
    return Judged(judged.units, max(0, judged.flagged - len(lost)))


@dataclass(frozen=True, slots=True)
class Word:
    """The guards' word on a run: its state after it, and what stands against it."""

    state: str
    objections: tuple[Objection, ...]

    @classmethod
    def of(cls, objections: Iterable[Objection]) -> Self:
        """Held where anything stands against it."""
        against = tuple(objections)
        return cls(HELD if against else RELEASED, against)


@dataclass(frozen=True, slots=True)
class _Night:
    """A run as the guards see it at a moment of the clock; `gives` says whether it owes anybody anything."""

    run: PastRun
    at: int
    figures: Figures
    gives: bool

    def kept(self, state: str) -> Kept:
        return Kept(self.run.run_id, self.run.kind, self.run.as_of, state, self.figures)

    def trips(self, kept: Iterable[Kept], rules: GuardRules) -> tuple[Objection, ...]:
        """As `pipelines.judging` asks the guards, of a night or of a slice."""
        others = [each for each in kept if each.kind == self.run.kind]
        if self.run.kind == "night":
            released = sorted(
                (each for each in others if each.state == RELEASED), key=lambda each: (each.as_of, each.run_id)
            )
            nights = [each.figures for each in released[-rules.history.long_nights :]]
            return _objections(trips(self.figures, nights, rules, self.at))
        if not self.gives:
            return ()
        within = spans(self.figures.as_of, rules.history.long_nights)
        earlier = [each for each in others if any(since < each.as_of <= until for since, until in within)]
        earlier.sort(key=lambda each: (each.as_of, each.run_id))
        slices = [Slice(each.state == RELEASED, each.figures) for each in earlier]
        return _objections(slice_trips(self.figures, slices, rules, self.at))


class Guarding:
    """The guards in both worlds. `words` are by run, as recorded and as they would be."""

    def __init__(self, past: Past, policy: Policy) -> None:
        self._policy = policy
        self._recorded, self._imagined = ({kept.run_id: kept for kept in past.start.kept} for _ in range(2))
        self._states = {kept.run_id: kept.state for kept in past.start.kept}
        self._lost: dict[str, Lost] = {}
        self.words: dict[str, tuple[Word, Word]] = {}
        self.standing: set[str] = set()

    def lose(self, run_id: str, before: Sequence[Finding], after: Sequence[Finding]) -> None:
        """Some findings of this run would not have been found."""
        if len(after) < len(before):
            self._lost.setdefault(run_id, Lost()).add(before, after)

    @property
    def has_lost(self) -> bool:
        """Whether anything would not have been found."""
        return bool(self._lost)

    def state(self, run_id: str) -> str:
        """The state of a run in the imagined world, as far as the replay has come."""
        return self._states.get(run_id, RECORDING)

    def judge(self, event: JudgedRun, run: PastRun, given: Sequence[Remedy], imagined: Sequence[Remedy]) -> None:
        """Judges a run by what it gave in both worlds."""
        before = after = Word(event.state, run.objections)
        if run.figures is not None:
            then = _Night(run, event.at, run.figures, bool(given))
            now = replace(then, figures=self._figures(run.run_id, run.figures, given, imagined), gives=bool(imagined))
            after = self._word(then, now, before)
            self._recorded[run.run_id] = then.kept(before.state)
            self._imagined[run.run_id] = now.kept(after.state)
        self.words[run.run_id] = (before, after)
        self._states[run.run_id] = after.state

    def hear(self, event: RunVerdict) -> None:
        """A person's word. Nobody is asked about a run that the guards would have released."""
        _set_state(self._recorded, event.run_id, event.state)
        if self.state(event.run_id) in {HELD, RECORDING}:
            self._states[event.run_id] = event.state
            _set_state(self._imagined, event.run_id, event.state)

    def _figures(self, run_id: str, then: Figures, given: Sequence[Remedy], imagined: Sequence[Remedy]) -> Figures:
        now = replace(then, policy_sha256=self._policy.sha256)
        if with_remedies(then, imagined) != with_remedies(then, given):
            now = with_remedies(now, imagined)
        lost = self._lost.get(run_id)
        return lost.taken_from(now) if lost else now

    def _word(self, then: _Night, now: _Night, before: Word) -> Word:
        """What the guards would say; where they would not repeat their own word of then, that stands."""
        carried = [each for each in before.objections if each.guard in _OF_NO_POLICY]
        said = _names(before.objections)
        kept = [_as_current(each, then.run.policy_sha256, self._policy.sha256) for each in self._imagined.values()]
        trips_now = now.trips(kept, self._policy.guards)
        if _names(trips_now) != said:
            policy = then.run.policy
            if policy is None or _names(then.trips(self._recorded.values(), policy.guards)) != said:
                self.standing.add(then.run.run_id)
                return before
        return Word.of((*carried, *trips_now))


def _objections(readings: Iterable[Reading]) -> tuple[Objection, ...]:
    return tuple(Objection(reading.guard, reading.reason) for reading in readings)


def _names(objections: Iterable[Objection]) -> list[str]:
    return sorted(each.guard for each in objections if each.guard not in _OF_NO_POLICY)


def _as_current(kept: Kept, old: str, current: str) -> Kept:
    """A run that was judged by the policy of this one counts as judged by the one that is tried."""
    if kept.figures.policy_sha256 != old:
        return kept
    return replace(kept, figures=replace(kept.figures, policy_sha256=current))


def _set_state(kept: dict[str, Kept], run_id: str, state: str) -> None:
    if run_id in kept:
        kept[run_id] = replace(kept[run_id], state=state)
