"""Copies of a visit are found by its course, and honest visits are never taken for copies."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import polars as pl
import pytest

from detectors import schemas
from detectors.playback.fingerprints import KEPT, fingerprints
from detectors.playback.records import select
from detectors.playback.timeline import follow
from tests.benchmarks.events import Telemetry
from tests.detectors.playback.evenings import RULES, a_course, frame, heartbeats
from tests.detectors.playback.reference import Record
from tests.detectors.playback.visits import (
    RECORDINGS,
    Deed,
    a_bad_visit,
    by_another_channel,
    confirmed,
    prettier,
    renamed,
    reordered,
    shifted,
    telemetry,
    twice,
    unnumbered,
    without_samples,
)
from tests.support.examples import first_of


def prints(events: pl.DataFrame) -> dict[str, list[str]]:
    """The fingerprints of all sessions, failing or not."""
    records = select(schemas.complete(events, schemas.EVENTS), RULES.timeline)
    found = fingerprints(follow(records, RULES.timeline)).to_list()
    return dict(zip(records.session_id.cast(pl.String).to_list(), found, strict=True))


def of(records: list[Record]) -> list[str]:
    (found,) = prints(frame(records)).values()
    return found


@pytest.mark.parametrize(
    "deed",
    [shifted, renamed, reordered, twice, without_samples, confirmed, unnumbered, prettier, by_another_channel],
    ids=lambda deed: deed.__name__,
)
@pytest.mark.parametrize("seed", range(3))
def test_a_copy_has_the_fingerprints_of_what_it_copies(deed: Deed, seed: int) -> None:
    visit = a_bad_visit(seed)
    assert len(of(visit)) == KEPT
    assert of(deed(visit)) == of(visit)


@pytest.mark.parametrize("kept", first_of(1, [0.5, 0.7, 0.9]), ids=["half", "most", "nearly all"])
def test_a_copy_that_was_cut_or_made_longer_mostly_shares_one(kept: float) -> None:
    shared = 0
    for seed in range(40):
        visit = a_bad_visit(seed, stalls=14)
        cut = renamed(visit[: round(len(visit) * kept)])
        shared += bool(set(of(cut)) & set(of(visit)))
    assert shared >= 36


def test_one_millisecond_makes_another_visit() -> None:
    """Each wait and each stretch of play belongs to it: what is not changed in every place still shows."""
    visit = a_bad_visit()
    every = [
        Record("s", r.event_time + number * (number + 1), sequence=number, state=r.state)
        for number, r in enumerate(visit)
    ]
    assert not set(of(every)) & set(of(visit))


def test_what_was_done_belongs_to_it_and_not_only_for_how_long() -> None:
    visit = a_bad_visit()
    sought = [replace(record, state="seeking" if record.state == "stalled" else record.state) for record in visit]
    assert len(of(sought)) == KEPT
    assert not set(of(sought)) & set(of(visit))


def test_short_visits_have_none() -> None:
    assert of(a_course("0 starting, 2.113 playing, 9.871 stalled, 14.007 playing, 61.459 ended")) == []
    assert of(a_course("0 -, 10 -, 20 -")) == []


def test_a_clock_that_is_coarse_identifies_nobody() -> None:
    """Five stalls of eight seconds in round numbers may happen to many."""
    stalls = ", ".join(f"{n * 44} playing, {n * 44 + 36} stalled" for n in range(5))
    assert of(heartbeats(230, f"0 starting, 0.9 playing, {stalls}, 220 playing, 230 ended")) == []


def test_no_two_of_many_honest_visits_are_taken_for_copies() -> None:
    (evening,) = Telemetry(4_000).slices()
    found = prints(evening.with_columns(channel=pl.lit(0, pl.UInt8)))
    assert sum(map(bool, found.values())) > 500
    owners = Counter(each for of_session in found.values() for each in of_session)
    assert owners.most_common(1)[0][1] == 1


@pytest.mark.skipif(not RECORDINGS, reason="the recordings do not lie beside this checkout")
def test_no_two_recorded_visits_are_taken_for_copies() -> None:
    """Some of them were made by the same script, on the same line."""
    found = prints(telemetry(*(folder / "reports.jsonl" for folder in RECORDINGS)))
    assert sum(map(bool, found.values())) >= 5
    assert not any(set(a) & set(b) for a, b in combinations(found.values(), 2))


def test_neighbours_change_nothing() -> None:
    visit = a_bad_visit(stalls=3)
    others = [r for n in range(2, 9) for name in ("a", "z") for r in a_bad_visit(n, session_id=f"{name}-{n}")]
    assert prints(frame([*visit, *others]))["s"] == of(visit)
