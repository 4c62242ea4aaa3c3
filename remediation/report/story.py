"""All that happened to one order line, as records; `lookup` reads them from the ledger."""

from dataclasses import dataclass
from datetime import date

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
    promised_date: date | None = None
    tracking_number: str | None = None
    carrier: str | None = None


@dataclass(frozen=True, slots=True)
class ParcelScan:
    """One scan of a parcel. Where it lies on the map is left out: that may be somebody's door."""

    event_time: int
    status: str
    reason: str | None
    proof: str | None
    depot: str | None


@dataclass(frozen=True, slots=True)
class CustomerContact:
    """What a customer told us of an order line, by its topic."""

    contact_id: str
    event_time: int
    topic: str
    received_item_id: str | None


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
class Cause:
    """The ticket of a cause that this order line shares with others."""

    ticket_id: str
    state: str
    claim: str


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
    no pay-out rests on. `scans` and `contacts` are those of goods, oldest first.
    """

    subject: Subject
    line: PaidLine | None
    findings: tuple[Finding, ...]
    payouts: tuple[Payout, ...]
    declined: tuple[Declined, ...]
    scans: tuple[ParcelScan, ...] = ()
    contacts: tuple[CustomerContact, ...] = ()
    causes: tuple[Cause, ...] = ()
