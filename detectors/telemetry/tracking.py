"""Canonical scans of parcels."""

from typing import Final

import polars as pl

from detectors import schemas
from detectors.telemetry.block import Slot
from detectors.telemetry.checks import Checked
from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.records import Format

_DECLARATION: Final = "error_declaration"
_RETRACTED: Final = "did_not_occur"

SCAN_FIELDS: Final = (
    Field("tracking_number", Kind.TEXT, required=True),
    Field("event_time", Kind.TIME, required=True),
    Field("status", Kind.STATE, required=True, otherwise="unknown"),  # a carrier's new word says that it was scanned
    Field("reason", Kind.STATE),
    Field("lat", Kind.NUMBER, low=-90, high=90),
    Field("lon", Kind.NUMBER, low=-180, high=180),
    Field("proof", Kind.STATE),
    Field("carrier", Kind.TEXT),
    Field("depot", Kind.TEXT),
    Field("promised_at", Kind.TIME),
    Field(_DECLARATION, Kind.MARK),
)
"""A scan, in the order in which a record's first fault is looked for."""


def retract(checked: Checked) -> Checked:
    """The same rows, the reason of those with an error declaration being that they did not occur.

    EPCIS takes an event back by a second one with `errorDeclaration`. Whichever
    reason it gives there, what the first event said did not happen so.
    """
    frame = checked.frame
    if _DECLARATION not in frame.columns:
        return checked
    said = pl.col("reason") if "reason" in frame.columns else pl.lit(None)
    reasons = schemas.TRACKING["reason"]
    reason = pl.when(_DECLARATION).then(pl.lit(_RETRACTED, dtype=reasons)).otherwise(said.cast(reasons))
    return Checked(frame.with_columns(reason.alias("reason")), checked.faults, checked.slips)


SCANS: Final = Format("scans of parcels", SCAN_FIELDS, Slot.SCANS, retract)
