"""The keys of CMCD v1 (CTA-5004) and v2 (CTA-5004-B): what each may hold."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Shape(Enum):
    """How a value is written, after RFC 8941."""

    INTEGER = auto()
    DECIMAL = auto()
    MEASURES = auto()  # an integer, or a list of them with object types
    STRING = auto()
    STRINGS = auto()  # a string, or a list of them
    ERRORS = auto()  # strings by the standard; players send integers and lists of them
    TOKEN = auto()
    FLAG = auto()


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `longest` bounds strings in characters; `zero` says whether 0 means anything."""

    name: str
    shape: Shape
    tokens: frozenset[str] = frozenset()
    longest: int = 4_096
    zero: bool = True
    signed: bool = False


VERSION: Final = 2
"""The newest version understood; a set of a newer one is ignored whole, as CTA-5004-B asks."""

CONTENT_ID_V1: Final = 64
"""Longest `cid` of version 1; version 2 doubled it."""

STATES: Final = {
    "d": "preloading",
    "s": "starting",
    "p": "playing",
    "k": "seeking",
    "r": "stalled",
    "a": "paused",
    "w": "waiting",
    "e": "ended",
    "f": "failed",
    "q": "quit",
}
"""`sta` in our words."""

_EVENTS: Final = "abs abe ae as b bc c ce e h m pc pe pr ps rr sk t um"
_OBJECTS: Final = "m a v av i c tt k o"

_INTEGERS: Final = "d dfa df dl ltc msd pt rc rtp sn ts ttfb ttfbb ttlb v"
_MEASURES: Final = "ab bl br bsa bsd bsda lab lb pb tab tb tbl tpb"
_STRINGS: Final = "cmsdd cmsds cs smrt url nrr"

KEYS: Final = {
    key.name: key
    for key in (
        *(Key(name, Shape.INTEGER) for name in _INTEGERS.split()),
        *(Key(name, Shape.MEASURES) for name in _MEASURES.split()),
        *(Key(name, Shape.STRING) for name in _STRINGS.split()),
        *(Key(name, Shape.FLAG) for name in ("bg", "bs", "nr", "su")),
        Key("mtp", Shape.MEASURES, zero=False),  # a throughput of nothing is no measurement
        Key("pr", Shape.DECIMAL, signed=True),
        Key("sid", Shape.STRING, longest=200),  # the standard says 64; a longer one still names a session
        Key("cid", Shape.STRING, longest=128),
        Key("cen", Shape.STRING, longest=64),
        Key("h", Shape.STRING, longest=128),
        Key("nor", Shape.STRINGS),
        Key("ec", Shape.ERRORS, longest=200),
        Key("e", Shape.TOKEN, frozenset(_EVENTS.split())),
        Key("ot", Shape.TOKEN, frozenset(_OBJECTS.split())),
        Key("sf", Shape.TOKEN, frozenset("dhseo")),
        Key("st", Shape.TOKEN, frozenset(("v", "l", "ll"))),
        Key("sta", Shape.TOKEN, frozenset(STATES)),
    )
}
"""Every key by name. `df` is the name that drafts of version 2 gave to `dfa`."""


def longest(key: Key) -> int:
    """How long a string may certainly be, in characters: a longer `cid` asks for a look at the version."""
    return min(key.longest, CONTENT_ID_V1) if key.name == "cid" else key.longest
