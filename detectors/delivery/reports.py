"""What customers say about a parcel: contacts, bound to the order lines of the customer who wrote."""

from typing import Final, Literal

import polars as pl

from detectors import schemas

Claim = Literal["not_received", "damaged", "wrong_item"]

MIXUPS: Final = pl.Schema(
    {
        "item_id": pl.String(),
        "received_item_id": pl.String(),
        "order_line_id": pl.String(),
        "customer_id": pl.String(),
    }
)
"""One row a report of a wrong item, of any night."""

DAY_MS: Final = 86_400_000

_at: Final = pl.col("event_time")


def heard(contacts: pl.DataFrame, as_of: int) -> pl.DataFrame:
    """The contacts up to a moment, each once: `schemas.CONTACTS`, by time."""
    known = schemas.complete(contacts, schemas.CONTACTS).filter(_at <= as_of)
    order = (
        "event_time",
        "contact_id",
        *(name for name in schemas.CONTACTS if name not in {"event_time", "contact_id"}),
    )
    return known.sort(order).unique("contact_id", keep="last", maintain_order=True)


def claims(contacts: pl.DataFrame, lines: pl.DataFrame, topic: Claim) -> pl.DataFrame:
    """The latest contact of one topic on each order line.

    A contact counts for a line of the customer who wrote it and for no other: who
    names somebody else's order says nothing about it. That something delivered has
    not been received can only be said after its delivery.

    Args:
      contacts: of `heard`.
      lines: `order_line_id`, `customer_id`, `delivered_at`.
      topic: of the contacts.

    Returns:
      `order_line_id` and, each after the topic's name, `_said_at`, `_voice`, `_language`, `_item_id` (received, where
      any contact names it) and `_days` (UTC days with such a contact: writing twice on one day is one report).
    """
    of_line = contacts.filter(pl.col("topic") == topic).join(lines, on=["order_line_id", "customer_id"])
    if topic == "not_received":
        of_line = of_line.filter((_at >= pl.col("delivered_at")).fill_null(value=True))
    return of_line.group_by("order_line_id", maintain_order=True).agg(
        _at.last().alias(f"{topic}_said_at"),
        pl.col("voice").last().alias(f"{topic}_voice"),
        pl.col("language").last().alias(f"{topic}_language"),
        pl.col("received_item_id").drop_nulls().last().alias(f"{topic}_item_id"),
        (_at // DAY_MS).n_unique().cast(pl.Int64).alias(f"{topic}_days"),
    )


def habits(contacts: pl.DataFrame, missing: pl.DataFrame, days: int) -> pl.DataFrame:
    """How many of a customer's lines were reported missing in the days up to each report, itself included.

    Args:
      contacts: of `heard`, all of these customers'.
      missing: `order_line_id`, `customer_id`, `not_received_said_at`.
      days: how far back.

    Returns:
      `order_line_id`, `reports`. Reports that name no line count as one together: they may all be about one parcel.
    """
    reported = contacts.filter(pl.col("topic") == "not_received").select(
        "customer_id", "event_time", line="order_line_id"
    )
    since = pl.col("not_received_said_at") - days * DAY_MS
    return (
        missing.select("order_line_id", "customer_id", "not_received_said_at")
        .join(reported, on="customer_id")
        .filter((_at > since) & (_at <= pl.col("not_received_said_at")))
        .group_by("order_line_id")
        .agg(pl.col("line").n_unique().cast(pl.Int64).alias("reports"))
    )


def mixed_up(wrong: pl.DataFrame, mixups: pl.DataFrame) -> pl.DataFrame:
    """Who else is known to have got the same wrong item for the same item.

    Args:
      wrong: `order_line_id`, `customer_id`, `item_id`, `wrong_item_item_id`.
      mixups: `MIXUPS`; the lines of `wrong` may be among them.

    Returns:
      `order_line_id`, `mixup_lines` (other order lines), `mixup_customers` (other customers); no row where there is
      none.
    """
    others = (
        schemas.complete(mixups, MIXUPS)
        .unique()
        .select(
            pl.col("item_id"),
            pl.col("received_item_id").alias("wrong_item_item_id"),
            pl.col("order_line_id").alias("_line"),
            pl.col("customer_id").alias("_customer"),
        )
    )
    return (
        wrong.join(others, on=["item_id", "wrong_item_item_id"])
        .filter(pl.col("_line") != pl.col("order_line_id"))
        .group_by("order_line_id")
        .agg(
            pl.col("_line").n_unique().cast(pl.Int64).alias("mixup_lines"),
            pl.col("_customer")
            .filter(pl.col("_customer") != pl.col("customer_id"))
            .n_unique()
            .cast(pl.Int64)
            .alias("mixup_customers"),
        )
    )
