"""What the report's template is given: every figure already text, every choice already made."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from markupsafe import Markup

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the night, what is usual, and its chart over the nights; null where none came before."""

    label: str
    value: str
    note: str
    chart: Markup | None


@dataclass(frozen=True, slots=True)
class NightRow:
    """One night of the table below the cards."""

    when: str
    state: str
    paid: str
    customers: str
    held: str
    sessions: str
    order_lines: str
    rejected: str
    late: str


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage from events to mails; a loss is its reason, its number and its share."""

    what: str
    came: str
    went_on: str
    losses: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class KindRow:
    """How often one kind of failure was found; `usual` is empty where nothing is usual yet."""

    name: str
    count: str
    usual: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One value of a dimension: how many were flagged; `said` is the same in short."""

    name: str
    flagged: str
    units: str
    rate: str
    said: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Failures by one dimension."""

    heading: str
    noun: str
    rows: tuple[GroupRow, ...]
    chart: Markup
    note: str


@dataclass(frozen=True, slots=True)
class GuardRow:
    """What one guard read, and how far it is from tripping."""

    name: str
    margin: str
    reason: str
    holds: bool


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source of the night; `wrong` where its guard holds the night."""

    role: str
    name: str
    files: str
    records: str
    usual: str
    verdict: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the table of contents: the id of a part, its name, and what waits there, if anything."""

    part: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that must not be missed, and the points behind it; `serious` where it forbids going on."""

    text: str
    serious: bool
    points: tuple[str, ...] = ()


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
class RemedyLine:
    """One remedy in a row of a table."""

    order_line_id: str
    title: str
    amount: str
    actions: str
    kinds: str
    state: str


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
class Remedies:
    """The first remedies whole, more of them as rows, and a sentence on those that are not shown."""

    whole: tuple[RemedyView, ...]
    rows: tuple[RemedyLine, ...]
    left_out: str


@dataclass(frozen=True, slots=True)
class Tickets:
    """Likewise of tickets."""

    whole: tuple[TicketView, ...]
    rows: tuple[TicketView, ...]
    left_out: str


@dataclass(frozen=True, slots=True)
class NightView:
    """The whole report."""

    heading: str
    lede: tuple[str, ...]
    notices: tuple[Notice, ...]
    contents: tuple[Entry, ...]
    cards: tuple[Card, ...]
    money: tuple[Card, ...]
    compared: str
    nights: tuple[NightRow, ...]
    balance: str
    balanced: bool
    funnel_chart: Markup | None
    stages: tuple[StageView, ...]
    kind_chart: Markup | None
    kinds: tuple[KindRow, ...]
    breakdowns: tuple[Breakdown, ...]
    tickets: Tickets
    guard_chart: Markup | None
    guards: tuple[GuardRow, ...]
    record_cards: tuple[Card, ...]
    rejects: Listing[RejectView]
    sources: tuple[SourceRow, ...]
    held: Remedies
    reviews: Listing[DeclinedView]
    made_good: Remedies
    declined: Listing[DeclinedView]
    inputs: Listing[InputView]
    provenance: tuple[tuple[str, str], ...]
