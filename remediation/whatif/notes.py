"""What a replay could not know, each in a sentence."""

from collections.abc import Iterator, Sequence

from remediation.ledger.run import RELEASED, WITHDRAWN
from remediation.report.formats import counted, listed
from remediation.whatif.events import RunVerdict
from remediation.whatif.replay import Replay
from remediation.whatif.thresholds import Changed

_TELEMETRY = "only a run over the telemetry can tell: `makegood replay`, or `makegood nightly --policy` on a new ledger"


def notes(replay: Replay, changed: Sequence[Changed], *, is_new: bool) -> Iterator[str]:
    """In the order of what weighs most.

    Args:
      replay: It has come to its end.
      changed: Every figure that differs from that of any policy under which the runs were decided.
      is_new: Whether the policy is another than the newest of these.
    """
    names = dict.fromkeys(change.name for change in changed)
    yield from _of_thresholds(replay, changed)
    yield from _of_findings(replay, has_trust=any(name.startswith("trust.") for name in names))
    yield from _of_people(replay)
    if any(name.startswith("incidents.") for name in names):
        yield "Root causes are not looked for once more."
    if is_new:
        yield (
            "Once the policy is in force, the guards hold its first run until somebody releases it, and what is found "
            "on an order line that had a remedy under another policy waits for a person."
        )


def _of_thresholds(replay: Replay, changed: Sequence[Changed]) -> Iterator[str]:
    laxer = dict.fromkeys(change.name for change in changed if change.finds_more)
    if laxer:
        yield (
            f"{listed(tuple(laxer))} would flag more than what was flagged then, and that is not in the ledger: "
            f"{_TELEMETRY}."
        )
    others = dict.fromkeys(change.name for change in changed if change.needs_telemetry)
    if others:
        yield f"What {listed(tuple(others))} would change cannot be seen in what was found then: {_TELEMETRY}."
    if replay.tally.unsure:
        yield (
            f"{counted(replay.tally.unsure, 'finding')} did not keep the figures that other thresholds ask for, and "
            "were taken as they were."
        )
    if replay.guarding.has_lost:
        yield "The guards' shares by app version, device, title, network and the like are those of then."


def _of_findings(replay: Replay, *, has_trust: bool) -> Iterator[str]:
    tally, standing = replay.tally, len(replay.guarding.standing)
    if tally.standing:
        yield (
            f"{counted(tally.standing, 'finding')} could not be judged anew, since something that the decision rested "
            "on is not known any more: what was decided then stands."
        )
    if tally.untraced and has_trust:
        yield (
            f"{counted(tally.untraced, 'finding')} are from before their trust was written down, and were trusted as "
            "far as the grants go."
        )
    if standing:
        yield f"What the guards said of {counted(standing, 'run')} could not be asked anew, and stands."
    if replay.past.unlogged:
        yield f"{counted(replay.past.unlogged, 'run')} from before the audit log could not be replayed."


def _of_people(replay: Replay) -> Iterator[str]:
    if replay.tally.overruled:
        yield (
            f"{counted(replay.tally.overruled, 'remedy', 'remedies')} that a person rejected then would have gone out "
            "without asking anybody."
        )
    withdrawn = {
        event.run_id
        for event in replay.past.events
        if isinstance(event, RunVerdict) and event.state == WITHDRAWN and event.run_id in replay.past.runs
    }
    released = [run_id for run_id in withdrawn if replay.guarding.state(run_id) == RELEASED]
    if released:
        yield f"The guards would not have held {counted(len(released), 'run')} that a person withdrew."
