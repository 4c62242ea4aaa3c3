"""Canonical beacons."""

from typing import Final

from detectors.schemas import Channel
from detectors.telemetry.block import Slot, on_channel
from detectors.telemetry.fields import FIELDS
from detectors.telemetry.records import Format

BEACONS: Final = Format("beacons", FIELDS, Slot.EVENTS, lambda checked: on_channel(checked, Channel.BEACON))
