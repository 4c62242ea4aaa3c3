"""Canonical contacts of customers: who, when and about what, never in which words."""

from typing import Final

from detectors.telemetry.block import Slot
from detectors.telemetry.fields import Field, Kind
from detectors.telemetry.records import Format

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

CONTACTS: Final = Format("contacts", CONTACT_FIELDS, Slot.CONTACTS, lambda checked: checked)
