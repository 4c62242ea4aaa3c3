"""Which kind of records a text holds, told by its first lines."""

import re
from typing import Final, Protocol

from detectors.telemetry.access_logs import AccessLog
from detectors.telemetry.beacons import Beacons
from detectors.telemetry.block import Block
from detectors.telemetry.cmcd import CollectorLines, RawRecords
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Lines
from detectors.telemetry.rejects import Tally

_LINES_LOOKED_AT: Final = 1_000
_KEY: Final = rb'"\s*:'
_COLLECTOR: Final = re.compile(rb'"cmcd' + _KEY)
_BEACON: Final = re.compile(rb'"(?:session_id|event_time)' + _KEY)
_REQUEST: Final = re.compile(rb'"(?:rawUrl|cs-uri-query|cs-uri-stem|cs\(CMCD-[A-Za-z]+\))' + _KEY, re.IGNORECASE)
_RECORD: Final = re.compile(rb"CMCD=|(?:[A-Za-z*][A-Za-z0-9_.*-]*(?:=[^,]*)?,)*(?:sid|cid|ts|sta|br|bl)=")
_W3C: Final = (b"#Version", b"#Fields")


class Decoder(Protocol):
    """What reads the portions of one file, in order."""

    def decode(self, lines: Lines) -> Block:
        """The events of some lines and the rejects of the others."""
        ...


def recognise(lines: Lines, limits: Limits, tally: Tally) -> Decoder | None:
    """The decoder for the first line that shows what it is; null where none of the first does."""
    for row in range(min(len(lines), _LINES_LOOKED_AT)):
        text = lines.text(row).lstrip()
        if text.startswith(b"{"):
            if _COLLECTOR.search(text):
                return CollectorLines(limits, tally)
            if _BEACON.search(text):
                return Beacons(limits, tally)
            if _REQUEST.search(text):
                return AccessLog(limits, tally)
        elif text.startswith(_W3C):
            return AccessLog(limits, tally)
        elif _RECORD.match(text):
            return RawRecords(limits, tally)
    return None
