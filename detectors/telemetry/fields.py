"""What a field may hold, and the fields of a canonical beacon."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from detectors.schemas import DIMENSIONS

_SAFE_INTEGER: Final = 2**53  # JavaScript counts exactly up to here
_TEN_YEARS_MS: Final = 10 * 366 * 86_400_000
_TERABIT_KBPS: Final = 1e9


class Kind(Enum):
    """How a value is written."""

    TEXT = auto()
    CODE = auto()  # text, or a whole number that is read as text
    TIME = auto()  # whole milliseconds since the epoch, or RFC 3339 text
    STATE = auto()  # one word of the list that the frame's column declares
    WHOLE = auto()
    NUMBER = auto()
    FLAG = auto()
    MARK = auto()  # true or false, or an object whose presence alone says true


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `low` and `high` bound numbers, both inclusive; `otherwise` stands for words not in the list."""

    name: str
    kind: Kind
    low: float = 0
    high: float = _SAFE_INTEGER
    required: bool = False
    otherwise: str | None = None


KEY_ID: Final = "key_id"
SIGNATURE: Final = "signature"

FIELDS: Final = (
    Field("session_id", Kind.TEXT, required=True),
    Field("event_time", Kind.TIME, required=True),
    Field("received_at", Kind.TIME),
    Field("sequence", Kind.WHOLE),
    Field("customer_id", Kind.TEXT),
    Field("content_id", Kind.TEXT),
    Field("state", Kind.STATE),
    Field("position_ms", Kind.WHOLE),
    Field("playback_rate", Kind.NUMBER, low=-1_000, high=1_000),  # negative is rewinding
    Field("bitrate_kbps", Kind.NUMBER, high=_TERABIT_KBPS),
    Field("top_bitrate_kbps", Kind.NUMBER, high=_TERABIT_KBPS),
    Field("height", Kind.WHOLE, high=100_000),
    Field("player_height", Kind.WHOLE, high=100_000),
    Field("frame_rate", Kind.NUMBER, high=10_000),
    Field("codec", Kind.TEXT),
    Field("buffer_ms", Kind.NUMBER, high=_TEN_YEARS_MS),
    Field("throughput_kbps", Kind.NUMBER, high=_TERABIT_KBPS),
    Field("dropped_frames", Kind.WHOLE),
    Field("stall_ms", Kind.WHOLE, high=_TEN_YEARS_MS),
    Field("startup_ms", Kind.WHOLE, high=_TEN_YEARS_MS),
    Field("error_code", Kind.CODE),
    Field("fatal", Kind.FLAG),
    Field("background", Kind.FLAG),
    Field("ad", Kind.FLAG),
    *(Field(name, Kind.TEXT) for name in DIMENSIONS),
    Field(KEY_ID, Kind.TEXT),  # of the key that the record is signed with; see `signatures`
    Field(SIGNATURE, Kind.TEXT),
)
"""Canonical beacons, in the order in which a record's first fault is looked for."""
