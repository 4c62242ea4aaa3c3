"""An incident: one cause, many customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from detectors.finding import Fault, Subject, content_id
from detectors.incidents.cohorts import NOUNS, CohortKind

IncidentKind = Literal["listing"] | CohortKind

MAX_AFFECTED: Final = 1_000
"""Subjects that an incident names, the latest ones; `affected_count` counts them all."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How far a cohort stands out. Rates and ratios are of units; intervals hold with 95 %.

    The rest are the known units outside of the cohort. What a graver incident
    explains is in neither. Without a failure in the rest, ratio and upper end are
    unbounded: null.
    """

    units: int
    failures: int
    rate: float
    rate_low: float
    rate_high: float
    rest_units: int
    rest_failures: int
    baseline: float
    ratio: float | None
    ratio_low: float
    ratio_high: float | None
    q_value: float


@dataclass(frozen=True, slots=True)
class Affected:
    """One session or order line that the incident spoilt, and when, in milliseconds since the epoch."""

    subject: Subject
    occurred_at: int


@dataclass(frozen=True, slots=True)
class Incident:
    """A claim about a cause, for a person to confirm: nothing is done about it by itself.

    `cohort` is what the failures share, by dimension. `figures` are null for a
    listing, which rests on reports and not on statistics. `affected` are at most
    `MAX_AFFECTED` subjects. So many new failures as `reopened_by`, after a person
    has closed the case, make it a case again.
    """

    kind: IncidentKind
    cohort: Mapping[str, str]
    failure_kinds: tuple[str, ...]
    claim: str
    fault: Fault
    figures: Figures | None
    affected: tuple[Affected, ...]
    affected_count: int
    confirmed_by_customers: int
    suggested_action: str
    reopened_by: int

    @property
    def incident_id(self) -> str:
        """The kind and the cohort name an incident, never its time or its figures."""
        dimensions = tuple(sorted(self.cohort))
        values = tuple(self.cohort[name] for name in dimensions)
        return content_id(incident=self.kind, dimensions=dimensions, values=values)


def named(cohort: Mapping[str, str]) -> str:
    """The cohort in words: `CDN cdn-a and network isp-1`."""
    return " and ".join(f"{NOUNS.get(name, name)} {value}" for name, value in cohort.items())
