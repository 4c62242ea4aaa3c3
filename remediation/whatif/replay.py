"""Going through the past once more: the recorded world, and one in which another policy was always in force."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.finding import Finding
from remediation.book import Entry
from remediation.ledger.book import SqlBook
from remediation.ledger.budgets import Caps
from remediation.ledger.run import RELEASED
from remediation.policy.case import evidence_sha256
from remediation.policy.model import Policy
from remediation.remedy import Declined, Remedy
from remediation.resolve import NO_MAIL
from remediation.whatif.deciding import Came, decide_again, decided_then, gist, left
from remediation.whatif.events import Judged, Past, PastClaim, PastRun, RemedyVerdict, RunVerdict, Unit
from remediation.whatif.guarding import Guarding
from remediation.whatif.lookups import Lookups
from remediation.whatif.world import Given, World

_NOT_SET_ASIDE: Final = ("Held: too few", "Held: the refunds", "Held: order line")
"""How a reason begins where the ledger set nothing aside for the remedy."""


@dataclass
class Tally:
    """How many findings were judged anew, and of how many what was decided then stands.

    `unsure` were judged, but not by other thresholds; of the trust in `untraced` no
    more is known than the grant. `overruled` are remedies that a person had rejected,
    and about which nobody would be asked.
    """

    judged: int = 0
    standing: int = 0
    unsure: int = 0
    untraced: int = 0
    overruled: int = 0


class Replay:
    """Both worlds, and how far the past could be gone through."""

    def __init__(self, past: Past, policy: Policy, book: SqlBook) -> None:
        self.past, self.policy = past, policy
        self._lookups = Lookups(book)
        self.recorded, self.imagined = (World(past.start, self._lookups) for _ in range(2))
        self.guarding = Guarding(past, policy)
        self.tally = Tally()
        self._caps = Caps.of(policy)
        self._open: str | None = None
        self._left: dict[int, Came] = {}
        self._units: dict[str, list[Unit]] = {}
        for event in past.events:
            if isinstance(event, Unit):
                self._units.setdefault(event.run_id, []).append(event)

    def run(self) -> None:
        """Goes through everything, once."""
        for event in self.past.events:
            match event:
                case Unit():
                    self._decide(self.past.runs[event.run_id], event)
                case Judged():
                    given, imagined = (world.given_by(event.run_id) for world in (self.recorded, self.imagined))
                    self.guarding.judge(event, self.past.runs[event.run_id], given, imagined)
                case RunVerdict():
                    self.guarding.hear(event)
                case RemedyVerdict():
                    self._hear(event)

    def _decide(self, run: PastRun, unit: Unit) -> None:
        if self._open != run.run_id:
            self._open_run(run)
        self.imagined.same_policy = (run.policy_sha256, self.policy.sha256)
        self._fill_shelves(unit.claims)
        undecided = [self._left[id(claim)] for claim in unit.claims]
        came = decide_again(run, undecided, self.policy, self.recorded, self.imagined)
        for each in sorted(came, key=_as_recorded):
            self._count(each)
            self.guarding.lose(run.run_id, each.claim.findings, each.claim.findings if each.stands else each.findings)
            self._enter(run, each)

    def _open_run(self, run: PastRun) -> None:
        """What can be asked for all claims of a run at once."""
        units = self._units[run.run_id]
        self._open = run.run_id
        self._lookups.open_run(units)
        claims = [claim for unit in units for claim in unit.claims]
        self._left = {id(each.claim): each for each in left(run, claims, self.policy, self.imagined)}

    def _fill_shelves(self, claims: Iterable[PastClaim]) -> None:
        """What could be sent then; in the imagined world less, or more, by what else would have been sent before."""
        shelf: dict[str, int] = {}
        for claim in claims:
            line = self.past.start.lines.get(claim.order_line_id)
            if line and claim.available is not None:
                shelf[line.item_id] = max(claim.available, shelf.get(line.item_id, 0))
        sent, would = self.recorded.taken, self.imagined.taken
        self.recorded.shelf = dict(shelf)
        self.imagined.shelf = {item: left + sent.get(item, 0) - would.get(item, 0) for item, left in shelf.items()}

    def _count(self, came: Came) -> None:
        findings = max(1, len(came.claim.findings))
        if came.stands:
            self.tally.standing += findings
            return
        self.tally.judged += findings
        self.tally.unsure += came.unsure
        self.tally.untraced += 0 if came.claim.is_whole else findings

    def _enter(self, run: PastRun, came: Came) -> None:
        """Writes down in both worlds what came of a claim."""
        claim, decision = came.claim, came.decision
        if came.stands:
            decision = self._in_next_slot(claim)
        elif isinstance(decision, Remedy):
            decision = self._within_limits(run, claim, decision)
        caps = Caps.of(run.policy) if run.policy else self._caps
        _write(self.recorded, run, claim.outcome, claim.findings, caps)
        if isinstance(decision, Remedy):
            decision = replace(decision, policy_sha256=self.policy.sha256)
        _write(self.imagined, run, decision, claim.findings if came.stands else came.findings, self._caps)

    def _in_next_slot(self, claim: PastClaim) -> Remedy | Declined | None:
        if not isinstance(claim.outcome, Remedy):
            return claim.outcome
        return replace(claim.outcome, number=self.imagined.next_number(claim.customer_id, claim.order_line_id))

    def _within_limits(self, run: PastRun, claim: PastClaim, remedy: Remedy) -> Remedy:
        """The remedy as it would be recorded: held where a budget or the stock does not suffice, or no mail can be."""
        objection = self.imagined.objection(remedy, run.as_of, self._caps)
        before, outcome = decided_then(claim), claim.outcome
        if isinstance(before, Remedy) and isinstance(outcome, Remedy):
            if NO_MAIL in outcome.reason:
                objection = f"{NO_MAIL}."
            elif gist(remedy, self.imagined) == gist(before, self.recorded) and not self._repeats(run, before, outcome):
                objection = None if outcome.state == before.state else outcome.reason
        if objection is None:
            return remedy
        return replace(remedy, state="held", reason=f"{objection} {remedy.reason}")

    def _repeats(self, run: PastRun, before: Remedy, outcome: Remedy) -> bool:
        """Whether budgets and stock, as far as they are known, say what they said then."""
        caps = Caps.of(run.policy) if run.policy else self._caps
        would_hold = self.recorded.objection(before, run.as_of, caps) is not None
        return would_hold == (outcome.state != before.state)

    def _hear(self, event: RemedyVerdict) -> None:
        """A person's word on a remedy. Where nobody would have been asked, it was not given."""
        before, now = self.recorded.state(event.remedy_id), self.imagined.state(event.remedy_id)
        if before is not None:
            self.recorded.set_state(event.remedy_id, event.state)
        if now not in {"held", "approved"}:
            return
        if event.state == "withdrawn" and self._is_released(event.remedy_id):
            return
        if event.state == "rejected" and before == "held" and now == "approved":
            self.tally.overruled += 1
            return
        self.imagined.set_state(event.remedy_id, event.state)

    def _is_released(self, remedy_id: str) -> bool:
        given = self.imagined.given.get(remedy_id)
        return given is not None and self.guarding.state(given.run_id) == RELEASED


def _as_recorded(came: Came) -> tuple[int, str]:
    """Pay-outs take from budgets in the order of their ids, within what was recorded at once."""
    remedy = came.claim.outcome if isinstance(came.claim.outcome, Remedy) else came.decision
    return came.claim.place, remedy.remedy_id if isinstance(remedy, Remedy) else ""


def _write(
    world: World, run: PastRun, decision: Remedy | Declined | None, findings: Sequence[Finding], caps: Caps
) -> None:
    if isinstance(decision, Declined):
        world.refuse(run.run_id, decision)
    elif decision is not None:
        kinds = tuple(sorted({each.kind for each in findings if each.finding_id in decision.finding_ids}))
        entry = Entry(decision, run.as_of, evidence_sha256(findings))
        sends = not decision.reason.startswith(_NOT_SET_ASIDE)
        world.enter(Given(run.run_id, decision.remedy_id, kinds, decision), entry, caps, sends=sends)
