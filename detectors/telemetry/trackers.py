"""What carriers' go-betweens send: objects that each hold the scans of one parcel."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import Final, Protocol

import numpy as np
import polars as pl

from detectors.telemetry.block import Block, Slot, line_places, refused, settle
from detectors.telemetry.checks import check, missing
from detectors.telemetry.jsoncolumns import TEXT_FORM
from detectors.telemetry.jsontext import Json, parse_object
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Lines
from detectors.telemetry.rejects import Code, FaultError, Place, Reject, Tally
from detectors.telemetry.tracking import SCAN_FIELDS

JsonObject = Mapping[str, Json]

_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?(?:([Zz])|([+-]\d\d):?(\d\d))?)?", re.ASCII
)
_YEARS: Final = range(2001, 2099)  # well within what `limits.Limits` believes, whatever the offset
_TIMES: Final = ("event_time", "promised_at")


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan as a go-between reports it, in the words of `schemas.TRACKING`; times are RFC 3339 text."""

    tracking_number: str | None
    event_time: str | None
    status: str
    reason: str | None = None
    lat: float | None = None
    lon: float | None = None
    proof: str | None = None
    carrier: str | None = None
    depot: str | None = None
    promised_at: str | None = None


class Note(Protocol):
    """Counts a value that was set aside while its scan stays in use."""

    def __call__(self, name: str, code: Code, reason: str) -> None:
        """The field's name, and why its value was not used as it stands."""
        ...


Found = Scan | FaultError
_Fault = tuple[Code, str, str | None]
"""The code, the reason and the field of faults alike: those of one line stand at one place, and are counted."""

Reader = Callable[[JsonObject, Note], Iterable[Found]]
"""The scans that one object holds, and a fault for each record of it that cannot be used."""


class Trackers:
    """Decodes the portions of one file of such objects.

    They hold much that is not asked for, so fields without use are passed over
    and not counted.
    """

    continues: Final = False

    def __init__(self, read: Reader, limits: Limits) -> None:
        self._read = read
        self._limits = limits

    def decode(self, lines: Lines, tally: Tally) -> Block:
        """The scans that some lines hold, and the rejects of the others."""
        scans: list[Scan] = []
        rows: list[int] = []
        rejects: list[Reject] = []
        extra = 0
        for row in range(len(lines)):
            before = len(scans)
            faults = Counter[_Fault]()
            for one in self._found(lines, row, tally):
                if isinstance(one, Scan):
                    scans.append(one)
                else:
                    faults[one.code, one.reason, one.name] += 1
            rows += [row] * (len(scans) - before)
            rejects += (replace(refused(lines, row, FaultError(*fault)), count=n) for fault, n in faults.items())
            extra += len(scans) - before + faults.total() - 1
        checked = check(_columns(scans), SCAN_FIELDS, self._limits, plain=False)
        place = line_places(lines, np.array(rows, np.int64))
        block = settle(checked, place, rejects, Slot.SCANS)
        return Block(rejects=block.rejects, extra=extra, scans=block.scans)

    def _found(self, lines: Lines, row: int, tally: Tally) -> Iterator[Found]:
        """What one line holds; of what takes two bytes to write, nothing is kept until it shows that it is a scan."""
        try:
            members = parse_object(lines.text(row), self._limits)
        except FaultError as fault:
            yield fault
            return
        for one in self._read(members, partial(_note, tally, lines.place(row))):
            lacking = _lacking(one) if isinstance(one, Scan) else None
            yield one if lacking is None else FaultError(Code.MISSING_FIELD, missing(lacking), lacking)


def _note(tally: Tally, place: Place, name: str, code: Code, reason: str) -> None:
    tally.add(name, code, reason, place)


def _lacking(scan: Scan) -> str | None:
    """The name of the first required field that a scan has not."""
    if not scan.tracking_number:
        return "tracking_number"
    return "event_time" if not scan.event_time else None


