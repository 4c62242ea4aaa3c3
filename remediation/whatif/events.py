"""What happened to a ledger, in the order of its audit log, as a replay needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from detectors.finding import Finding
from remediation.book import Entry
from remediation.guards.figures import Figures
from remediation.ledger.run import Objection, RunKind
from remediation.orders import Customer, OrderLine
from remediation.policy.model import Policy
from remediation.remedy import Declined, Remedy, RemedyState


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that is replayed. `as_of` is in milliseconds since the epoch; `policy` is null where it was not kept."""

    run_id: str
    as_of: int
    kind: RunKind
    policy_sha256: str
    policy: Policy | None
    figures: Figures | None
    objections: tuple[Objection, ...]


@dataclass(frozen=True, slots=True)
class PastClaim:
    """What was found on an order line, and what was decided on it; null where nothing followed.

    `place` orders the pay-outs of a run as they took from budgets and stock. A
    remedy is as it was recorded then, whatever became of it. `findings` are empty
    where they are not known any more; `is_whole` says that their provenance is.
    """

    order_line_id: str
    customer_id: str
    place: int
    findings: tuple[Finding, ...]
    is_whole: bool
    available: int | None
    outcome: Remedy | Declined | None


@dataclass(frozen=True, slots=True)
class Unit:
    """Claims that were decided together."""

    run_id: str
    claims: tuple[PastClaim, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The guards judged a run, at this moment of the clock (milliseconds since the epoch)."""

    run_id: str
    at: int
    state: str


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """A person released a run, or withdrew it."""

    run_id: str
    state: str


@dataclass(frozen=True, slots=True)
class RemedyVerdict:
    """A person approved a remedy or rejected it, or it was withdrawn with its run."""

    remedy_id: str
    state: RemedyState


Event: TypeAlias = Unit | Judged | RunVerdict | RemedyVerdict


@dataclass(frozen=True, slots=True)
class Kept:
    """The figures of a run that was judged, and the state in which it is."""

    run_id: str
    kind: RunKind
    as_of: int
    state: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Start:
    """The ledger before the first run that is replayed.

    `lines` and `customers` are those of the claims, as they are known now; a
    customer has an id and a zone here and nothing else. `spent` is by budget,
    `declined` are ids.
    """

    lines: Mapping[str, OrderLine]
    customers: Mapping[str, Customer]
    entries: tuple[Entry, ...]
    spent: Mapping[str, int]
    declined: frozenset[str]
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """Everything that is replayed. `unlogged` counts runs that are older than the audit log, and so are not."""

    runs: Mapping[str, PastRun]
    events: tuple[Event, ...]
    start: Start
    unlogged: int
