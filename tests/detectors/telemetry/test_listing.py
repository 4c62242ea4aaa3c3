"""Rubbish is told of in bounded words: the first bad records one by one, the later ones together."""

from detectors.telemetry.limits import Limits
from detectors.telemetry.listing import Listing
from detectors.telemetry.rejects import Code, Reject
from tests.detectors.telemetry.reading import Read, a_beacon, jsonl


def bad(line: int, code: Code = Code.NOT_JSON, count: int = 1) -> Reject:
    return Reject("record", code, f"It is {code}.", line=line, offset=10 * line, count=count)


def test_the_first_bad_records_stand_one_by_one_and_the_later_ones_together() -> None:
    listing = Listing(Limits(listed_rejects=3))

    first = listing.of_block([bad(1), bad(2)], 10)
    second = listing.of_block([bad(11), bad(12), bad(13, Code.TOO_DEEP), bad(14, count=5)], 10)

    assert first == (bad(1), bad(2))
    assert second == (bad(11), bad(12, count=6), bad(13, Code.TOO_DEEP))


def test_however_many_there_are_none_is_missing_from_the_sum() -> None:
    data = jsonl([a_beacon()]) + b"{}\n" * 50 + b"rubbish\n" * 50

    read = Read(data, Limits(listed_rejects=7, block_lines=20))  # compares the sums itself

    assert read.rejects["count"].sum() == 100
    assert read.rejects.height < 20
    assert read.rejects["line"].to_list() == sorted(read.rejects["line"].to_list())


def test_a_file_of_which_nearly_nothing_is_of_use_is_left() -> None:
    rubbish = jsonl([a_beacon()]) + b"{}\n" * 1_000
    limits = Limits(rejected_floor_records=100, block_lines=50)

    read = Read(rubbish, limits)

    assert read.rejects.row(-1, named=True)["code"] == "mostly_rejected"
    assert read.records < 200
    assert read.events.height == 1


def test_a_file_of_which_some_is_of_use_is_read_to_its_end() -> None:
    half = (jsonl([a_beacon()]) + b"{}\n") * 500

    assert Read(half, Limits(rejected_floor_records=100, block_lines=50)).events.height == 500
    assert Read(b"{}\n" * 50 + half, Limits(rejected_floor_records=100)).events.height == 500
