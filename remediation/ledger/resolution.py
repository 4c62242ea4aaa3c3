"""What one decision leads to, ready to be recorded."""

from dataclasses import dataclass
from typing import Final

from detectors.finding import Finding
from remediation.mail import Mail
from remediation.remedy import Declined, Remedy

REFUND_ACTIONS: Final = frozenset({"refund", "shipping_refund"})
"""Money that goes back the way it came, and so is bounded by what was paid."""


@dataclass(frozen=True, slots=True)
class Basis:
    """On what an order line was decided, beside its findings: kept so that it can be decided once more.

    `available` is how many of the line's item could be sent; null where nobody has counted.
    """

    order_line_id: str
    customer_id: str
    evidence_sha256: str
    available: int | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """Findings and what follows from them: a remedy with its mail, a reason why none, or nothing that is new.

    `evidence_sha256` digests the findings on which the remedy was decided. `basis` is
    there where the policy was asked; where nothing new follows it must be.
    `not_before` (milliseconds since the epoch) is when the mail may be sent at
    the earliest; a mail has to say, so that none goes out at night by omission.

    Raises:
      ValueError: Both of remedy and declined, neither of them without a basis,
        or a part is missing or belongs to another remedy.
    """

    findings: tuple[Finding, ...]
    remedy: Remedy | None = None
    evidence_sha256: str | None = None
    mail: Mail | None = None
    not_before: int | None = None
    declined: Declined | None = None
    basis: Basis | None = None

    def __post_init__(self) -> None:
        """Checks that the parts fit together."""
        given = (self.remedy is not None) + (self.declined is not None)
        if given > 1 or not (given or self.basis):
            raise ValueError("a resolution is either a remedy or declined, or nothing new follows from its basis")
        if (self.remedy is None) != (self.evidence_sha256 is None):
            raise ValueError("a remedy needs evidence_sha256, and nothing else has one")
        if self.mail is not None:
            if self.remedy is None or self.mail.remedy_id != self.remedy.remedy_id:
                raise ValueError(
                    f"mail {self.mail.message_id} belongs to remedy {self.mail.remedy_id}, not to this one"
                )
            if self.not_before is None:
                raise ValueError(f"mail {self.mail.message_id} needs not_before: when may it be sent at the earliest?")
        decision = self.remedy or self.declined
        missing = set(decision.finding_ids if decision else ()) - {finding.finding_id for finding in self.findings}
        if missing:
            raise ValueError(f"finding {min(missing)} is named by the decision but not among its findings")


def refund_minor(remedy: Remedy) -> int:
    """The money that goes back by the way it was paid, in minor units of the remedy's currency.

    Raises:
      ValueError: An action that moves money lacks its amount, or the amounts do
        not sum to the remedy's.
    """
    money = [action for action in remedy.actions if action.kind in REFUND_ACTIONS or action.kind == "credit"]
    amounts = [action.amount_minor for action in money if action.amount_minor is not None]
    if len(amounts) < len(money) or min(amounts, default=0) < 0 or sum(amounts) != remedy.amount:
        raise ValueError(f"the actions of remedy {remedy.remedy_id} do not sum to its amount: mend the decision")
    return sum(action.amount_minor or 0 for action in money if action.kind in REFUND_ACTIONS)
