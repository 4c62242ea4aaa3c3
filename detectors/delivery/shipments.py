"""Scans become shipments: one row a tracking number, and what its scans amount to at a moment."""

from typing import Final

import polars as pl

from detectors import schemas

SHIPMENTS: Final = pl.Schema(
    {
        "tracking_number": pl.String(),
        "carrier": pl.String(),
        "depot": pl.String(),  # the last one that scanned it
        "handed_over_at": pl.Int64(),  # first scan of the parcel itself; a label alone is none
        "heard_at": pl.Int64(),  # last sign of life, scans of unknown meaning included; a label alone is none
        "delivered_at": pl.Int64(),  # first delivery, not to the sender
        "arrived_at": pl.Int64(),  # delivered, or ready for the customer to collect
        "proof": schemas.TRACKING["proof"],  # the strongest that any delivery scan names
        "lat": pl.Float64(),  # where it was delivered; null where the customer collected it
        "lon": pl.Float64(),
        "neighbour": pl.Boolean(),
        "waiting": pl.Boolean(),  # ready for the customer to collect, and not moved since
        "lost_at": pl.Int64(),  # declared lost, and not seen since
        "damaged_at": pl.Int64(),
        "returned_at": pl.Int64(),
        "return_reason": schemas.TRACKING["reason"],  # of the return, else the last one before it
        "refused": pl.Boolean(),
        "cancelled": pl.Boolean(),  # and not seen since
        "delay_reason": schemas.TRACKING["reason"],  # the last one before it arrived
        "last_reason": schemas.TRACKING["reason"],  # of the last scan
    }
)
"""One row a tracking number. Apart from `heard_at`, nothing rests on a scan of unknown status."""

_DELAYS: Final = ("refused", "address", "unclaimed", "customs", "weather", "carrier", "merchant")
_SEEN: Final = (
    "picked_up",
    "in_transit",
    "out_for_delivery",
    "ready_for_pickup",
    "delivered",
    "delivery_failed",
    "return_to_sender",
)
"""Statuses that somebody can give only with the parcel at hand."""

_STRONGEST_PROOF: Final = pl.Enum(("none", "photo", "signature", "pin"))

_at: Final = pl.col("event_time")
_status: Final = pl.col("status")
_reason: Final = pl.col("reason")


def shipments(scans: pl.DataFrame, as_of: int) -> pl.DataFrame:
    """What the scans up to a moment amount to, whatever their order and however often each came.

    A scan with the reason `did_not_occur` takes back every scan of the same parcel,
    time and status. After `return_to_sender` a delivery is one to the sender.

    Args:
      scans: `schemas.TRACKING`.
      as_of: milliseconds since the epoch; later scans are not read.

    Returns:
      `SHIPMENTS`, by tracking number. A parcel all of whose scans were taken back has no row.
    """
    standing = _standing(schemas.complete(scans, schemas.TRACKING).filter(_at <= as_of))
    known = _status != "unknown"
    per_parcel = "tracking_number"
    marked = standing.with_columns(
        _known=known,
        _seen=_status.is_in(_SEEN) & (_reason != "lost").fill_null(value=True),
        _returned_at=_at.filter(_status == "return_to_sender").min().over(per_parcel),
    ).with_columns(_outward=(_at < pl.col("_returned_at")).fill_null(value=True))
    marked = marked.with_columns(
        _delivery=(_status == "delivered") & pl.col("_outward"),
        _arrival=_status.is_in(("delivered", "ready_for_pickup")) & pl.col("_outward"),
        _seen_at=_at.filter(pl.col("_seen")).max().over(per_parcel),
    ).with_columns(_arrived_at=_at.filter(pl.col("_arrival")).min().over(per_parcel))
    folded = marked.group_by(per_parcel).agg(*_whereabouts(), *_mishaps()).sort(per_parcel)
    # Where the customer fetches a parcel is not where the customer lives.
    return schemas.complete(
        folded.with_columns(pl.when(~pl.col("_collected")).then(pl.col(name)).alias(name) for name in ("lat", "lon")),
        SHIPMENTS,
    )


def _standing(scans: pl.DataFrame) -> pl.DataFrame:
    """The scans that were not taken back, by parcel and time."""
    key = ("tracking_number", "event_time", "status")
    void = scans.filter(_reason == "did_not_occur")
    # All columns decide, so that scans of the same moment do not depend on which came first.
    rest = [name for name in schemas.TRACKING if name not in key]
    return scans.join(void, on=key, how="anti").sort(*key, *rest)


def _whereabouts() -> tuple[pl.Expr, ...]:
    known, delivery = pl.col("_known"), pl.col("_delivery")
    placed = delivery & (pl.col("lat") + pl.col("lon")).is_not_null()
    ready_at = _at.filter((_status == "ready_for_pickup") & pl.col("_outward"))
    delivered_at = _at.filter(delivery).min()
    return (
        pl.col("carrier").filter(known).drop_nulls().last(),
        pl.col("depot").filter(known).drop_nulls().last(),
        _at.filter(known & ~_status.is_in(("pending", "cancelled"))).min().alias("handed_over_at"),
        _at.filter(_status != "pending").max().alias("heard_at"),
        delivered_at.alias("delivered_at"),
        pl.col("_arrived_at").first().alias("arrived_at"),
        pl.col("proof").filter(delivery).cast(_STRONGEST_PROOF).max(),
        pl.col("lat").filter(placed).last(),
        pl.col("lon").filter(placed).last(),
        (delivery & (_reason == "neighbour")).any().alias("neighbour"),
        (ready_at.max() >= pl.col("_seen_at").first()).fill_null(value=False).alias("waiting"),
        (ready_at.min() <= delivered_at).fill_null(value=False).alias("_collected"),
    )


def _mishaps() -> tuple[pl.Expr, ...]:
    known, seen_at = pl.col("_known"), pl.col("_seen_at").first()
    returned_at = pl.col("_returned_at").first()
    excuse = known & _reason.is_in(_DELAYS)
    lost_at = _at.filter(known & (_reason == "lost")).max()
    cancelled_at = _at.filter(_status == "cancelled").max()
    return (
        pl.when((lost_at < seen_at).fill_null(value=False)).then(None).otherwise(lost_at).alias("lost_at"),
        _at.filter(known & (_reason == "damaged")).min().alias("damaged_at"),
        returned_at.alias("returned_at"),
        pl.coalesce(
            _reason.filter(_status == "return_to_sender").drop_nulls().first(),
            _reason.filter(excuse & (_at <= pl.col("_returned_at"))).last(),
        ).alias("return_reason"),
        (known & (_reason == "refused")).any().alias("refused"),
        (cancelled_at >= pl.coalesce(seen_at, cancelled_at)).fill_null(value=False).alias("cancelled"),
        _reason.filter(excuse & (_at <= pl.coalesce("_arrived_at", _at))).last().alias("delay_reason"),
        _reason.filter(known).last().alias("last_reason"),
    )
