import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from detectors.schemas import EVENTS, complete
from pipelines.batches import CLAIM_PREFIX, Spill, pack, split, unpack


def events_of(session_ids: list[str]) -> pl.DataFrame:
    rows = {"session_id": session_ids, "event_time": range(len(session_ids)), "channel": [0] * len(session_ids)}
    return complete(pl.DataFrame(rows), EVENTS)


def in_time(events: pl.DataFrame) -> pl.DataFrame:
    return complete(events, EVENTS).sort("event_time")


@given(st.lists(st.text(max_size=5), max_size=60), st.integers(1, 9))
def test_splitting_loses_and_invents_nothing(session_ids: list[str], partitions: int) -> None:
    events = events_of(session_ids)
    together = unpack(pack(part) for _, part in split(events, partitions))
    assert_frame_equal(in_time(together), in_time(events))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.integers(1, 9), st.randoms())
def test_a_session_is_in_one_partition_whatever_block_it_comes_in(
    session_ids: list[str], partitions: int, order: random.Random
) -> None:
    homes: dict[str, set[int]] = {}
    for block in (session_ids, session_ids * 2, session_ids[:1]):
        shuffled = list(block)
        order.shuffle(shuffled)
        for number, part in split(events_of(shuffled), partitions):
            for session_id in part["session_id"].cast(pl.String).unique():
                homes.setdefault(session_id, set()).add(number)
    assert all(len(numbers) == 1 for numbers in homes.values())


def test_columns_that_are_null_throughout_do_not_travel() -> None:
    (_, part), *_ = split(events_of(["s-1"]), 1)
    assert pl.read_ipc_stream(pack(part)).columns == ["session_id", "event_time", "channel"]


def test_no_batch_at_all_is_a_frame_without_rows() -> None:
    assert unpack([]).schema == EVENTS
    assert unpack([]).is_empty()


def test_a_spilled_slice_travels_as_a_claim_and_comes_back_whole(tmp_path: Path) -> None:
    events = events_of([f"s-{number % 7}" for number in range(1_000)])
    slices = {number: pack(part) for number, part in split(events, 4)}
    claims = dict(Spill(str(tmp_path)).write("000000-000000", slices))
    assert claims.keys() == slices.keys()
    assert all(claim.startswith(CLAIM_PREFIX) and len(claim) < 300 for claim in claims.values())
    assert_frame_equal(in_time(unpack(claims.values())), in_time(events))


def test_a_block_that_is_spilled_again_leaves_one_file(tmp_path: Path) -> None:
    slices = {0: pack(events_of(["s-1"]))}
    spill = Spill(str(tmp_path))
    first, second = dict(spill.write("000000-000000", slices)), dict(spill.write("000000-000000", slices))
    assert first == second
    assert len(list(tmp_path.iterdir())) == 1


def test_a_lost_spill_file_is_an_error_and_not_an_empty_batch(tmp_path: Path) -> None:
    claims = dict(Spill(str(tmp_path)).write("000000-000000", {0: pack(events_of(["s-1"]))}))
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(FileNotFoundError):
        unpack(claims.values())
