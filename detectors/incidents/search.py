"""Looks for cohorts with an improbable share of failures, the most improbable first.

What an incident explains is taken out before the search goes on, so that a
burning depot makes one incident, and not one more for its carrier and for each
item that lay there. The least probable cohort is the narrowest that keeps most
failures: a wider one thins them out with healthy units, a narrower one loses some.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

import polars as pl

from detectors.finding import Subject
from detectors.incidents.blame import blame
from detectors.incidents.chance import log_p_excess, q_values, ratio_interval, share_interval
from detectors.incidents.cohorts import COHORTS, UNIT_NOUNS, Cohort
from detectors.incidents.incident import MAX_AFFECTED, Affected, Figures, Incident, named
from detectors.incidents.mixups import listings
from detectors.incidents.rules import IncidentRules
from detectors.incidents.tally import Tally, merged, shared

_GROUP: Final = ("lane", "cohort", "value", "second")
_PLACES: Final = {cohort.name: place for place, cohort in enumerate(COHORTS)}
_DIGITS: Final = 4
"""Significant digits of a figure: more would differ from one machine's logarithm to another's."""


@dataclass(frozen=True, slots=True)
class _Suspect:
    """One kind of failure in one cohort, with its counts and what they say."""

    cohort: Cohort
    values: tuple[str, ...]
    kind: str
    counts: tuple[int, int, int, int]  # failures, units, and both of the rest
    log_p: float
    q_value: float = 1.0

    @property
    def rank(self) -> tuple[float, int, str, tuple[str, ...]]:
        """The least probable first; of equals, the simpler claim."""
        return self.log_p, _PLACES[self.cohort.name], self.kind, self.values


def incidents(tally: Tally, mixups: pl.DataFrame, rules: IncidentRules) -> tuple[Incident, ...]:
    """Every cause that many failures seem to share: mixed-up listings first, then cohorts, the clearest first.

    Args:
      tally: All parts together, see `merged`; one with a part missing has wrong rates.
      mixups: `MIXUPS`, all reports of the ledger; empty where there are none.
      rules: What is large, frequent and improbable enough.

    Raises:
      ValueError: A cohort has more failures than units, so that parts do not belong together.
    """
    found = tuple(listings(mixups))
    pairs = pl.DataFrame([incident.cohort for incident in found], schema=["item_id", "received_item_id"])
    mixed_up = mixups.join(pairs.cast(pl.String), on=["item_id", "received_item_id"])["order_line_id"]
    whole = merged([tally])
    explained = (pl.col("kind") == "wrong_item") & pl.col("subject_id").is_in(mixed_up.to_list())
    return found + tuple(_cohort_incidents(whole, whole.failing.filter(explained), rules))


def _cohort_incidents(tally: Tally, explained: pl.DataFrame, rules: IncidentRules) -> Iterator[Incident]:
    looked_at = tally.failing.select("lane", "kind").unique()
    while True:
        failing = tally.failing.join(explained, on=["kind", "subject_id"], how="anti")
        units = _remaining_units(tally.units, explained.join(failing, on="unit_id", how="anti"), rules)
        tests = units.join(looked_at, on="lane").height
        improbable = [
            suspect for suspect in _suspects(units, failing, rules, tests) if suspect.q_value <= rules.q_value
        ]
        if not improbable:
            return
        first = min(improbable, key=lambda suspect: suspect.rank)
        same = [item for item in improbable if (item.cohort, item.values) == (first.cohort, first.values)]
        inside = _inside(failing, first)
        yield _incident(first, inside.filter(pl.col("kind").is_in([item.kind for item in same])), rules)
        explained = pl.concat([explained, inside])


def _remaining_units(units: pl.DataFrame, explained: pl.DataFrame, rules: IncidentRules) -> pl.DataFrame:
    """Cohorts that are large enough to be looked at, and whose rest is, without the units that fail no more."""
    gone = _grouped(explained, ()).select(*_GROUP, gone="failures")
    left = units.join(gone, on=_GROUP, how="left", nulls_equal=True).with_columns(
        units=pl.col("units") - pl.col("gone").fill_null(0)
    )
    rest = pl.col("units").sum().over("lane", "cohort") - pl.col("units")
    sized = left.drop("gone").with_columns(rest_units=rest)
    return sized.filter((pl.col("units") >= rules.min_units) & (pl.col("rest_units") >= rules.min_units))


def _suspects(units: pl.DataFrame, failing: pl.DataFrame, rules: IncidentRules, tests: int) -> list[_Suspect]:
    """Cohorts with enough failures of enough customers, much more often than the rest, with their q values.

    One viewer with a bad line can fail again and again and is still one viewer.
    """
    counted = _grouped(failing, ("kind",))
    rest = pl.col("failures").sum().over("lane", "cohort", "kind") - pl.col("failures")
    enough = (pl.col("failures") >= rules.min_failures) & (pl.col("customers") >= rules.min_failures)
    often = pl.col("failures") * pl.col("rest_units") >= rules.min_ratio * pl.col("rest_failures") * pl.col("units")
    rows = (
        counted.with_columns(rest_failures=rest)
        .join(units, on=_GROUP, nulls_equal=True)
        .filter(enough & often)
        .select("cohort", "value", "second", "kind", "failures", "units", "rest_failures", "rest_units")
        .iter_rows()
    )
    suspects = [
        _Suspect(
            COHORTS[_PLACES[cohort]],
            (value,) if second is None else (value, second),
            kind,
            (failures, units, rest_failures, rest_units),
            log_p_excess(failures, units, rest_failures, rest_units),
        )
        for cohort, value, second, kind, failures, units, rest_failures, rest_units in rows
    ]
    q_of_each = q_values([suspect.log_p for suspect in suspects], tests)
    return [replace(suspect, q_value=q) for suspect, q in zip(suspects, q_of_each, strict=True)]


def _grouped(failing: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Failed units and the customers who had them, by cohort."""
    customers = pl.coalesce("customer_id", "unit_id").n_unique()
    return pl.concat(
        shared(failing.filter(pl.col("lane") == cohort.lane), cohort)
        .group_by(*_GROUP, *by)
        .agg(failures=pl.col("unit_id").n_unique().cast(pl.Int64), customers=customers)
        for cohort in COHORTS
    )


