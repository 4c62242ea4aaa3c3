"""The ledger proves itself: every invariant that it can show is looked at, and the row that breaks one is named."""

from remediation.verifying.breach import Breach, Check
from remediation.verifying.verdict import SHOWN, Outcome, Verdict, verify

__all__ = ["SHOWN", "Breach", "Check", "Outcome", "Verdict", "verify"]
