"""What the report's template is given: every figure already text, every choice already made."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the night at a glance; several values where currencies must not be added."""

    label: str
    values: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that must not be missed; `serious` where it forbids going on."""

    text: str
    serious: bool


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding in words and figures."""

    kind: str
    when: str
    evidence: str
    fault: str
    severity: str
    subject: str
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail as it was written; who receives it stands in the ledger alone."""

    language: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class RemedyView:
    """One remedy with its evidence."""

    remedy_id: str
    order_line_id: str
    title: str
    amount: str
    actions: str
    state: str
    held: bool
    reason: str
    findings: tuple[FindingView, ...]
    mail: MailView | None


@dataclass(frozen=True, slots=True)
class TicketView:
    """One common cause: the claim, what is to be done about it, and the figures behind it."""

    ticket_id: str
    claim: str
    suggested_action: str
    state: str
    waits: bool
    touched: str
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeclinedView:
    """One subject without a pay-out, and why."""

    subject: str
    order_line_id: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class RejectView:
    """Rejects alike: how often, and one example with its place."""

    code: str
    field: str
    scope: str
    count: str
    reason: str
    example: str


@dataclass(frozen=True, slots=True)
class InputView:
    """One file of the input manifest."""

    role: str
    name: str
    size: str
    rows: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """The rows of a list that are shown, and a sentence on those that are not; empty where all are."""

    rows: tuple[Row, ...]
    left_out: str


@dataclass(frozen=True, slots=True)
class NightView:
    """The whole report."""

    heading: str
    lede: tuple[str, ...]
    notices: tuple[Notice, ...]
    glance: tuple[Figure, ...]
    kinds: tuple[tuple[str, str], ...]
    balance: str
    balanced: bool
    held: Listing[RemedyView]
    reviews: Listing[DeclinedView]
    tickets: Listing[TicketView]
    made_good: Listing[RemedyView]
    declined: Listing[DeclinedView]
    rejects: Listing[RejectView]
    inputs: Listing[InputView]
    provenance: tuple[tuple[str, str], ...]
