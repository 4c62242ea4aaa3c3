"""What a fixture's `expected/` demands, and what a run wrote, both read strictly."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, Field


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


class WrittenRemedy(_Written):
    """One line of `remedies.jsonl`."""

    remedy_id: str
    finding_ids: list[str]
    order_line_id: str
    number: int
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
