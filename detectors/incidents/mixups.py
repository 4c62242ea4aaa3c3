"""The same wrong item in place of the same right one: a listing, a label or a shelf that says the wrong thing."""

from collections.abc import Iterator
from typing import Final

import polars as pl

from detectors.finding import Subject
from detectors.incidents.incident import MAX_AFFECTED, Affected, Incident

MIXUPS: Final = pl.Schema(
    {
        "contact_id": pl.String(),
        "order_line_id": pl.String(),
        "customer_id": pl.String(),
        "item_id": pl.String(),
        "received_item_id": pl.String(),
        "event_time": pl.Int64(),
    }
)
"""One row a customer's report of a wrong item: what was ordered, what came, and when it was reported."""

_ONE_REPORT: Final = 1  # after a correction, one more of the same is one too many
_REPEATED: Final = 2


def listings(mixups: pl.DataFrame) -> Iterator[Incident]:
    """An incident for each pair of items that was mixed up at least twice, whatever the statistics say.

    Two order lines make a pair, and so does one that got the same wrong item
    again in the exchange for it.

    Args:
      mixups: `MIXUPS` of any order, repetitions included; a report that does not
        name what came says nothing about a pair.
    """
    reports = mixups.filter(pl.col("item_id") != pl.col("received_item_id")).unique(
        ["contact_id", "order_line_id", "item_id", "received_item_id"], keep="first", maintain_order=True
    )
    pairs = reports.group_by("item_id", "received_item_id").agg(
        reports=pl.len(), lines=pl.col("order_line_id").n_unique(), customers=pl.col("customer_id").n_unique()
    )
    repeated = pairs.filter(pl.col("reports") >= _REPEATED).sort(
        "reports", "item_id", "received_item_id", descending=[True, False, False]
    )
    for item_id, received, count, lines, customers in repeated.iter_rows():
        of_pair = reports.filter((pl.col("item_id") == item_id) & (pl.col("received_item_id") == received))
        yield Incident(
            kind="listing",
            cohort={"item_id": item_id, "received_item_id": received},
            failure_kinds=("wrong_item",),
            claim=f"In place of item {item_id} came item {received}: {count} reports, on"
            f" {_counted(lines, 'order line')} of {_counted(customers, 'customer')}."
            " The listing may name the wrong item.",
            fault="merchant",
            figures=None,
            affected=_affected(of_pair),
            affected_count=lines,
            confirmed_by_customers=customers,
            suggested_action=f"Check the brand and the label that the listing of item {item_id} names, and correct it;"
            " until then, consider withdrawing the listing.",
            reopened_by=_ONE_REPORT,
        )


def _affected(reports: pl.DataFrame) -> tuple[Affected, ...]:
    """A line that was reported again counts with its last report."""
    latest = reports.group_by("order_line_id").agg(pl.col("event_time").max()).sort("event_time", "order_line_id")
    return tuple(Affected(Subject("order_line", line), at) for line, at in latest.tail(MAX_AFFECTED).iter_rows())


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
