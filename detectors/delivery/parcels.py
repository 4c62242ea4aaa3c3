"""Order lines with all that is known of them: promised, scanned, said; and the moments on which judgement turns."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

import polars as pl

from detectors import schemas
from detectors.delivery.calendars import days_after, local_day, start_of, working_days_before
from detectors.delivery.reports import Claim, claims, habits, heard, mixed_up
from detectors.delivery.rules import DeliveryRules
from detectors.delivery.shipments import shipments

PROMISES: Final = pl.Schema({**schemas.PROMISES, "orders_known": pl.Int64()})
"""`orders_known`, how many lines of the customer the ledger holds, may be left out: it is null then."""

_CLAIMS: Final[tuple[Claim, ...]] = ("not_received", "damaged", "wrong_item")
_EARTH_RADIUS_M: Final = 6_371_009


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to judge: `PROMISES`, `schemas.TRACKING`, `schemas.CONTACTS` and `reports.MIXUPS`."""

    promises: pl.DataFrame
    scans: pl.DataFrame
    contacts: pl.DataFrame
    mixups: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One row of `parcels`. Moments are milliseconds since the epoch; null is unknown or never."""

    order_line_id: str
    customer_id: str
    item_id: str
    purchased_at: int | None
    promised_date: date | None
    timezone: str | None
    orders_known: int | None
    carrier: str | None
    depot: str | None
    handed_over_at: int | None
    heard_at: int | None
    delivered_at: int | None
    arrived_at: int | None
    proof: str | None
    distance_m: int | None  # from the address to where it was delivered
    neighbour: bool
    lost_at: int | None
    damaged_at: int | None
    returned_at: int | None
    return_reason: str | None
    delay_reason: str | None
    last_reason: str | None
    not_received_said_at: int | None
    not_received_voice: str | None
    not_received_language: str | None
    damaged_said_at: int | None
    damaged_voice: str | None
    damaged_language: str | None
    wrong_item_said_at: int | None
    wrong_item_voice: str | None
    wrong_item_language: str | None
    wrong_item_item_id: str | None
    wrong_item_days: int | None
    mixup_lines: int
    mixup_customers: int
    reports: int | None  # lines that the customer reported missing lately, this one included
    deadline: int | None  # when the promised day and its grace are over
    others_same_day: bool  # another customer misses what the same depot delivered that day


def parcels(known: Known, as_of: int, rules: DeliveryRules) -> pl.DataFrame:
    """One row an order line: its promise, its shipment, its reports, and three moments.

    The moments are `deadline` (the promise is over), `silent_before` (who was last
    heard of before it is silent for too long) and `unscanned_before` (what was
    purchased before it should have been scanned by now). They depend on few
    combinations of zone, day and carrier, so that calendars are asked once for each.
    """
    lines = schemas.complete(known.promises, PROMISES).join(
        shipments(known.scans, as_of), on="tracking_number", how="left", suffix="_scanned"
    )
    lines = lines.with_columns(
        pl.coalesce("carrier", "carrier_scanned").alias("carrier"),
        pl.col("neighbour", "waiting", "refused", "cancelled").fill_null(value=False),
        distance_m=_distance_m().round().cast(pl.Int64, strict=False),
    )
    lines = _with_patience(_with_deadlines(lines, rules.late.grace), as_of, rules)
    lines = _with_claims(lines, heard(known.contacts, as_of), rules.proof.reports_days)
    return _with_mixups(lines, known.mixups)


def objects(rows: pl.DataFrame) -> Iterator[Parcel]:
    """The rows of `parcels` as objects: for the few that fail."""
    names = [field.name for field in fields(Parcel)]
    for row in rows.select(names).iter_rows():
        yield Parcel(**dict(zip(names, row, strict=True)))


def _distance_m() -> pl.Expr:
    """Great-circle distance from the address to the delivery scan (haversine)."""
    north, north_scanned = pl.col("lat").radians(), pl.col("lat_scanned").radians()
    east = (pl.col("lon_scanned") - pl.col("lon")).radians()
    half = ((north_scanned - north) / 2).sin() ** 2 + north.cos() * north_scanned.cos() * (east / 2).sin() ** 2
    metres = 2 * _EARTH_RADIUS_M * half.clip(0, 1).sqrt().arcsin()
    # Zero degrees north and east is open sea, and what a device writes that has no position.
    nowhere = ((pl.col("lat") == 0) & (pl.col("lon") == 0)) | (
        (pl.col("lat_scanned") == 0) & (pl.col("lon_scanned") == 0)
    )
    return pl.when(~nowhere).then(metres)


def _with_deadlines(lines: pl.DataFrame, grace: int) -> pl.DataFrame:
    key = ("timezone", "promised_date")
    days = lines.select(key).unique().drop_nulls("promised_date")
    deadlines = [start_of(days_after(day, grace + 1), zone) for zone, day in days.iter_rows()]
    return lines.join(
        days.with_columns(deadline=pl.Series(deadlines, dtype=pl.Int64)), on=key, how="left", nulls_equal=True
    )


def _with_patience(lines: pl.DataFrame, as_of: int, rules: DeliveryRules) -> pl.DataFrame:
    # Where the country is unknown the parcel may be abroad, and abroad takes longer.
    lines = lines.with_columns(_domestic=(pl.col("country") == rules.merchant_country).fill_null(value=False))
    key = ("timezone", "carrier", "_domestic")
    moments = lines.select(key).unique()
    silent, unscanned = [], []
    for zone, carrier, domestic in moments.iter_rows():
        today, days = local_day(as_of, zone), rules.carrier(carrier)
        patience = days.lost_domestic if domestic else days.lost_abroad
        silent.append(start_of(days_after(today, 1 - patience), zone))
        first = working_days_before(today, days.never_scanned, rules.merchant_country)
        unscanned.append(start_of(first, zone))
    moments = moments.with_columns(
        silent_before=pl.Series(silent, dtype=pl.Int64), unscanned_before=pl.Series(unscanned, dtype=pl.Int64)
    )
    return lines.join(moments, on=key, how="left", nulls_equal=True)


def _with_claims(lines: pl.DataFrame, contacts: pl.DataFrame, reports_days: int) -> pl.DataFrame:
    named = lines.select("order_line_id", "customer_id", "delivered_at")
    for topic in _CLAIMS:
        said = claims(contacts, named, topic)
        lines = lines.join(said, on="order_line_id", how="left")
    missing = lines.filter(pl.col("not_received_said_at").is_not_null() & pl.col("delivered_at").is_not_null())
    return (
        lines.join(habits(contacts, missing, reports_days), on="order_line_id", how="left")
        .join(_routes(missing), on="order_line_id", how="left")
        .with_columns(pl.col("others_same_day").fill_null(value=False))
    )


def _with_mixups(lines: pl.DataFrame, mixups: pl.DataFrame) -> pl.DataFrame:
    wrong = lines.filter(pl.col("wrong_item_said_at").is_not_null())
    return lines.join(mixed_up(wrong, mixups), on="order_line_id", how="left").with_columns(
        pl.col("mixup_lines", "mixup_customers").fill_null(0)
    )


def _routes(missing: pl.DataFrame) -> pl.DataFrame:
    """Whether customers besides this one miss what the same depot of the same carrier delivered on the same day."""
    days = [local_day(at, zone) for at, zone in missing.select("delivered_at", "timezone").iter_rows()]
    customers = pl.col("customer_id").n_unique().over("carrier", "depot", "_day")
    return missing.with_columns(_day=pl.Series(days, dtype=pl.Date)).select(
        "order_line_id", others_same_day=pl.col("depot").is_not_null() & (customers > 1)
    )
