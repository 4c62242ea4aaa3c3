"""The delivery standard: which order lines fall below it, and in which way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from detectors import DETECTOR_VERSION
from detectors.delivery import accounts
from detectors.delivery.accounts import Account, Judgement
from detectors.delivery.parcels import Known, Parcel, objects, parcels
from detectors.delivery.rules import DeliveryRules
from detectors.finding import DeliveryKind, Finding, Subject


@dataclass(frozen=True, slots=True)
class Standard:
    """One kind of failure: true of a row of `parcels` that failed; null, where something is unknown, is no failure."""

    kind: DeliveryKind
    when: pl.Expr
    account: Callable[[Parcel, Judgement], Account]


def find(  # noqa: PLR0913, PLR0917  # four frames, and under what they are judged
    promises: pl.DataFrame,
    scans: pl.DataFrame,
    contacts: pl.DataFrame,
    mixups: pl.DataFrame,
    as_of: int,
    rules: DeliveryRules,
) -> Iterator[Finding]:
    """Every failure of these order lines that is known at a moment, by kind and order line.

    It starts from what was promised, so that what was never scanned is found, and
    time alone is enough: a parcel turns late, then lost, without another scan.

    Args:
      promises: `parcels.PROMISES`, one row an order line.
      scans: `schemas.TRACKING`, every scan of their tracking numbers.
      contacts: `schemas.CONTACTS`, every contact of their customers.
      mixups: `reports.MIXUPS`, every report of a wrong item for their items.
      as_of: milliseconds since the epoch; what happened later is not read.
      rules: the delivery standard.

    Raises:
      ValueError: The merchant's country has no calendar of holidays.
    """
    lines = parcels(Known(promises, scans, contacts, mixups), as_of, rules)
    for standard in standards(as_of, rules):
        for parcel in objects(lines.filter(standard.when).sort("order_line_id")):
            yield _finding(parcel, standard.kind, standard.account(parcel, Judgement(as_of, rules)))


def standards(as_of: int, rules: DeliveryRules) -> tuple[Standard, ...]:
    """Every kind of failure at a moment, over the columns of `parcels`."""
    delivered, missing = pl.col("delivered_at").is_not_null(), pl.col("not_received_said_at").is_not_null()
    returned = pl.col("returned_at").is_not_null()
    lost = _lost(as_of)
    far = (pl.col("distance_m") > rules.proof.far_m).fill_null(value=False)
    return (
        Standard("late", _late(as_of) & ~lost, accounts.late),
        Standard("lost", lost, accounts.lost),
        Standard("damaged", pl.any_horizontal(pl.col("damaged_at", "damaged_said_at").is_not_null()), accounts.damaged),
        Standard("returned", returned, accounts.returned),
        Standard("delivered_not_received", delivered & missing & ~lost, accounts.not_received),
        Standard("misdelivered", delivered & far & ~(missing | returned | lost | _in_hand()), accounts.misdelivered),
        Standard("wrong_item", pl.col("wrong_item_said_at").is_not_null(), accounts.wrong_item),
    )


def _late(as_of: int) -> pl.Expr:
    """Arrived, or not yet arrived, when the promise was over; unless nobody waits for it any more."""
    given_up = pl.col("returned_at").is_not_null() | pl.col("cancelled") | pl.col("refused") | _in_hand()
    missing = pl.col("arrived_at").is_null() & (pl.col("deadline") <= as_of) & ~given_up
    return (pl.col("arrived_at") >= pl.col("deadline")).fill_null(value=False) | missing.fill_null(value=False)


def _lost(as_of: int) -> pl.Expr:
    """Declared lost; or silent for too long, once under way; or never handed over although the promise is over.

    While a promise is still open, what has not been handed over may yet arrive in
    time: an item may be sold long before it is sent.
    """
    elsewhere = pl.col("returned_at").is_not_null() | _in_hand()
    delivered_at, heard_at = pl.col("delivered_at"), pl.col("heard_at")
    # A carrier that calls its own delivery lost afterwards is believed.
    declared = pl.col("lost_at").is_not_null() & (delivered_at.is_null() | (delivered_at < pl.col("lost_at")))
    silent = (heard_at < pl.col("silent_before")).fill_null(value=False)
    under_way = pl.col("handed_over_at").is_not_null()
    promise_over = (pl.col("deadline") <= as_of).fill_null(value=True)
    overdue = (pl.col("purchased_at") < pl.col("unscanned_before")).fill_null(value=False)
    unscanned = ~under_way & overdue & promise_over & (heard_at.is_null() | silent)
    quiet = delivered_at.is_null() & ~pl.col("cancelled") & ~pl.col("waiting") & ((under_way & silent) | unscanned)
    return ~elsewhere & (declared | quiet)


def _in_hand() -> pl.Expr:
    """The customer speaks of what came, so that it came, whatever was scanned."""
    return pl.col("damaged_said_at").is_not_null() | pl.col("wrong_item_said_at").is_not_null()


def _finding(parcel: Parcel, kind: DeliveryKind, account: Account) -> Finding:
    return Finding(
        kind=kind,
        subject=Subject("order_line", parcel.order_line_id),
        severity=round(account.severity, 4),
        occurred_from=account.since,
        occurred_to=account.until,
        evidence={
            **account.evidence,
            "carrier": parcel.carrier,
            "depot": parcel.depot,
            "order_item_id": parcel.item_id,
        },
        fault=account.fault,
        detector_version=DETECTOR_VERSION,
        customer_id=parcel.customer_id,
        order_line_id=parcel.order_line_id,
    )
