"""What fuzzing has in common: cases that are really counted, in batches that can be repeated, and two decoders."""

import io
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeVar
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from detectors import schemas
from detectors.telemetry import cmcd
from detectors.telemetry.cmcd_columns import Columns, read_singly
from detectors.telemetry.decode import InOrder, decode
from detectors.telemetry.jsoncolumns import ColumnReader, UnsureError
from detectors.telemetry.limits import DEFAULT_LIMITS, Limits
from detectors.telemetry.lines import Lines
from tests.prove.figures import EVERY_CHANGE, RELEASE, sized

T = TypeVar("T")


@dataclass(frozen=True)
class Effort:
    """How long to go on: batches of files of `lines` lines each, or of some few; and batches of whole files."""

    batches: int
    whole_files: int
    lines: int | None = None


BATCH: Final = 4
"""Examples that Hypothesis remembers together."""

SLICE: Final = pytest.param(Effort(1, 2), id="slice")
"""Some seconds in all, drawn and shrunk by Hypothesis."""
LONG: Final = pytest.param(
    Effort(sized(5, release=64), sized(40, release=5_000), lines=sized(100, release=2_000)), id="long"
)
"""A minute in all, or ten million cases for a release: in large files, which cost less a line."""
EFFORTS: Final = [LONG if EVERY_CHANGE or RELEASE else SLICE]


@dataclass
class Tried:
    """Cases by what was tried; a case is one mutated record or file that was given to a parser."""

    cases: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.perf_counter)

    def rate(self) -> float:
        """Cases a second."""
        return self.cases.total() / (time.perf_counter() - self.began)


TRIED: Final = Tried()


def fuzz(name: str, batches: int, cases: st.SearchStrategy[T], check: Callable[[T], int]) -> None:
    """Checks so many batches of cases; `check` tells how many cases one example was."""

    def checked(case: T) -> None:
        TRIED.cases[name] += check(case)

    for number in range(batches):
        quiet = settings(
            max_examples=BATCH,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.nested_given],
        )
        seed(number)(quiet(given(cases)(checked)))()


@dataclass(frozen=True)
class Read:
    """Everything that one file gave, in a form that can be compared."""

    events: pl.DataFrame
    scans: pl.DataFrame
    contacts: pl.DataFrame
    rejects: pl.DataFrame
    ignored: pl.DataFrame
    records: int

    @property
    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        return self.events, self.scans, self.contacts

    @property
    def rows(self) -> list[tuple[object, ...]]:
        """The rows of all three frames, in an order that does not depend on theirs."""
        return sorted((row for frame in self.frames for row in frame.rows()), key=repr)

    @property
    def codes(self) -> Counter[tuple[object, ...]]:
        """How many rejects there are of each code and field, wherever they stand."""
        kinds = self.rejects.group_by("scope", "code", "field").agg(pl.col("count").sum())
        return Counter({row[:-1]: row[-1] for row in kinds.rows()})


def read(data: bytes, limits: Limits = DEFAULT_LIMITS, in_order: InOrder = map) -> Read:
    """Decodes a file; every record must be a row or a reject."""
    blocks = list(decode(io.BytesIO(data), "file", limits, in_order=in_order))
    events = [schemas.complete(block.events, schemas.EVENTS) for block in blocks]
    rejects = pl.concat([pl.DataFrame(schema=schemas.REJECTS), *(block.rejects for block in blocks)])
    for block in blocks:
        outside = block.rejects.filter(pl.col("scope") != "field")["count"].sum()
        assert block.record_count == block.events.height + block.scans.height + block.contacts.height + outside
    slips = rejects.filter(pl.col("scope") == "field")
    return Read(
        pl.concat([pl.DataFrame(schema=schemas.EVENTS), *events]),
        pl.concat([pl.DataFrame(schema=schemas.TRACKING), *(block.scans for block in blocks)]),
        pl.concat([pl.DataFrame(schema=schemas.CONTACTS), *(block.contacts for block in blocks)]),
        rejects.filter(pl.col("scope") != "field"),
        slips.sort("field", "code", "reason"),
        sum(block.record_count for block in blocks),
    )


@contextmanager
def line_by_line() -> Iterator[None]:
    """Everything that is otherwise read in columns goes through the slow readers, which are the reference."""

    def unsure(_self: ColumnReader, _lines: Lines) -> NoReturn:
        raise UnsureError

    def untidy(_self: ColumnReader, _lines: Lines) -> None:
        """Nothing is read by counting, either."""

    def singly(records: pl.Series) -> Columns:
        return read_singly(records.to_list())

    with (
        patch.object(ColumnReader, "tidy", untidy),
        patch.object(ColumnReader, "read", unsure),
        patch.object(cmcd, "read_columns", singly),
    ):
        yield
