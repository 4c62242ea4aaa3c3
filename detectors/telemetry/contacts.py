"""Canonical contacts of customers: who, when and about what, never in which words."""

from typing import Final

import polars as pl

from detectors.telemetry.block import Slot
from detectors.telemetry.checks import Checked, Fault
from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.records import Format
from detectors.telemetry.rejects import Code

CONTACT_FIELDS: Final = (
    Field("contact_id", Kind.TEXT, required=True),
    Field("customer_id", Kind.TEXT, required=True),
    Field("event_time", Kind.TIME, required=True),
    Field("topic", Kind.STATE, required=True),
    Field("order_line_id", Kind.TEXT),
    Field("language", Kind.TEXT),
    Field("voice", Kind.TEXT),
    Field("received_item_id", Kind.TEXT),
)
"""A contact, in the order in which a record's first fault is looked for."""

_WORDS: Final = {
    "language": r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$",  # RFC 5646, as loosely as browsers write it
    "voice": r"^(plain|warm|playful)$",
}


def _without_other_words(checked: Checked) -> Checked:
    """Whatever else stands there may be what the customer wrote, and evidence is read by many."""
    frame, slips = checked.frame, list(checked.slips)
    for name, form in _WORDS.items():
        if name not in frame.columns:
            continue
        strange = ~frame[name].str.contains(form).fill_null(value=True)
        if strange.any():
            reason = f"The field {name} holds no {name} and was left out."
            slips.append(Fault(strange.to_numpy(), Code.UNKNOWN_VALUE, name, reason))
            frame = frame.with_columns(pl.when(~strange).then(pl.col(name)).alias(name))
    return Checked(frame, checked.faults, tuple(slips))


CONTACTS: Final = Format("contacts", CONTACT_FIELDS, Slot.CONTACTS, _without_other_words)
