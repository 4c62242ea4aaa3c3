"""Deciding claims once more under another policy, and asking whether the policy of then still decides what it did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.finding import Finding
from remediation.policy.decide import Decision
from remediation.policy.model import Policy
from remediation.policy.wording import FOR_A_PERSON
from remediation.remedy import Declined, Remedy
from remediation.resolve import NO_MAIL, decided
from remediation.whatif.events import PastClaim, PastRun
from remediation.whatif.thresholds import Rejudged, rejudge_each
from remediation.whatif.world import World

_BY_THE_LEDGER: Final = "Held: "


@dataclass(frozen=True, slots=True)
class Came:
    """What comes of a claim: a decision on those of its findings that are left; or what was decided then `stands`.

    `unsure` counts findings that other thresholds could not be applied to.
    """

    claim: PastClaim
    findings: tuple[Finding, ...]
    decision: Decision | None = None
    stands: bool = False
    unsure: int = 0


def left(run: PastRun, claims: Sequence[PastClaim], policy: Policy, world: World) -> list[Came]:
    """The claims of a run under the thresholds of a policy, undecided.

    Nothing can be decided without the order line, or without what was found on it.
    """
    lines = world.order_lines({claim.order_line_id for claim in claims})
    known = [claim for claim in claims if claim.findings and claim.order_line_id in lines]
    found = [claim.findings for claim in known]
    judged = rejudge_each(found, run.policy, policy) if run.policy else [Rejudged(each, 0) for each in found]
    under = {id(claim): each for claim, each in zip(known, judged, strict=True)}
    return [
        Came(claim, under[id(claim)].findings, unsure=under[id(claim)].unsure)
        if id(claim) in under
        else Came(claim, claim.findings, stands=True)
        for claim in claims
    ]


def decide_again(
    run: PastRun, came: Sequence[Came], policy: Policy, recorded: World, imagined: World
) -> tuple[Came, ...]:
    """What `policy` decides in the imagined world on claims of different order lines, as `left` gives them.

    Where that is not what was decided then, the policy of then is asked in the
    recorded world. If it does not repeat its own decision, something that it rested
    on is not known any more, and the decision of then stands.
    """
    decisions = _decisions(came, imagined, policy, run.as_of)
    came = [replace(each, decision=decisions.get(each.claim.order_line_id)) for each in came]
    lost = _not_repeated(run, came, recorded, imagined)
    return tuple(replace(each, stands=each.stands or each.claim.order_line_id in lost) for each in came)


def decided_then(claim: PastClaim) -> Decision | None:
    """What the policy decided, before the ledger or the writing of the mail may have held it."""
    outcome = claim.outcome
    if not isinstance(outcome, Remedy) or outcome.state != "held" or FOR_A_PERSON in outcome.reason:
        return outcome
    held_later = outcome.reason.startswith(_BY_THE_LEDGER) or NO_MAIL in outcome.reason
    return replace(outcome, state="approved") if held_later else outcome


def gist(decision: Decision | None, world: World) -> tuple[object, ...]:
    """What a decision comes to; a refusal that has been written down before comes to nothing."""
    if isinstance(decision, Remedy):
        return (decision.number, decision.actions, decision.amount, decision.currency, decision.state)
    if isinstance(decision, Declined) and not world.knows(decision):
        return (decision.declined_id, decision.outcome)
    return ()


def _decisions(came: Iterable[Came], world: World, policy: Policy, as_of: int) -> Mapping[str, Decision]:
    """By order line; none where nothing follows."""
    findings = [finding for each in came if not each.stands for finding in each.findings]
    of_customers = decided(findings, world, policy, as_of) if findings else ()
    return {str(each.order_line_id): each for _, decisions in of_customers for each in decisions}


def _not_repeated(run: PastRun, came: Sequence[Came], recorded: World, imagined: World) -> frozenset[str]:
    """The order lines on which the policy of then does not decide what it decided; asked only where it matters."""
    then = {each.claim.order_line_id: gist(decided_then(each.claim), recorded) for each in came}
    differing = {
        each.claim.customer_id
        for each in came
        if not each.stands and gist(each.decision, imagined) != then[each.claim.order_line_id]
    }
    asked = [
        replace(each, findings=each.claim.findings)
        for each in came
        if not each.stands and each.claim.customer_id in differing
    ]
    lines = [each.claim.order_line_id for each in asked]
    if run.policy is None or not asked:
        return frozenset(lines)
    repeated = _decisions(asked, recorded, run.policy, run.as_of)
    return frozenset(line for line in lines if gist(repeated.get(line), recorded) != then[line])
