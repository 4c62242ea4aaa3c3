"""Builders for playback tests: a figure that a test does not name is the usual one."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

import polars as pl

from detectors import schemas
from detectors.playback.rules import PlaybackRules
from detectors.playback.sessions import sessionize
from tests.detectors.playback.reference import Record

RULES = PlaybackRules.model_validate(
    {
        "timeline": {
            "session_gap_ms": 1_800_000,
            "allowed_lateness_ms": 604_800_000,
            "sleep_gap_ms": 30_000,
            "open_stall_cap_ms": 120_000,
            "seek_burst_ms": 2_000,
            "seek_grace_ms": 5_000,
        },
        "stalls": {
            "bad_ratio": 0.02,
            "bad_ratio_min_stall_ms": 5_000,
            "burst_count": 3,
            "burst_stall_ms": 1_000,
            "burst_window_ms": 300_000,
            "long_stall_ms": 15_000,
        },
        "start": {"slow_ms": 5_000, "very_slow_ms": 10_000},
        "failure": {"min_wait_ms": 1_000, "abandoned_ms": 10_000},
        "picture": {
            "low_bitrate_ratio": 0.25,
            "low_bitrate_kbps": 300,
            "good_height": 720,
            "low_height": 360,
            "min_player_height": 720,
            "share_of_play": 0.5,
            "min_play_ms": 30_000,
        },
        "seeks": {"slow_ms": 10_000},
    }
)


def frame(records: Iterable[Record]) -> pl.DataFrame:
    """`schemas.EVENTS` of the records, unknown columns null throughout."""
    rows = list(map(vars, records))
    return schemas.complete(pl.DataFrame(rows, schema=_types()), schemas.EVENTS)


def _types() -> dict[str, pl.DataType]:
    return {field.name: schemas.EVENTS[field.name] for field in fields(Record)}


def a_course(course: str, **usual: str | int) -> list[Record]:
    """Records of one session from `0 starting, 2 playing, 12 -, 40 paused`: seconds and states, `-` being a sample."""
    records = []
    for told in course.split(","):
        second, state, *marks = told.split()
        marked = dict(mark.split("=") for mark in marks)
        values = {name: _VALUE.get(name, int)(value) for name, value in marked.items()}
        known = {"session_id": "s", **usual, **values}
        records.append(
            Record(event_time=round(float(second) * 1_000), state=None if state == "-" else state, **known)  # type: ignore[arg-type]  # the test names fields
        )
    return records


def heartbeats(until_s: int, course: str, **usual: str | int) -> list[Record]:
    """The same course with a sample every ten seconds."""
    beats = ", ".join(f"{second} -" for second in range(0, until_s + 1, 10))
    return sorted(a_course(f"{course}, {beats}", **usual), key=lambda record: record.event_time)


def sole_session(records: Iterable[Record]) -> dict[str, Any]:
    """The only session row of the records, by column."""
    return sessionize(frame(records), RULES).sessions.row(0, named=True)


def _truth(text: str) -> bool:
    return text == "yes"


_VALUE: dict[str, Callable[[str], str | float | bool]] = {
    "background": _truth,
    "ad": _truth,
    "fatal": _truth,
    "signed": _truth,
    "error_code": str,
    "codec": str,
    "bitrate_kbps": float,
    "buffer_ms": float,
    "top_bitrate_kbps": float,
    "playback_rate": float,
}
