"""Persons who meddle in the town's affairs, and the end, when none of them does any more."""

import contextlib
from collections.abc import Iterator

from remediation.blocks import block, unblock
from remediation.durations import HOUR_MS
from remediation.gateways.errors import DeferredError, SilentError, UnusableError
from remediation.ledger.audit import Author
from remediation.ledger.budgets import Caps
from remediation.ledger.control import Mode, set_mode
from remediation.ledger.control_tables import BLOCKS
from remediation.ledger.tables import OUTBOX
from remediation.mailing.suppressed import allow, suppress
from remediation.reconciling.reconcile import reconcile
from remediation.reviewing.by_hand import done, drop
from remediation.reviewing.runs import release, withdraw
from remediation.reviewing.verdicts import ReviewError, approve, reject
from remediation.verifying import verify
from tests.prove.glance import glance
from tests.prove.oracle import CALLED_OFF, Debt
from tests.prove.soundness import unfinished
from tests.prove.town import Town, address_of, one_of
from tests.support.provider import InProcessGateway


@contextlib.contextmanager
def _refused_unless(allowed: bool) -> Iterator[None]:  # noqa: FBT001 - it reads as a sentence
    """What a person asks for is done where the oracle allows it, and refused where it does not."""
    try:
        yield
    except ReviewError:
        assert not allowed
    else:
        assert allowed


class PeopledTown(Town):
    """What persons can do, each as a method that also tells the oracle."""

    @property
    def _ada(self) -> Author:
        return Author("person ada", self.now())

    def _debt(self, which: int) -> Debt:
        return self.oracle.debts[one_of(sorted(self.oracle.debts), which)]

    def reconcile(self) -> None:
        with contextlib.suppress(SilentError, DeferredError, UnusableError):
            reconcile(self.ledger, InProcessGateway(self.world.provider), self.now)
        self.oracle.blocked = {row["order_line_id"] for row in glance(self.ledger, [BLOCKS])["blocks"]}

    def change_policy(self, caps: Caps) -> None:
        self.oracle.caps = caps

    def set_clock(self, skew: int) -> None:
        self.skew = skew

    def turn_switch(self, mode: Mode, percent: int) -> None:
        set_mode(self.ledger, mode, self._ada, "because", percent)
        self.oracle.mode, self.oracle.canary_percent = mode, percent

    def block_or_unblock(self, line: str) -> None:
        if line in self.oracle.blocked:
            for row in glance(self.ledger, [BLOCKS])["blocks"]:
                if row["order_line_id"] == line:
                    unblock(self.ledger, line, row["kind"], self._ada, "it is settled")
        else:
            block(self.ledger, line, "dispute", self._ada, "the bank asks")
        self.oracle.blocked ^= {line}

    def suppress_or_allow(self, customer: str) -> None:
        if customer in self.suppressed:
            allow(self.ledger, address_of(customer), "asked for it", self._ada)
        else:
            suppress(self.ledger, address_of(customer), "request", self._ada)
        self.suppressed ^= {customer}

    def approve(self, which: int) -> None:
        debt = self._debt(which)
        fits = debt.state == "held" and self.oracle.fits(debt)
        with _refused_unless(fits):
            approve(self.ledger, debt.remedy.remedy_id, self._ada, "looked at")
            self.oracle.set_aside(debt)
            debt.state = "approved"

    def reject(self, which: int) -> None:
        debt = self._debt(which)
        states = {
            row["state"] for row in glance(self.ledger, [OUTBOX])["outbox"] if row["remedy_id"] == debt.remedy.remedy_id
        }
        with _refused_unless(debt.state not in CALLED_OFF and states <= {"approved", "manual", "held"}):
            reject(self.ledger, debt.remedy.remedy_id, self._ada, "looked at")
            self.oracle.call_off(debt, "rejected")

    def release(self, which: int) -> None:
        run_id = one_of(self.nights, which)[0].run_id
        with _refused_unless(self.oracle.runs[run_id] in {"recording", "held"}):
            release(self.ledger, run_id, self._ada, "looked at")
            self.oracle.runs[run_id] = "released"

    def withdraw(self, which: int) -> None:
        run_id = one_of(self.nights, which)[0].run_id
        with _refused_unless(self.oracle.runs[run_id] in {"recording", "held"}):
            withdraw(self.ledger, run_id, self._ada, "looked at")
            self.oracle.withdraw(run_id)

    def end_by_hand(self, which: int) -> None:
        if outbox_id := self._waiting(which):
            done(self.ledger, outbox_id, self._ada, "done", "by bank transfer")

    def drop(self, which: int) -> None:
        if outbox_id := self._waiting(which):
            drop(self.ledger, outbox_id, self._ada, "not worth it")

    def _waiting(self, which: int) -> str | None:
        """Something that waits for a person, if anything does."""
        waiting = [
            item["outbox_id"]
            for item in glance(self.ledger, [OUTBOX])["outbox"]
            if item["state"] in {"failed", "manual"}
        ]
        return str(one_of(waiting, which)) if waiting else None

    def quiet_returns(self) -> None:
        """Nothing goes wrong any more and nothing is stopped: everything comes to its end, or to a person."""
        self.world.provider.calm()
        self.skew = 0
        self.turn_switch(Mode.NORMAL, 0)
        for line in sorted(self.oracle.blocked):
            self.block_or_unblock(line)
        for which, (run, _, _) in enumerate(self.nights):
            if self.oracle.runs[run.run_id] in {"recording", "held"}:
                self.release(which)
        self.wait(240 * HOUR_MS)
        for _ in range(60):
            self.send()
            if not unfinished(self.ledger, self.world):
                break
            self.wait(6 * HOUR_MS)
        self.demand_soundness()
        assert not (left := unfinished(self.ledger, self.world)), left
        self.demand_a_verdict()

    def demand_a_verdict(self) -> None:
        """The program's own judgement of its ledger is the same."""
        verdict = verify(self.ledger, self.now())
        assert verdict.is_sound, [outcome.breaches for outcome in verdict.outcomes if outcome.count]
