"""Verifies a ledger and says what that took: `python -m tests.benchmarks.proving URL REMEDIES`."""

import sys

from remediation.database import open_ledger
from remediation.verifying import verify
from tests.benchmarks.books import MORNING
from tests.benchmarks.measure import report_work


def prove() -> int:
    """Looks at everything; returns how many remedies there were.

    Raises:
      RuntimeError: A check found something in a sound ledger.
    """
    engine = open_ledger(sys.argv[1])
    verdict = verify(engine, MORNING)
    engine.dispose()
    if not verdict.is_sound:
        raise RuntimeError("the ledger that was made for this is not sound")
    return int(sys.argv[2])


if __name__ == "__main__":
    report_work(prove)
