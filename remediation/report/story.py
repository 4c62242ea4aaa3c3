"""All that happened to one order line, as records; `lookup` reads them from the ledger."""

from dataclasses import dataclass

from detectors.finding import Finding, Subject
from remediation.mail import Mail
from remediation.money import Money
from remediation.orders import OrderKind
from remediation.remedy import Declined, Remedy


@dataclass(frozen=True, slots=True)
class PaidLine:
    """What an order line is, as far as explaining needs it."""

    order_line_id: str
    order_id: str
    kind: OrderKind
    title: str
    paid: Money
    shipping: Money
    purchased_at: int


@dataclass(frozen=True, slots=True)
class Sending:
    """One row of the outbox: a refund or a mail, and where it stands."""

    kind: str
    state: str
    not_before: int
    attempts: int
    provider_reference: str | None
    settled_at: int | None


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of a booking: a debit is positive, a credit negative."""

    transaction_id: str
    account: str
    amount: Money
    posted_at: int


@dataclass(frozen=True, slots=True)
class Payout:
    """One remedy with all that followed from it. `findings` carry the figures on which it was decided."""

    remedy: Remedy
    as_of: int
    run_id: str
    findings: tuple[Finding, ...]
    mail: Mail | None
    sendings: tuple[Sending, ...]
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """All that is recorded of one order line, or of one subject that is bound to none.

    `line` is null where the order line is not known. `findings` are those that
    no pay-out rests on.
    """

    subject: Subject
    line: PaidLine | None
    findings: tuple[Finding, ...]
    payouts: tuple[Payout, ...]
    declined: tuple[Declined, ...]
