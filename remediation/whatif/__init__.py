"""What another policy would have decided: past runs are gone through once more, without any effect.

    past ──► replay ──► difference ──► telling
     │         ├─ world        the ledger as it would stand, in memory
     │         ├─ thresholds   findings under other thresholds
     │         └─ guarding     runs under other guards
     └─ older: runs from before their claims were written down

Beside the imagined world the recorded one is gone through. Where the recorded policy,
asked once more, does not decide what it decided then, something of then is not
known any more: what was decided stands.
"""
