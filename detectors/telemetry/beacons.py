"""Canonical beacons, and such that may be signed."""

from dataclasses import replace
from functools import partial
from typing import Final

from detectors.schemas import Channel
from detectors.telemetry.block import Slot, on_channel
from detectors.telemetry.checks import Checked
from detectors.telemetry.fields import FIELDS, KEY_ID, SIGNATURE
from detectors.telemetry.keys import KeyRing
from detectors.telemetry.records import Format
from detectors.telemetry.signatures import verified


def _finish(checked: Checked) -> Checked:
    """The channel; the signatures have said what they had to say."""
    on = on_channel(checked, Channel.BEACON)
    return replace(on, frame=on.frame.drop(KEY_ID, SIGNATURE, strict=False))


BEACONS: Final = Format("beacons", FIELDS, Slot.EVENTS, _finish)
"""Beacons whose signatures, if any, nobody can check."""


def beacons(keys: KeyRing | None) -> Format:
    """The format of beacons, whose signatures are checked where there are keys."""
    return BEACONS if keys is None else replace(BEACONS, verify=partial(verified, keys=keys))
