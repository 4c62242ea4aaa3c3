"""One member of a CMCD record: what it comes to where its key is asked for, or why it is left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import polars as pl

from detectors.telemetry.cmcd_record import (
    Ignored,
    Measure,
    Value,
    least_measure,
    main_measure,
    parse_record,
)
from detectors.telemetry.rejects import Code

FIGURES: Final[dict[str, Callable[[tuple[Measure, ...]], float | None]]] = {
    **dict.fromkeys(("br", "tb", "tpb", "mtp"), main_measure),
    **dict.fromkeys(("bl", "bsd"), least_measure),
    **dict.fromkeys(("bg", "df", "dfa", "msd", "pr", "pt", "rc", "sn", "ts", "v"), main_measure),
}
"""Keys that become numbers, each with how a list of measures becomes one."""

TEXTS: Final = ("cid", "e", "ec", "ot", "sid", "sta")
"""Keys that become text; of a list of error codes the first."""

ASKED: Final = pl.Schema({**dict.fromkeys(FIGURES, pl.Float64()), **dict.fromkeys(TEXTS, pl.String())})
"""The columns that records can fill."""

_MEMBERS_REMEMBERED: Final = 32_768
_LONGEST_REMEMBERED: Final = 256  # characters, so that the memory cannot be filled with rubbish


@dataclass(frozen=True, slots=True)
class Reading:
    """One member alone: a number or a text where its key becomes one, or why it is left out.

    `odd` says that more than this member is to be looked at: it is not well formed, so that it may be part of one
    that holds a comma, or it is a version that makes all of its record useless.
    """

    figure: float | None
    text: str | None
    ignored: Ignored | None
    odd: bool


@lru_cache(maxsize=_MEMBERS_REMEMBERED)
def _read_member(member: str) -> Reading:
    record = parse_record(member)
    ignored = record.ignored[0] if record.ignored else None
    for name, value in record.values.items():
        said = said_by(name, value)
        figure, text = (None, said) if isinstance(said, str) else (said, None)
        return Reading(figure, text, ignored, odd=not record.understood)
    return Reading(None, None, ignored, odd=ignored is None or ignored.code is Code.MALFORMED_MEMBER)


def read_members(members: Sequence[str]) -> list[Reading]:
    """What the reference parser makes of each member; players repeat themselves, so that short ones are remembered."""
    return [
        _read_member(member) if len(member) <= _LONGEST_REMEMBERED else _read_member.__wrapped__(member)
        for member in members
    ]


def said_by(name: str, value: Value | None) -> float | str | None:
    """What a value comes to, null where its key is not asked for."""
    if name not in FIGURES and name not in TEXTS:
        return None
    if name in TEXTS:
        head = value[0] if isinstance(value, tuple) and value else value
        return head if isinstance(head, str) else None
    if isinstance(value, tuple):
        return FIGURES[name](tuple(item for item in value if isinstance(item, Measure)))
    return float(value) if isinstance(value, int | float) else None
