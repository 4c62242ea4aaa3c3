"""Builders for playback tests: a figure that a test does not name is the usual one."""

from collections.abc import Iterable
from dataclasses import asdict, fields

import polars as pl
from tests.detectors.playback.reference import Record

from detectors import schemas
from detectors.playback.rules import PlaybackRules

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
    rows = [asdict(record) for record in records]
    return schemas.complete(pl.DataFrame(rows, schema=_types()), schemas.EVENTS)


def _types() -> dict[str, pl.DataType]:
    return {field.name: schemas.EVENTS[field.name] for field in fields(Record)}