def _inside(failing: pl.DataFrame, suspect: _Suspect) -> pl.DataFrame:
    """The failures of any kind in a cohort."""
    there = shared(failing.filter(pl.col("lane") == suspect.cohort.lane), suspect.cohort)
    for dimension, value in zip(suspect.cohort.dimensions, suspect.values, strict=True):
        there = there.filter(pl.col(dimension) == value)
    return there.select(failing.columns)


def _incident(suspect: _Suspect, failures: pl.DataFrame, rules: IncidentRules) -> Incident:
    cohort = dict(zip(suspect.cohort.dimensions, suspect.values, strict=True))
    subjects = failures.group_by("subject_type", "subject_id").agg(pl.col("occurred_at").min())
    latest = subjects.sort("occurred_at", "subject_id").tail(MAX_AFFECTED)
    return Incident(
        kind=suspect.cohort.kind,
        cohort=cohort,
        failure_kinds=tuple(failures["kind"].unique().sort()),
        claim=_claim(suspect, cohort),
        fault=blame(suspect.cohort.kind, failures),
        figures=_figures(suspect),
        affected=tuple(Affected(Subject(of, subject), at) for of, subject, at in latest.iter_rows()),
        affected_count=subjects.height,
        confirmed_by_customers=failures["customer_id"].drop_nulls().n_unique(),
        suggested_action=suspect.cohort.action.format(values=named(cohort)),
        reopened_by=rules.min_failures,
    )


def _claim(suspect: _Suspect, cohort: dict[str, str]) -> str:
    failures, units, rest_failures, rest_units = suspect.counts
    noun = UNIT_NOUNS[suspect.cohort.lane]
    return (
        f"{suspect.kind.replace('_', ' ').capitalize()}: {failures:,} of {units:,} {noun} with {named(cohort)}"
        f" ({failures / units:.1%}), against {rest_failures:,} of {rest_units:,} others"
        f" ({rest_failures / rest_units:.1%})."
    )


def _figures(suspect: _Suspect) -> Figures:
    failures, units, rest_failures, rest_units = suspect.counts
    rate, baseline = failures / units, rest_failures / rest_units
    low, high = share_interval(failures, units)
    ratio_low, ratio_high = ratio_interval(failures, units, rest_failures, rest_units)
    return Figures(
        units=units,
        failures=failures,
        rate=_rounded(rate),
        rate_low=_rounded(low),
        rate_high=_rounded(high),
        rest_units=rest_units,
        rest_failures=rest_failures,
        baseline=_rounded(baseline),
        ratio=_rounded(rate / baseline) if baseline else None,
        ratio_low=_rounded(ratio_low),
        ratio_high=_rounded(ratio_high) if isfinite(ratio_high) else None,
        q_value=_rounded(suspect.q_value),
    )


def _rounded(figure: float) -> float:
    return float(f"{figure:.{_DIGITS}g}")
