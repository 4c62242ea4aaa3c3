"""The machine: its clock, its time zones, and room on its disks."""

import ctypes
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.doctor.lines import Line, State
from remediation.report.formats import moment

MADE_MS: Final = 1_793_491_200_000
"""1 November 2026: this program was not there before, so that an earlier clock is wrong."""

ROOM_BYTES: Final = 2_000_000_000
LEAST_BYTES: Final = 200_000_000
"""Our choice: a night of ten million events spills some hundred megabytes, and a full disk ends it half-way."""

_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 512  # `struct timex` takes 208 on 64 bits
_ZONES: Final = {"Asia/Tokyo": (9, 9), "Europe/London": (0, 1), "America/New_York": (-5, -4)}
"""Hours from UTC in January and in July."""


def kernel_is_in_step() -> bool | None:
    """Whether something keeps the kernel's clock in step with others; null where the kernel does not say."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def clock_lines(now_ms: int, in_step: bool | None) -> Iterator[Line]:  # noqa: FBT001 - three answers to one question
    """Whether the time can be right, and whether anybody keeps it so."""
    if now_ms < MADE_MS:
        said = f"the clock says {moment(now_ms)}, and this program is younger"
        yield Line("clock", State.FAIL, said, "set the clock by the network (NTP)")
    elif in_step is None:
        yield Line("clock", State.OK, f"{moment(now_ms)}; whether it is kept by the network cannot be told here")
    elif in_step:
        yield Line("clock", State.OK, f"{moment(now_ms)}, kept by the network")
    else:
        said = f"{moment(now_ms)}, and nothing keeps it in step with other clocks"
        yield Line("clock", State.WARN, said, "let chrony, ntpd or systemd-timesyncd run")


def zone_lines(zone: Callable[[str], ZoneInfo] = ZoneInfo) -> Iterator[Line]:
    """Whether time zones are known: mails go out by the customer's own hours."""
    wrong = [name for name, hours in _ZONES.items() if _hours(zone, name) != hours]
    if wrong:
        said = f"the time in {' and '.join(wrong)} is not known as it should be"
        yield Line("time zones", State.FAIL, said, "install the package tzdata, or mend PYTHONTZPATH")
    else:
        yield Line("time zones", State.OK, "known")


def _hours(zone: Callable[[str], ZoneInfo], name: str) -> tuple[float, ...] | None:
    try:
        known = zone(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None
    offsets = (known.utcoffset(datetime(2026, month, 15)) or timedelta() for month in (1, 7))  # noqa: DTZ001 - its own
    return tuple(each / timedelta(hours=1) for each in offsets)


def disk_lines(folders: Iterable[tuple[str, Path]]) -> Iterator[Line]:
    """Room where something grows: (what for, folder); a folder that is not there yet goes by the one above it."""
    for what, folder in folders:
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        free = shutil.disk_usage(there).free
        said = f"{what}: {free / 1e9:,.1f} GB are free at {there}"
        if free < LEAST_BYTES:
            yield Line("disk", State.FAIL, said, "make room")
        elif free < ROOM_BYTES:
            yield Line("disk", State.WARN, said, "make room before a large night")
        else:
            yield Line("disk", State.OK, said)
