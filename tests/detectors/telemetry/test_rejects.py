"""What was left out is counted, and its first place in the source is named."""

from detectors.telemetry.limits import DEFAULT_LIMITS
from detectors.telemetry.rejects import Code, Tally

WHY = "The format has no such field."


def test_the_first_place_in_the_source_is_named_whatever_was_counted_first() -> None:
    tally = Tally(DEFAULT_LIMITS)
    tally.add("depot", Code.UNKNOWN_FIELD, WHY, (1_830, 257_848), 3)
    tally.add("depot", Code.UNKNOWN_FIELD, WHY, (633, 88_605), 1)
    tally.add("depot", Code.UNKNOWN_FIELD, WHY, (700, 98_000), 2)

    (depot,) = tally.rejects()
    assert (depot.line, depot.offset, depot.count) == (633, 88_605, 6)
