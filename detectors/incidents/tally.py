"""Units and failures by cohort, as frames that add up: partition by partition, chunk by chunk, in any order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from detectors.finding import Finding
from detectors.incidents.cohorts import COHORTS, Cohort, Lane

DIMENSIONS: Final = tuple(dict.fromkeys(name for cohort in COHORTS for name in cohort.dimensions))

UNITS: Final = pl.Schema(
    {
        "lane": pl.String(),
        "cohort": pl.String(),  # `Cohort.name`
        "value": pl.String(),  # of its first dimension
        "second": pl.String(),  # of its second one; null where it has one
        "units": pl.Int64(),
    }
)
"""One row a cohort: how many sessions or parcels share these values, well or not."""

FAILING: Final = pl.Schema(
    {
        "lane": pl.String(),
        "kind": pl.String(),
        "unit_id": pl.String(),  # the session; the parcel, or the order line where no parcel is known
        "subject_type": pl.String(),
        "subject_id": pl.String(),
        "customer_id": pl.String(),
        "occurred_at": pl.Int64(),
        "fault": pl.String(),
        **dict.fromkeys(DIMENSIONS, pl.String()),
    }
)
"""One row a finding that could have a cause in common with others, with everything that it shares."""

_NOBODY_CAN_MEND: Final = frozenset({"consignee", "customs", "weather"})
_PACKED_WRONG: Final = "wrong_item"
_PLAYBACK: Final = tuple(
    dict.fromkeys(name for cohort in COHORTS if cohort.lane == "playback" for name in cohort.dimensions)
)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was seen and what failed, of one part of the input or of all of it: `UNITS` and `FAILING`."""

    units: pl.DataFrame
    failing: pl.DataFrame


def playback_tally(sessions: pl.DataFrame, findings: Iterable[Finding]) -> Tally:
    """The sessions by cohort, and the findings among them.

    Args:
      sessions: `schemas.SESSIONS`, all rows of the sessions that it holds: a
        session with several rows is one unit, with the first value it named.
      findings: Playback findings; one about another session is left out.
    """
    values = [pl.col(name).cast(pl.String).drop_nulls().first() for name in _PLAYBACK]
    trials = sessions.sort("started_at").group_by(unit_id=pl.col("session_id").cast(pl.String)).agg(values)
    claims = _failures("playback", findings).drop("unit_id", *_PLAYBACK)
    failing = claims.join(trials.with_columns(subject_id="unit_id"), on="subject_id")
    units = [_counted(trials, cohort) for cohort in COHORTS if cohort.lane == "playback"]
    return merged([Tally(pl.concat(units), failing.select(FAILING.names()))])


def delivery_tally(promises: pl.DataFrame, scans: pl.DataFrame, findings: Iterable[Finding]) -> Tally:
    """The parcels by cohort, and the findings among them.

    Every depot that scanned a parcel had the chance to spoil it; the failure is
    that of the last one. Findings that are the consignee's, customs' or the
    weather's are no failures here, since nobody could mend their cause, and a
    wrong item was packed before any carrier saw it.

    Args:
      promises: `schemas.PROMISES`; the lines of one order belong into one call,
        or a parcel with several lines is counted once a call.
      scans: `schemas.TRACKING` of these parcels, without those that were retracted.
      findings: Delivery findings; one about another order line is left out.
    """
    lines = _lines(promises, scans)
    failing = _delivery_failures(lines, findings)
    scanned = lines.join(scans.select("tracking_number", "depot").unique(), on="tracking_number")
    visits = pl.concat([table.select("unit_id", "carrier", "depot") for table in (scanned, failing)])
    units = [
        _counted(visits if "depot" in cohort.dimensions else lines, cohort)
        for cohort in COHORTS
        if cohort.lane == "delivery"
    ]
    return merged([Tally(pl.concat(units), failing)])


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of several parts, the same whatever their order; of none, an empty tally."""
    parts = list(tallies)
    units = pl.concat([UNITS.to_frame(), *(part.units for part in parts)])
    keys = [name for name in UNITS.names() if name != "units"]
    return Tally(
        units.group_by(keys).agg(pl.col("units").sum()).sort(keys),
        pl.concat([FAILING.to_frame(), *(part.failing for part in parts)]).sort("lane", "kind", "subject_id"),
    )


def shared(frame: pl.DataFrame, cohort: Cohort) -> pl.DataFrame:
    """The rows that lie in one of the cohort's groups, with `cohort`, `value` and `second` to name the group."""
    first, second = (*cohort.dimensions, None)[:2]
    known = pl.all_horizontal(pl.col(*cohort.dimensions).is_not_null())
    if cohort.unless is not None:
        known &= pl.col(cohort.unless).is_null()
    return frame.filter(known).with_columns(
        cohort=pl.lit(cohort.name),
        value=pl.col(str(first)),
        second=pl.lit(None, pl.String) if second is None else pl.col(second),
    )


def _counted(trials: pl.DataFrame, cohort: Cohort) -> pl.DataFrame:
    groups = shared(trials, cohort).group_by("cohort", "value", "second")
    counts = groups.agg(units=pl.col("unit_id").n_unique().cast(pl.Int64))
    return counts.select(pl.lit(cohort.lane).alias("lane"), pl.all())


def _lines(promises: pl.DataFrame, scans: pl.DataFrame) -> pl.DataFrame:
    """Order lines with their parcel; its carrier is the one that was booked, else the first one that scanned it."""
    scanned_by = (
        scans.drop_nulls("carrier").sort("event_time", "carrier").unique("tracking_number", keep="first")
    ).select("tracking_number", scanned_by="carrier")
    return promises.join(scanned_by, on="tracking_number", how="left").select(
        "order_line_id",
        "tracking_number",
        "item_id",
        unit_id=pl.coalesce("tracking_number", "order_line_id"),
        carrier=pl.coalesce("carrier", "scanned_by").str.to_lowercase(),
    )


def _delivery_failures(lines: pl.DataFrame, findings: Iterable[Finding]) -> pl.DataFrame:
    mendable = (finding for finding in findings if finding.fault not in _NOBODY_CAN_MEND)
    claims = _failures("delivery", mendable).drop("unit_id", "carrier", "item_id")
    failing = claims.join(lines, left_on="subject_id", right_on="order_line_id")
    carried = pl.when(pl.col("kind") != _PACKED_WRONG)
    return failing.with_columns(carried.then("carrier").alias("carrier"), carried.then("depot").alias("depot")).select(
        FAILING.names()
    )


def _failures(lane: Lane, findings: Iterable[Finding]) -> pl.DataFrame:
    """`FAILING` with what the findings themselves say; dimensions that they do not know are null."""
    rows = [
        {
            "lane": lane,
            "kind": finding.kind,
            "subject_type": finding.subject.type,
            "subject_id": finding.subject.id,
            "customer_id": finding.customer_id,
            "occurred_at": finding.occurred_from,
            "fault": finding.fault,
            "depot": finding.evidence.get("depot"),
        }
        for finding in findings
    ]
    return pl.DataFrame(rows, schema=FAILING)
