"""A claim: one order line, what was found on it, and what was decided on it before."""

from collections.abc import Iterable
from dataclasses import dataclass

from detectors.finding import Finding
from remediation.book import Entry
from remediation.money import Money
from remediation.orders import OrderLine
from remediation.policy.case import Case, evidence_sha256, standing
from remediation.remedy import GOODS, ActionKind


@dataclass(frozen=True, slots=True)
class Claim:
    """What is decided as one: `earlier` are the remedies of this line, in any order."""

    line: OrderLine
    findings: tuple[Finding, ...]
    earlier: tuple[Entry, ...]

    @property
    def price(self) -> Money:
        """What was paid for the line, shipping apart."""
        return Money(self.line.amount_minor, self.line.currency)

    @property
    def finding_ids(self) -> tuple[str, ...]:
        """Each once: a session that fell silent for long and came back is found twice under one id."""
        return tuple(sorted({finding.finding_id for finding in self.findings}))

    @property
    def is_known(self) -> bool:
        """Whether there is nothing to decide: no finding, or just the evidence of an earlier remedy."""
        evidence = evidence_sha256(self.findings)
        return not self.findings or any(entry.evidence_sha256 == evidence for entry in self.judged)

    @property
    def judged(self) -> tuple[Entry, ...]:
        """The earlier remedies but those that were withdrawn with their run, as if it had never been made."""
        return tuple(entry for entry in self.earlier if entry.remedy.state != "withdrawn")

    @property
    def was_rejected(self) -> bool:
        """Whether a person has refused an earlier remedy of this line on its own merits."""
        return any(entry.remedy.state == "rejected" for entry in self.earlier)

    @property
    def same_incident(self) -> tuple[Entry, ...]:
        """The remedies that a new one may only top up.

        On a rental or purchase that is every one. A subscription goes on: there it
        is those that share a finding, and another evening is another incident.
        """
        if self.line.kind != "subscription":
            return standing(self.earlier)
        of_line = standing(self.earlier)
        return tuple(entry for entry in of_line if not set(entry.remedy.finding_ids).isdisjoint(self.finding_ids))

    @property
    def sent(self) -> int:
        """How often goods were sent for this line, or will be once a person has agreed."""
        return sum(action.kind in GOODS for entry in standing(self.earlier) for action in entry.remedy.actions)

    @property
    def is_refunded(self) -> bool:
        """Whether the whole price of the item was given back; nothing was where nothing was paid."""
        return 0 < self.price.minor <= self.given("refund", self.earlier)

    @property
    def is_made_good(self) -> bool:
        """Whether the item was given back in money or sent once more."""
        return self.is_refunded or self.sent > 0

    @property
    def next_number(self) -> int:
        """The number of the next pay-out slot of this line, from 1."""
        return max((entry.remedy.number for entry in self.earlier), default=0) + 1

    def given(self, kind: ActionKind, entries: Iterable[Entry]) -> int:
        """Minor units that `entries` gave as `kind`, or will give once a person has agreed.

        Goodwill that was withheld counts as given: whoever is held out does not get it later either.
        """
        remedies = [entry.remedy for entry in standing(entries)]
        given = sum(action.amount_minor or 0 for each in remedies for action in each.actions if action.kind == kind)
        return given + sum(each.withheld_minor for each in remedies if kind == "credit")


def claims(case: Case) -> tuple[Claim, ...]:
    """The claims of a customer, in the order of order line ids."""
    return tuple(
        Claim(
            line, findings, tuple(entry for entry in case.history if entry.remedy.order_line_id == line.order_line_id)
        )
        for line, findings in sorted(case.lines, key=lambda each: each[0].order_line_id)
    )
