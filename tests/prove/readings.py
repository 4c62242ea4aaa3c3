"""What the functions behind the command line make of one file; each is small enough to be sent to another process."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
from pydantic import BaseModel

from detectors.telemetry.decode import decode
from detectors.telemetry.keys import KeyRingError, load_key_ring
from detectors.telemetry.limits import Limits
from remediation.orders import Customer, Grant, OrderLine, Stock
from remediation.policy.load import PolicyError, load_policy
from remediation.rows import RowReject, parsed_rows

BOOKS: Final[dict[str, type[BaseModel]]] = {"orders": OrderLine, "customers": Customer, "grants": Grant, "stock": Stock}


@dataclass(frozen=True)
class Reading:
    """How many records came in, how many are of use, and what became of the others, by code or reason."""

    records: int
    used: int
    rejected: dict[str, int]
    placed: bool
    """Whether every reject of a record of text says on which line it stood."""

    @property
    def balanced(self) -> bool:
        return self.records == self.used + sum(self.rejected.values())


def telemetry(path: Path, limits: Limits) -> Reading:
    """A file as the nightly run decodes it, block by block, keeping none."""
    records = used = 0
    rejected = Counter[str]()
    placed = True
    with path.open("rb") as stream:
        for block in decode(stream, path.name, limits):
            records += block.record_count
            used += block.events.height + block.scans.height + block.contacts.height
            whole = block.rejects.filter(pl.col("scope") != "field")
            for scope, code, line, offset, count in whole.select(
                "scope", "code", "line", "offset", "count"
            ).iter_rows():
                rejected[code] += count
                placed &= scope == "file" or line is not None or offset is not None
    return Reading(records, used, dict(rejected), placed)


def book(path: Path, kind: str) -> Reading:
    """A file of the order book as the importer parses it."""
    used = 0
    rejected = Counter[str]()
    with path.open("rb") as stream:
        for row in parsed_rows(stream, path.name, BOOKS[kind]):
            if isinstance(row, RowReject):
                rejected[row.reason] += row.count
            else:
                used += 1
    return Reading(used + rejected.total(), used, dict(rejected), placed=True)


def policy(path: Path) -> str:
    """Why a file is no policy."""
    return _refusal(load_policy, path, PolicyError)


def key_ring(path: Path) -> str:
    """Why a file is no key ring."""
    return _refusal(load_key_ring, path, KeyRingError)


def _refusal(load: Callable[[bytes, str], object], path: Path, kind: type[ValueError]) -> str:
    try:
        load(path.read_bytes(), path.name)
    except kind as error:
        return str(error)
    return ""


def command_line(*arguments: str) -> tuple[int, str]:
    """How a command ends, and what it says on standard error."""
    from tests.prove.spoken import makegood  # noqa: PLC0415 - Beam takes seconds, and most of the work is done without

    said = makegood(*arguments)
    return said.code, said.err
