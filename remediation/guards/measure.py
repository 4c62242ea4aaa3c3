"""The figures of a night, from what the pipeline holds when the night has come to its end."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from detectors.incidents import Tally
from detectors.incidents.cohorts import COHORTS, Lane
from detectors.incidents.tally import shared
from detectors.schemas import DIMENSIONS
from remediation.guards.figures import Figures, Group, Judged, with_remedies
from remediation.guards.sources import by_source
from remediation.report.night import Night

GROUPS: Final = 25
"""So many values of a dimension are kept by size, and as many by what was flagged: enough to find the one that went
wrong and to know how it was before, and a few kilobytes a night whatever the telemetry says."""

MAX_VALUE: Final = 64
"""Characters of a value that are kept: telemetry may say anything, of any length."""

_PLAYBACK: Final = ("content_id", *DIMENSIONS)
_BY: Final = ("lane", "dimension", "value")


def figures_of(night: Night, sessions: pl.DataFrame, tally: Tally) -> Figures:
    """Everything that the guards ask about, the same whatever the order of files, rows and remedies.

    Args:
      night: As the ledger holds it, with the records of each file.
      sessions: `schemas.SESSIONS` of the whole night.
      tally: Its units and failures.
    """
    bare = Figures(
        as_of=night.as_of,
        policy_sha256=night.policy_sha256,
        detector_version=night.detector_version,
        records=night.counts.records,
        used=night.counts.used,
        duplicate=night.counts.duplicate,
        rejected=night.counts.rejected,
        late=night.counts.late,
        sources=by_source(night.inputs),
        sessions=Judged(night.sessions, night.flagged_sessions),
        order_lines=Judged(night.order_lines, night.flagged_order_lines),
        median_age_ms=_median_age_ms(night.as_of, sessions),
        findings_by_kind=dict(sorted(night.findings_by_kind.items())),
        remedies_by_state={},
        payouts=0,
        paid=(),
        goods=0,
        customers=0,
        groups=_groups(sessions, tally),
    )
    return with_remedies(bare, (row.remedy for row in night.remedies))


def _median_age_ms(as_of: int, sessions: pl.DataFrame) -> int | None:
    middle = sessions["started_at"].median()
    return as_of - int(middle) if isinstance(middle, int | float) else None


def _groups(sessions: pl.DataFrame, tally: Tally) -> tuple[Group, ...]:
    """The most flagged and the largest values of each dimension, in one order."""
    counted = pl.concat([*_of_sessions(sessions, tally.failing), *_of_parcels(tally)])
    ranked = (counted.sort(first, then, "value", descending=[True, True, False]) for first, then in _RANKS)
    kept = pl.concat(part.group_by("lane", "dimension", maintain_order=True).head(GROUPS) for part in ranked)
    rows = kept.unique().sort(*_BY).select(*_BY, "units", "flagged").iter_rows()
    return tuple(
        Group(lane, dimension, value, Judged(units, flagged)) for lane, dimension, value, units, flagged in rows
    )


_RANKS: Final = (("flagged", "units"), ("units", "flagged"))


def _of_sessions(sessions: pl.DataFrame, failing: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """The session table says more of a session than a tally does: its country, too."""
    flagged = failing.filter(pl.col("lane") == "playback")["unit_id"].unique()
    session = pl.col("session_id").cast(pl.String)
    marked = sessions.with_columns(flagged=session.is_in(flagged.implode()))
    for dimension in _PLAYBACK:
        yield _counted(
            marked.select(value=pl.col(dimension).cast(pl.String), unit_id=session, flagged="flagged"),
            "playback",
            dimension,
        )


def _counted(marked: pl.DataFrame, lane: Lane, dimension: str) -> pl.DataFrame:
    by_value = marked.drop_nulls("value").group_by(_kept(pl.col("value")))
    return by_value.agg(
        units=pl.col("unit_id").n_unique().cast(pl.Int64),
        flagged=pl.col("unit_id").filter("flagged").n_unique().cast(pl.Int64),
    ).select(pl.lit(lane).alias("lane"), pl.lit(dimension).alias("dimension"), "value", "units", "flagged")


def _kept(value: pl.Expr) -> pl.Expr:
    """A value as it is kept: of bounded length, and nothing that a database or a terminal would stumble over."""
    return value.str.slice(0, MAX_VALUE).str.replace_all(r"\p{C}", "\ufffd").alias("value")


def _of_parcels(tally: Tally) -> Iterable[pl.DataFrame]:
    """Parcels by carrier, depot and item; a depot goes by its carrier, too, since carriers name their depots."""
    value = _kept(pl.concat_str("value", "second", separator=" / ", ignore_nulls=True))
    for cohort in COHORTS:
        if cohort.lane == "delivery":
            units = tally.units.filter((pl.col("lane") == cohort.lane) & (pl.col("cohort") == cohort.name))
            flagged = (
                shared(tally.failing, cohort).group_by(value).agg(flagged=pl.col("unit_id").n_unique().cast(pl.Int64))
            )
            yield (
                units.group_by(value)
                .agg(pl.col("units").sum())
                .join(flagged, on="value", how="left")
                .select(
                    pl.lit(cohort.lane).alias("lane"),
                    pl.lit(cohort.name).alias("dimension"),
                    "value",
                    "units",
                    pl.col("flagged").fill_null(0),
                )
            )
