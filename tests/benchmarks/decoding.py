"""The decoder alone, on one file: `python -m tests.benchmarks.decoding PATH`."""

import sys
from pathlib import Path

from detectors.telemetry.decode import decode
from tests.benchmarks.measure import report_work


def decode_file(path: Path) -> int:
    """The number of events in the file."""
    with path.open("rb") as stream:
        return sum(block.events.height for block in decode(stream, path.name))


if __name__ == "__main__":
    report_work(lambda: decode_file(Path(sys.argv[1])))
