"""What the guards know of one night: a few kilobytes of figures, without any person in them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

from pydantic import ConfigDict, TypeAdapter

from detectors.incidents.cohorts import Lane
from remediation.canonical import canonical_json
from remediation.remedy import GOODS, Remedy

InputRole = Literal["telemetry", "orders", "customers", "grants", "stock"]

_STRICT: Final = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """So many sessions, order lines or parcels, of which so many fell below the standard."""

    __pydantic_config__: ClassVar = _STRICT

    units: int
    flagged: int

    @property
    def rate(self) -> float | None:
        """The share that was flagged, 0 to 1; null where nothing was judged."""
        return self.flagged / self.units if self.units else None


@dataclass(frozen=True, slots=True)
class Group:
    """The sessions or parcels that share one value, such as an app version: `dimension` and `value` name it."""

    __pydantic_config__: ClassVar = _STRICT

    lane: Lane
    dimension: str
    value: str
    judged: Judged


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """All files of a night that are one source: one role, and one name once dates and numbers are left out."""

    __pydantic_config__: ClassVar = _STRICT

    role: InputRole
    name: str
    files: int
    bytes: int
    records: int


@dataclass(frozen=True, slots=True)
class Paid:
    """The refunds in one currency that no person has to agree to first, in its minor units."""

    __pydantic_config__: ClassVar = _STRICT

    currency: str
    refunds: int
    amount_minor: int
    largest_minor: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One night in figures.

    `as_of` is in milliseconds since the epoch. `records` is the sum of the four
    counts after it. `median_age_ms` is how long before `as_of` the middle session
    began, negative where it began after; null without sessions. `payouts` are the
    remedies that no person has to agree to first, `paid`, `goods` (orders of goods)
    and `customers` are theirs. `groups` are the largest and the most flagged values
    of each dimension. A field that is added later needs a default: earlier nights
    were kept without it.
    """

    __pydantic_config__: ClassVar = _STRICT

    as_of: int
    policy_sha256: str
    detector_version: str
    records: int
    used: int
    duplicate: int
    rejected: int
    late: int
    sources: tuple[SourceFigures, ...]
    sessions: Judged
    order_lines: Judged
    median_age_ms: int | None
    findings_by_kind: Mapping[str, int]
    remedies_by_state: Mapping[str, int]
    payouts: int
    paid: tuple[Paid, ...]
    goods: int
    customers: int
    groups: tuple[Group, ...]


def with_remedies(figures: Figures, remedies: Iterable[Remedy]) -> Figures:
    """The figures of a night that gave these remedies; every other figure is as it was."""
    given = tuple(remedies)
    approved = [remedy for remedy in given if remedy.state == "approved"]
    return replace(
        figures,
        remedies_by_state=dict(sorted(Counter(remedy.state for remedy in given).items())),
        payouts=len(approved),
        paid=_paid(approved),
        goods=sum(action.kind in GOODS for remedy in approved for action in remedy.actions),
        customers=len({remedy.customer_id for remedy in approved}),
    )


def _paid(approved: Iterable[Remedy]) -> tuple[Paid, ...]:
    amounts: dict[str, list[int]] = {}
    for remedy in approved:
        if remedy.amount:
            amounts.setdefault(remedy.currency, []).append(remedy.amount)
    return tuple(Paid(currency, len(of), sum(of), max(of)) for currency, of in sorted(amounts.items()))


_FIGURES: Final = TypeAdapter(Figures)


def to_json(figures: Figures) -> object:
    """The figures as JSON says them, for a JSON column: equal figures are equal JSON."""
    kept: object = _FIGURES.dump_python(figures, mode="json")
    return kept


def from_json(kept: object) -> Figures:
    """The figures of what `to_json` gave.

    Raises:
      pydantic.ValidationError: Something is missing, unknown or of another type.
    """
    return _FIGURES.validate_json(canonical_json(kept))
