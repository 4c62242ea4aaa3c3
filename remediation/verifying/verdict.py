"""Looking at everything, in one view of the ledger, and what came of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import Connection, Engine, select

from remediation.ledger.audit import Head, head
from remediation.ledger.control_tables import AUDIT
from remediation.verifying.breach import Breach, Check
from remediation.verifying.checks import CHECKS
from remediation.verifying.snapshot import snapshot

SHOWN: Final = 20
"""So many rows are named for one invariant; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check found: the first rows, and how many there are in all."""

    check: Check
    breaches: tuple[Breach, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of looking at a whole ledger: an outcome a check, and the end of the audit log at that moment."""

    outcomes: tuple[Outcome, ...]
    head: Head

    @property
    def is_sound(self) -> bool:
        """Whether nothing is broken; something may still need somebody."""
        return not any(outcome.count for outcome in self.outcomes if not outcome.check.warns)


def verify(engine: Engine, now: int, known: Head | None = None, checks: Sequence[Check] = CHECKS) -> Verdict:
    """Looks at every invariant that the ledger can show, at one moment of it, and only reads.

    Args:
      engine: The ledger.
      now: The present moment, in milliseconds since the epoch; what is stuck depends on it.
      known: An earlier end of the audit log, kept elsewhere: the log must still hold it.
      checks: What is looked at.
    """
    with snapshot(engine) as connection:
        outcomes = [_outcome(check, check.find(connection, now)) for check in (*checks, *_still_holds(known))]
        return Verdict(tuple(outcomes), head(connection))


def _outcome(check: Check, found: Iterator[Breach]) -> Outcome:
    shown = tuple(islice(found, SHOWN))
    return Outcome(check, shown, len(shown) + sum(1 for _ in found))


def _still_holds(known: Head | None) -> tuple[Check, ...]:
    if known is None or not known.number:
        return ()

    def find(connection: Connection, _now: int) -> Iterator[Breach]:
        sha256 = connection.scalar(select(AUDIT.c.sha256).where(AUDIT.c.number == known.number))
        if sha256 != known.sha256:
            problem = "it is gone" if sha256 is None else "it has another digest than the one that was kept elsewhere"
            yield Breach("audit", str(known.number), problem)

    return (Check("The audit log still holds the head that was kept.", "compare it with the last backup", find),)
