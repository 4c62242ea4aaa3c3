"""Which kind of records a text holds, told by its lines."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np

from detectors.telemetry.access_logs import AccessLog
from detectors.telemetry.aftership import aftership_scans
from detectors.telemetry.beacons import BEACONS
from detectors.telemetry.block import Block, joined
from detectors.telemetry.cmcd import CollectorLines, RawRecords
from detectors.telemetry.contacts import CONTACTS
from detectors.telemetry.easypost import easypost_scans
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Lines
from detectors.telemetry.records import Format, Records
from detectors.telemetry.rejects import Tally
from detectors.telemetry.trackers import Trackers
from detectors.telemetry.tracking import SCANS

_LINES_LOOKED_AT: Final = 1_000
_RECORD: Final = re.compile(rb"CMCD=|(?:[A-Za-z*][A-Za-z0-9_.*-]*(?:=[^,]*)?,)*(?:sid|cid|ts|sta|br|bl)=")
_W3C: Final = (b"#Version", b"#Fields")
_OPEN: Final = b"{"


class Decoder(Protocol):
    """What reads the portions of one file."""

    @property
    def continues(self) -> bool:
        """Whether what a portion says holds for the next, so that they must be decoded one after the other."""
        ...

    def decode(self, lines: Lines, tally: Tally) -> Block:
        """The rows of some lines and the rejects of the others; `tally` counts what was left out of records in use."""
        ...


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of JSON record: its decoder, and what shows in a line that it is one.

    Where the members `key` and `others` are given, lines that all hold the one and
    none of which holds one of the others are of this kind, which saves looking at
    each.
    """

    decoder: Callable[[Limits], Decoder]
    mark: re.Pattern[bytes]
    key: bytes = b""
    others: tuple[bytes, ...] = ()


def _kind(decoder: Callable[[Limits], Decoder], mark: bytes, key: bytes = b"", others: tuple[bytes, ...] = ()) -> _Kind:
    return _Kind(decoder, re.compile(mark, re.IGNORECASE), key, others)


_TAGS: Final = (
    rb"Pending|InfoReceived|InTransit|OutForDelivery|AttemptFail|Delivered|AvailableForPickup|Exception|Expired"
)
_NOT_SCANS: Final = (
    b'"cmcd"',
    b'"contact_id"',
    b'"session_id"',
    b'"tracking_code"',
    b'"object"',
    b'"checkpoints"',
    b'"tag"',
)
_KINDS: Final = (
    _kind(CollectorLines, rb'"cmcd"\s*:', b'"cmcd"'),
    # A contact about poor playback may name the session, but no beacon names a contact.
    _kind(partial(Records, CONTACTS), rb'"contact_id"\s*:', b'"contact_id"', (b'"cmcd"',)),
    _kind(partial(Records, BEACONS), rb'"session_id"\s*:', b'"session_id"', (b'"cmcd"', b'"contact_id"')),
    _kind(partial(Trackers, easypost_scans), rb'"tracking_code"\s*:|"object"\s*:\s*"(?:Tracker|Event)"'),
    # A tracking of AfterShip has a number like a scan, so it is looked for first.
    _kind(partial(Trackers, aftership_scans), rb'"checkpoints"\s*:|"tag"\s*:\s*"(?:' + _TAGS + rb')"'),
    _kind(partial(Records, SCANS), rb'"tracking_number"\s*:', b'"tracking_number"', _NOT_SCANS),
    _kind(AccessLog, rb'"(?:rawUrl|cs-uri-query|cs-uri-stem|cs\(CMCD-[A-Za-z]+\))"\s*:'),
)
"""In the order in which a line is tried for them."""

_BEACON: Final = next(number for number, kind in enumerate(_KINDS) if kind.key == b'"session_id"')
_WITHOUT_ID: Final = re.compile(rb'"event_time"\s*:')


class JsonRecords:
    """Decodes the portions of one file of JSON records, which may be of several kinds.

    A line that shows no kind is taken for one of the kind that the file began with.
    """

    def __init__(self, first: int, beacons: Format, limits: Limits) -> None:
        self._first = first
        self._beacons = beacons
        self._limits = limits
        self._decoders: dict[int, Decoder] = {}

    @property
    def continues(self) -> bool:
        """Only a log names its values ahead, in lines that are the log's only where it came first."""
        return self._decoder(self._first).continues

    def decode(self, lines: Lines, tally: Tally) -> Block:
        """The rows of some lines and the rejects of the others."""
        decoder = self._decoder(self._first)
        # Where nothing but the fields of one kind stands in the lines, they need not be searched for other kinds.
        if isinstance(decoder, Records | CollectorLines) and (block := decoder.tidy(lines, tally)) is not None:
            return block
        if _all_are(_KINDS[self._first], lines):
            return decoder.decode(lines, tally)
        shown = (_shown(lines.text(row)) for row in range(len(lines)))
        kinds = np.array([self._first if kind is None else kind for kind in shown], np.int64)
        blocks = [
            self._decoder(kind).decode(lines.take(np.flatnonzero(kinds == kind)), tally)
            for kind in np.unique(kinds).tolist()
        ]
        return joined(blocks) if len(blocks) > 1 else blocks[0]

    def _decoder(self, kind: int) -> Decoder:
        if kind not in self._decoders:
            decoder = partial(Records, self._beacons) if kind == _BEACON else _KINDS[kind].decoder
            self._decoders.setdefault(kind, decoder(self._limits))
        return self._decoders[kind]


def recognise(lines: Lines, beacons: Format, limits: Limits) -> Decoder | None:
    """The decoder for the first line that shows what it is; null where none of the first does."""
    nameless = False
    for row in range(min(len(lines), _LINES_LOOKED_AT)):
        text = lines.text(row).lstrip()
        if text.startswith(_OPEN):
            if (kind := _shown(text)) is not None:
                return JsonRecords(kind, beacons, limits)
            nameless = nameless or bool(_WITHOUT_ID.search(text))
        elif text.startswith(_W3C):
            return AccessLog(limits)
        elif _RECORD.match(text):
            return RawRecords(limits)
    return JsonRecords(_BEACON, beacons, limits) if nameless else None


def _shown(text: bytes) -> int | None:
    return next((number for number, kind in enumerate(_KINDS) if kind.mark.search(text)), None)


def _all_are(kind: _Kind, lines: Lines) -> bool:
    if len(lines) == 0:
        return True
    data = lines.data
    return bool(kind.key) and data.count(kind.key) == len(lines) and not any(other in data for other in kind.others)