def _columns(scans: list[Scan]) -> pl.DataFrame:
    """The scans as `jsonlines.Objects.frame` would hold them."""
    numbers = ("lat", "lon")
    return pl.DataFrame(
        [
            pl.Series(
                f.name + TEXT_FORM if f.name in _TIMES else f.name,
                [getattr(scan, f.name) for scan in scans],
                dtype=pl.Float64 if f.name in numbers else pl.String,
            )
            for f in fields(Scan)
        ]
    )


def each(items: Iterable[Json], read: Callable[[JsonObject], Iterable[Found]], noun: str) -> Iterator[Found]:
    """What `read` finds in each of the items; an item that it refuses is one fault and leaves the others alone."""
    for item in items:
        if not isinstance(item, dict):
            yield FaultError(Code.NOT_AN_OBJECT, f"The {noun} is no object.")
            continue
        try:
            yield from read(item)
        except FaultError as fault:
            yield fault


def scans_of(
    tracker: JsonObject,
    name: str,
    time: str,
    read: Callable[[JsonObject, str], Scan],
    promised: Callable[[], str | None],
) -> Iterator[Found]:
    """One scan for each of the details listed as `name`, or one of the tracker itself, as last changed, without any.

    Args:
      tracker: What holds them.
      name: The member that lists them.
      time: The member of a detail that says when it was.
      read: A detail, and the name of its time, to its scan.
      promised: The tracker's present estimate, so that only the last scan has it.
    """
    details = listed(tracker, name)
    if not details:
        changed = "updated_at" if tracker.get("updated_at") else "created_at"
        yield replace(read(tracker, changed), promised_at=promised())
    for number, detail in enumerate(details, start=1):
        for found in each([detail], lambda one: [read(one, time)], f"item of {name}"):
            if number == len(details) and isinstance(found, Scan):
                yield replace(found, promised_at=promised())
            else:
                yield found


def text(members: JsonObject, name: str) -> str | None:
    """A text member; null where it is absent or empty.

    Raises:
      FaultError: It is no text.
    """
    value = members.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise FaultError(Code.WRONG_TYPE, f"The field {name} must be text.", name)
    return value


def listed(members: JsonObject, name: str) -> list[Json]:
    """A member that is a list; empty where it is absent.

    Raises:
      FaultError: It is no list.
    """
    value = members.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise FaultError(Code.WRONG_TYPE, f"The field {name} must be a list.", name)
    return value


def word(words: Mapping[str, str], said: str | None, name: str, note: Note) -> str:
    """What a status means; `unknown`, and counted, where it is none that is known."""
    known = words.get(said or "")
    if known is not None:
        return known
    note(name, Code.UNKNOWN_VALUE, f"The field {name} holds a word that is not in its list and was read as unknown.")
    return "unknown"


def moment(members: JsonObject, name: str, note: Note) -> str | None:
    """A time as RFC 3339 text; null where it is absent, and as it stands where it is no time.

    A carrier's time without an offset is read as UTC, and a day alone as its noon
    there, when it is the same day nearly everywhere; both are counted, since the
    carrier may have meant its own zone.

    Raises:
      FaultError: It is no text.
    """
    written = text(members, name)
    match = _MOMENT.fullmatch(written) if written else None
    if written is None or match is None:
        return written
    day, clock, seconds, utc, hours, minutes = match.groups()
    if not utc and not hours:
        note(name, Code.NO_OFFSET, f"The field {name} names no offset from UTC and was read as UTC.")
    offset = f"{hours}:{minutes}" if hours else "Z"
    return f"{day}T{clock}{seconds or ':00'}{offset}" if clock else f"{day}T12:00:00Z"


def estimate(members: JsonObject, name: str, note: Note) -> str | None:
    """A promised time as `moment`, but left out and counted where it is none: no scan is lost for a bad estimate."""
    try:
        written = moment(members, name, note)
        if written is None or (_MOMENT.fullmatch(written) and datetime.fromisoformat(written).year in _YEARS):
            return written
    except (FaultError, ValueError):
        pass
    note(name, Code.BAD_TIME, f"The field {name} is not a time; it was left out and the scan kept.")
    return None


def depot(*parts: str | None) -> str | None:
    """A place such as `RENO, NV`, without postal code or street."""
    return ", ".join(part for part in parts if part) or None
