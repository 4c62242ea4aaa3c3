"""What could not be used, and why: never the content itself, which may be personal."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

import polars as pl

from detectors import schemas
from detectors.telemetry.limits import Limits

Scope = Literal["file", "record", "field"]
Place = tuple[int | None, int]
"""A line, where the format has lines, and an offset: a byte of text, or a row of Parquet."""

_NAME: Final = re.compile(r"[A-Za-z_*][A-Za-z0-9_.:()*-]{0,63}")
UNNAMED: Final = "(unprintable name)"
OTHER: Final = "(other names)"


class Code(StrEnum):
    """Why a file, a record or a field was left out."""

    # the file
    NOT_RECOGNISED = "not_recognised"
    TRUNCATED_FILE = "truncated_file"
    CORRUPT_FILE = "corrupt_file"
    DECOMPRESSION_BOMB = "decompression_bomb"
    DOCUMENT_TOO_LONG = "document_too_long"
    MOSTLY_REJECTED = "mostly_rejected"
    # the text of a record
    RECORD_TOO_LONG = "record_too_long"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_DEEP = "too_deep"
    LONE_SURROGATE = "lone_surrogate"
    DUPLICATE_KEY = "duplicate_key"
    # its values
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    NUMBER_TOO_LONG = "number_too_long"
    OUT_OF_RANGE = "out_of_range"
    BAD_TIME = "bad_time"
    UNKNOWN_VALUE = "unknown_value"
    ID_TOO_LONG = "id_too_long"
    CONTROL_CHARACTER = "control_character"
    UNKNOWN_FIELD = "unknown_field"
    NO_OFFSET = "no_offset"
    # its signature
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    EXPIRED_KEY = "expired_key"
    # trackers of EasyPost and AfterShip
    NOT_TRACKING = "not_tracking"
    # CMCD and access logs
    NO_CMCD = "no_cmcd"
    NOT_CMCD = "not_cmcd"
    NOT_URL_ENCODED = "not_url_encoded"
    MALFORMED_MEMBER = "malformed_member"
    UNKNOWN_VERSION = "unknown_version"
    MISSING_SESSION = "missing_session"
    MISSING_TIME = "missing_time"


class FaultError(ValueError):
    """One record that cannot be used; raised and caught inside this package only."""

    def __init__(self, code: Code, reason: str, name: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.name = name


@dataclass(frozen=True, slots=True)
class Reject:
    """One row of `schemas.REJECTS` without its source."""

    scope: Scope
    code: Code
    reason: str
    name: str | None = None
    line: int | None = None
    offset: int | None = None
    count: int = 1


def frame(source: str, rejects: Iterable[Reject]) -> pl.DataFrame:
    """The rejects of one source as `schemas.REJECTS`, in the order given."""
    rows = [(source, r.line, r.offset, r.scope, str(r.code), r.name, r.reason, r.count) for r in rejects]
    return pl.DataFrame(rows, schema=schemas.REJECTS, orient="row")


def printable(name: str) -> str:
    """The name of a field as it may be shown: an odd one could itself be an address or a secret."""
    return name if _NAME.fullmatch(name) else UNNAMED


@dataclass(slots=True)
class Tally:
    """Ignored fields of one source, counted by name and code, each with the first place where it stands.

    What is read in columns is read around the lines that are not, so that the first
    to be counted need not be the first in the source.
    """

    limits: Limits
    _kinds: dict[tuple[str, Code], Reject] = field(default_factory=dict)
    _counts: dict[tuple[str, Code], int] = field(default_factory=dict)

    def add(self, name: str, code: Code, reason: str, place: Place, count: int = 1) -> None:
        """Count `count` fields alike; beyond the limit of names they are counted together."""
        self._add(Reject("field", code, reason, printable(name), *place, count))

    def take(self, later: "Tally") -> None:
        """Count what was left out of a later part of the source, too."""
        for reject in later.rejects():
            self._add(reject)

    def _add(self, reject: Reject) -> None:
        name, code = reject.name or UNNAMED, reject.code
        if (name, code) not in self._kinds and len(self._kinds) >= self.limits.distinct_fields:
            name = OTHER
        known = self._kinds.get((name, code))
        if known is None or (reject.offset or 0) < (known.offset or 0):
            self._kinds[name, code] = reject
        self._counts[name, code] = self._counts.get((name, code), 0) + reject.count

    def rejects(self) -> list[Reject]:
        """One reject a name and code, in the order of the places."""
        return [
            Reject("field", code, kind.reason, name, kind.line, kind.offset, self._counts[name, code])
            for (name, code), kind in sorted(self._kinds.items(), key=lambda item: (item[1].offset or 0, item[0]))
        ]
