"""Canonical beacons in JSON Lines."""

from detectors.schemas import Channel
from detectors.telemetry.block import Block, line_places, on_channel, settle
from detectors.telemetry.checks import check
from detectors.telemetry.fields import FIELDS
from detectors.telemetry.jsonlines import JsonLines
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Lines
from detectors.telemetry.rejects import Tally


class Beacons:
    """Decodes the portions of one beacon file.

    A record with a field of another name is used without that field; one with a
    known field of the wrong type or beyond its bounds is rejected, since a player
    that misreports one figure cannot be trusted with the others.
    """

    def __init__(self, limits: Limits, tally: Tally) -> None:
        self._limits = limits
        self._reader = JsonLines(FIELDS, limits, tally)

    def decode(self, lines: Lines) -> Block:
        """The events of some lines and the rejects of the others."""
        objects = self._reader.read(lines)
        checked = check(objects.frame, FIELDS, self._limits, plain=objects.plain)
        return settle(on_channel(checked, Channel.BEACON), line_places(lines, objects.rows), objects.rejects)
