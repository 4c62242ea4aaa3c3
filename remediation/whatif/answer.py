"""The whole answer: what another policy would have decided, and what a replay cannot know."""

from dataclasses import dataclass

from sqlalchemy import Engine

from remediation.ledger.book import SqlBook
from remediation.policy.model import Policy
from remediation.report.formats import counted
from remediation.whatif.difference import Difference, difference
from remediation.whatif.notes import notes
from remediation.whatif.past import read_past
from remediation.whatif.replay import Replay, Tally
from remediation.whatif.thresholds import Changed, changes


class NothingToReplayError(LookupError):
    """A ledger without a run that could be gone through once more; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`policies` are the digests of those under which the runs were decided, the newest last.

    `changes` are the figures that differ from the newest of them, `notes` are
    sentences on what the replay could not know.
    """

    policy_sha256: str
    policies: tuple[str, ...]
    changes: tuple[Changed, ...]
    tally: Tally
    difference: Difference
    notes: tuple[str, ...]


def what_if(engine: Engine, orders: Engine | None, policy: Policy, days: int) -> Answer:
    """What `policy` would have decided in the runs of the last `days` days before the newest run.

    Nothing is written: neither to the ledger nor to `orders`, the service's own order
    book, if the runs read that.

    Raises:
      NothingToReplayError: There is no such run.
    """
    past = read_past(engine, orders, days)
    if not past.runs:
        older = f" ({counted(past.unlogged, 'run')} from before the audit log cannot be replayed)"
        raise NothingToReplayError(f"the ledger holds no run to replay{older if past.unlogged else ''}: run a night")
    replay = Replay(past, policy, SqlBook(engine, orders))
    replay.run()
    before = {run.policy_sha256: run.policy for run in sorted(past.runs.values(), key=lambda run: run.as_of)}
    newest = list(before)[-1]
    by_policy = {digest: changes(known, policy) for digest, known in before.items() if known}
    changed = tuple(change for each in by_policy.values() for change in each)
    return Answer(
        policy_sha256=policy.sha256,
        policies=tuple(before),
        changes=by_policy.get(newest, ()),
        tally=replay.tally,
        difference=difference(replay),
        notes=tuple(notes(replay, changed, is_new=newest != policy.sha256)),
    )
