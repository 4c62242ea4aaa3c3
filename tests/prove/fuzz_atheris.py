"""The parsers under a fuzzer that follows the branches it reaches: `python -m tests.prove.fuzz_atheris CORPUS -runs=N`.

`atheris` is no dependency of ours: where it is not installed, the test that runs this is skipped.
"""

import contextlib
import importlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import polars as pl

atheris: Any = importlib.import_module("atheris")

with atheris.instrument_imports(include=["detectors.telemetry", "remediation.rows", "remediation.csv_rows"]):
    from detectors.schemas import complete
    from detectors.telemetry.carried import from_url
    from detectors.telemetry.cmcd_columns import read_columns, read_singly
    from detectors.telemetry.cmcd_members import ASKED
    from detectors.telemetry.keys import KeyRingError, load_key_ring
    from detectors.telemetry.rejects import FaultError
    from remediation.orders import Customer, OrderLine
    from remediation.policy.load import PolicyError, load_policy
    from remediation.rows import parsed_rows
    from tests.prove.fuzzing import line_by_line, read
    from tests.prove.samples import lines


def telemetry(data: bytes) -> None:
    """Records are rows or rejects, and both ways of reading say the same."""
    whole = read(data)
    with line_by_line():
        assert read(data).rows == whole.rows


def cmcd(data: bytes) -> None:
    records = data.decode("utf-8", "replace").split("\n")
    columns, singly = read_columns(pl.Series(records, dtype=pl.String)), read_singly(records)
    assert complete(columns.frame, ASKED).equals(complete(singly.frame, ASKED))
    assert (columns.empty == singly.empty).all()
    assert (columns.newer == singly.newer).all()


def url(data: bytes) -> None:
    with contextlib.suppress(FaultError):
        from_url(data.decode("utf-8", "replace"))


def orders(data: bytes) -> None:
    list(parsed_rows(io.BytesIO(data), "file", OrderLine))


def customers(data: bytes) -> None:
    list(parsed_rows(io.BytesIO(data), "file", Customer))


def policy(data: bytes) -> None:
    with contextlib.suppress(PolicyError):
        load_policy(data, "file")


def keys(data: bytes) -> None:
    with contextlib.suppress(KeyRingError):
        load_key_ring(data, "file")


TARGETS: Final[tuple[Callable[[bytes], None], ...]] = (telemetry, cmcd, url, orders, customers, policy, keys)
CORPUS: Final = ("beacons", "collector", "w3c", "access", "trackers", "trackings", "scans", "contacts")


def one(data: bytes) -> None:
    """The first byte chooses the parser, the others are what it is given."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


def plant(folder: Path) -> None:
    """Good records of every format, to begin with."""
    for kind in CORPUS:
        (folder / kind).write_bytes(b"\0" + b"\n".join(lines(kind)[:3]) + b"\n")
    (folder / "record").write_bytes(b"\1" + b"\n".join(lines("reports")))
    (folder / "query").write_bytes(b"\2/a?" + lines("queries")[0])
    (folder / "orders").write_bytes(b"\3" + b"\n".join(lines("orders")))
    (folder / "customers").write_bytes(b"\4" + b"\n".join(lines("customers")))


if __name__ == "__main__":
    plant(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
