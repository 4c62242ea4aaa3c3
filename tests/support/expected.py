"""What a fixture's `expected/` demands, and what a run wrote, both read strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, TypeVar

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from detectors.finding import Scalar

T = TypeVar("T")


def _each(name: str) -> list[str]:
    """`line-01..50` names fifty lines; any other name names itself."""
    many = re.fullmatch(r"(.*?)(\d+)\.\.(\d+)", name)
    if many is None:
        return [name]
    start, first, last = many.groups()
    return [f"{start}{number:0{len(first)}}" for number in range(int(first), int(last) + 1)]


def _spread(by_line: Mapping[str, T]) -> Mapping[str, T]:
    return {each: value for name, value in by_line.items() for each in _each(name)}


def _spread_names(names: list[str]) -> list[str]:
    return [each for name in names for each in _each(name)]


class _Expected(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Counts(_Expected):
    """The sum that must hold: records = used + duplicate + rejected + late."""

    records: int
    used: int
    duplicate: int
    rejected: int
    late: int


class ExpectedSession(_Expected):
    """A figure that is not named may be anything."""

    what: str
    failures: list[str]
    also_possible: list[str] = []
    startup_ms: int | None = None
    stall_count: int | None = None
    stall_ms: int | None = None
    seek_wait_ms: int | None = None
    stalls_known: bool = True


class ExpectedRemedy(_Expected):
    """One pay-out, refunded in money and told in one mail."""

    amount: int
    currency: str
    mail_says: list[str]
    number: int = 1


class ExpectedDeclined(_Expected):
    """What became of findings that are not paid for."""

    outcome: str
    code: str


class ExpectedReject(_Expected):
    """One line of `rejects.jsonl`."""

    source: str
    scope: str
    code: str
    line: int | None = None
    field: str | None = None


class Expected(_Expected):
    """One `expected/*.json`. A session that is not named has no failure; there is no remedy that is not named."""

    story: str
    counts: Counts
    session_count: int
    sessions: dict[str, ExpectedSession]
    remedies: dict[str, ExpectedRemedy]
    declined: dict[str, ExpectedDeclined]
    rejects: list[ExpectedReject]


class ExpectedFinding(_Expected):
    """What failed on one order line; a figure of the evidence that is not named may be anything."""

    kind: str
    fault: str
    evidence: dict[str, Scalar] = {}


class ExpectedAmends(_Expected):
    """One decision in someone's favour: `refund 1799`, `replacement next_day`, `exchange`. Without words, no mail."""

    actions: list[str]
    amount: int
    currency: str
    number: int = 1
    state: str = "approved"
    mail_says: list[str] | None = None


class ExpectedTicket(_Expected):
    """One common cause, and all the order lines that it spoilt."""

    kind: str
    cohort: dict[str, str]
    order_line_ids: Annotated[list[str], BeforeValidator(_spread_names)]
    state: str = "open"


class ExpectedDeliveries(_Expected):
    """One `expected/*.json` of goods: nothing is found, given or declined that is not named."""

    story: str
    counts: Counts
    findings: Annotated[dict[str, ExpectedFinding], BeforeValidator(_spread)]
    remedies: Annotated[dict[str, ExpectedAmends], BeforeValidator(_spread)]
    declined: dict[str, ExpectedDeclined]
    rejects: list[ExpectedReject]
    tickets: list[ExpectedTicket]


class _Written(BaseModel):
    # A scenario reads what it compares; the rest of a line is the business of other tests.
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Subject(_Written):
    """What a finding or a decision is about."""

    type: str
    id: str


class WrittenFinding(_Written):
    """One line of `findings.jsonl`."""

    finding_id: str
    kind: str
    subject: Subject
    fault: str
    evidence: dict[str, Scalar]


class WrittenAction(_Written):
    """One action of a remedy."""

    kind: str
    amount_minor: int | None
    service_level: str | None

    def __str__(self) -> str:
        """As `expected/` says it."""
        more = self.service_level if self.amount_minor is None else self.amount_minor
        return self.kind if more is None else f"{self.kind} {more}"


class WrittenRemedy(_Written):
    """One line of `remedies.jsonl`."""

    remedy_id: str
    finding_ids: list[str]
    order_line_id: str
    number: int
    actions: list[WrittenAction]
    amount: int
    currency: str
    state: str
    reason: Annotated[str, Field(min_length=1)]


class WrittenDeclined(_Written):
    """One line of `declined.jsonl`."""

    subject: Subject
    outcome: str
    code: str
    reason: Annotated[str, Field(min_length=1)]


class WrittenReject(_Written):
    """One line of `rejects.jsonl`."""

    source: str
    line: int | None
    scope: str
    code: str
    field: str | None
    count: int


class WrittenTicket(_Written):
    """One line of `tickets.jsonl`."""

    kind: str
    cohort: dict[str, str]
    order_line_ids: list[str]
    claim: Annotated[str, Field(min_length=1)]
    suggested_action: Annotated[str, Field(min_length=1)]
    state: str


Line = TypeVar("Line", bound=_Written)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run said, and the folder to which it wrote."""

    said: str
    folder: Path

    def sessions(self) -> pl.DataFrame:
        """The session table."""
        return pl.read_parquet(self.folder / "sessions.parquet")

    def lines(self, kind: type[Line], name: str) -> list[Line]:
        """The lines of one of the written JSON Lines files."""
        return [kind.model_validate_json(line) for line in (self.folder / name).read_bytes().splitlines()]

    def mails(self) -> dict[str, EmailMessage]:
        """The mails that were rendered, by remedy."""
        files = (self.folder / "mail").glob("*.eml")
        return {file.stem: message_from_bytes(file.read_bytes(), policy=policy.default) for file in files}
