"""`makegood sessions` once it is imported: `python -m tests.benchmarks.ours INPUT OUTPUT`."""

import sys

import polars as pl

# Imported for their cost alone: the command would import them within the measured time.
import pipelines.console
import pipelines.outputs  # noqa: F401
from pipelines.cli import app
from tests.benchmarks.measure import report_work


def write_sessions(source: str, target: str) -> int:
    """The number of sessions."""
    app(["sessions", source, "--out", target], standalone_mode=False)
    return int(pl.scan_parquet(target).select(pl.len()).collect().item())


if __name__ == "__main__":
    report_work(lambda: write_sessions(sys.argv[1], sys.argv[2]))
