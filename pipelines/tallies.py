"""What incidents are looked for in: every part's tally, written beside the findings and summed after the run."""

from collections.abc import Iterator
from typing import Final

from apache_beam.pvalue import TaggedOutput

from detectors.incidents import FAILING, UNITS, Tally, merged
from detectors.schemas import complete
from pipelines.batches import pack
from pipelines.parts import Parts

TALLIES: Final = "tallies"
_UNITS: Final = "units"
_FAILING: Final = "failing"


def tally_outputs(name: str, tally: Tally) -> Iterator[TaggedOutput]:
    """One part's tally as (file name below `tallies`, bytes); an empty frame has nothing to add."""
    for kind, frame in ((_UNITS, tally.units), (_FAILING, tally.failing)):
        if frame.height:
            yield TaggedOutput(TALLIES, (f"{kind}-{name}", pack(frame)))


def whole_tally(parts: Parts) -> Tally:
    """The sum over the run."""
    units = parts.frames(TALLIES, _UNITS)
    failing = parts.frames(TALLIES, _FAILING)
    return merged(
        [
            *(Tally(complete(frame, UNITS), FAILING.to_frame()) for frame in units),
            *(Tally(UNITS.to_frame(), complete(frame, FAILING)) for frame in failing),
        ]
    )
