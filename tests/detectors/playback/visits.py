"""Visits as real viewers make them, to the millisecond, and what a careless or a dishonest hand does to them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

import polars as pl

from detectors import schemas
from detectors.schemas import Channel
from detectors.telemetry.decode import decode
from tests.detectors.playback.reference import Record

PLAYERS: Final = Path(__file__).parents[3] / "../shared/data/players"
RECORDINGS: Final = sorted(folder for folder in PLAYERS.glob("*/*") if folder.is_dir())
FIXTURES: Final = Path(__file__).parents[3] / "fixtures"
EVENING: Final = 1_795_287_600_000

Deed = Callable[[list[Record]], list[Record]]


def telemetry(*paths: Path) -> pl.DataFrame:
    """The events of files, or of all files of folders."""
    frames = [pl.DataFrame(schema=schemas.EVENTS)]
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                with file.open("rb") as stream:
                    frames += [schemas.complete(block.events, schemas.EVENTS) for block in decode(stream, file.name)]
    return pl.concat(frames)


def a_bad_visit(seed: int = 1, *, stalls: int = 8, session_id: str = "s", at: int = EVENING) -> list[Record]:
    """A start, then stalls between stretches of play with samples in them, all of them as long as chance has it."""
    random = Random(seed)  # noqa: S311 a reproducible evening
    now, told = at, [("starting", at)]

    def pass_by(low_ms: int, high_ms: int, state: str | None) -> None:
        nonlocal now
        now += random.randint(low_ms, high_ms)
        told.append((state, now))  # type: ignore[arg-type]  # a sample has no state

    pass_by(300, 2_500, "playing")
    for _ in range(stalls):
        for _ in range(random.randint(1, 4)):
            pass_by(9_000, 10_500, None)
        pass_by(500, 9_000, "stalled")
        pass_by(1_500, 12_000, "playing")
    pass_by(5_000, 9_000, "ended")
    return [
        Record(session_id, moment, received_at=moment + random.randint(30, 400), sequence=number, state=state)
        for number, (state, moment) in enumerate(told)
    ]


def shifted(records: list[Record]) -> list[Record]:
    """A week later."""
    week = 7 * 86_400_000
    return [
        replace(r, event_time=r.event_time + week, received_at=None if r.received_at is None else r.received_at + week)
        for r in records
    ]


def renamed(records: Iterable[Record], session_id: str = "another") -> list[Record]:
    """Under another session id."""
    return [replace(record, session_id=session_id, customer_id="mallory") for record in records]


def reordered(records: list[Record]) -> list[Record]:
    """In another order of arrival."""
    return Random(7).sample(records, k=len(records))  # noqa: S311 likewise


def twice(records: list[Record]) -> list[Record]:
    """Each of them twice."""
    return [*records, *reversed(records)]


def without_samples(records: list[Record]) -> list[Record]:
    """Changes of state alone, numbered anew."""
    return [replace(r, sequence=n) for n, r in enumerate(r for r in records if r.state is not None)]


def confirmed(records: list[Record]) -> list[Record]:
    """With each sample saying again what holds."""
    state, told = None, []
    for record in records:
        state = record.state or state
        told.append(replace(record, state=state))
    return told


def unnumbered(records: list[Record]) -> list[Record]:
    """Without numbers."""
    return [replace(record, sequence=None) for record in records]


def prettier(records: list[Record]) -> list[Record]:
    """With other figures."""
    return [replace(record, bitrate_kbps=150.0, height=240, cdn="other") for record in records]


def by_another_channel(records: list[Record]) -> list[Record]:
    """As if CMCD had brought them."""
    return [replace(record, channel=Channel.CMCD_EVENT) for record in records]


def clock_set(*steps: tuple[int, int]) -> Deed:
    """A player's clock that is set by so much from so many records on."""

    def happens(records: list[Record]) -> list[Record]:
        return [
            replace(record, event_time=record.event_time + sum(step for since, step in steps if number >= since))
            for number, record in enumerate(records)
        ]

    return happens


def sent_at_once(records: list[Record]) -> list[Record]:
    """All of them received at the end, from a telephone that had been offline."""
    last = max(record.event_time for record in records) + 5_000
    return [replace(record, received_at=last) for record in records]


def asleep(records: list[Record]) -> list[Record]:
    """A device that slept for twenty minutes half way."""
    half = len(records) // 2
    return [
        replace(r, event_time=r.event_time + 1_200_000, received_at=(r.received_at or 0) + 1_200_000)
        if n >= half
        else r
        for n, r in enumerate(records)
    ]
