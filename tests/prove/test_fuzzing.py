"""Parsers of untrusted bytes: whatever they are given, nothing breaks, nothing is lost, and two ways of reading agree.

`MAKEGOOD_PROVE=change` goes on for a minute, `release` for ten million cases; `-s` prints how many there were.
"""

import csv
import gzip
import io
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import BaseModel

from detectors.telemetry.keys import KeyRingError, load_key_ring
from detectors.telemetry.limits import Limits
from pipelines.ahead import Ahead
from remediation.orders import Customer, Grant, OrderLine, Stock
from remediation.policy.load import PolicyError, default_text, load_policy
from remediation.rows import Row, RowReject, parsed_rows
from tests.detectors.telemetry.reading import NOW
from tests.prove.figures import sized, tell
from tests.prove.fuzzing import EFFORTS, TRIED, Effort, Read, fuzz, line_by_line, read
from tests.prove.mutating import at_random, mutants
from tests.prove.samples import W3C_FIELDS, lines

LINES: Final = (
    "beacons",
    "scans",
    "contacts",
    "collector",
    "reports",
    "queries",
    "w3c",
    "access",
    "trackers",
    "trackings",
)
BOOKS: Final[dict[str, type[BaseModel]]] = {"orders": OrderLine, "customers": Customer, "grants": Grant, "stock": Stock}
PIECES: Final = 5
FEWEST_LINES, MOST_LINES = 16, 48

KEYS: Final = b"""
[[key]]
id = "2026-11"
secret = "%s"
valid_from = 2026-11-01T00:00:00Z
valid_until = 2027-02-01T00:00:00Z
""" % (b"5f" * 32)


@pytest.fixture(scope="module", autouse=True)
def counted() -> Iterator[None]:
    yield
    tell(f"{TRIED.cases.total():,} cases, {TRIED.rate():,.0f} a second: {dict(TRIED.cases)}")


def files(kind: str, effort: Effort) -> st.SearchStrategy[list[bytes]]:
    """The lines of a file: a good one, which says what it is, and mutated ones."""
    good = lines(kind)
    head = [*([W3C_FIELDS] if kind == "w3c" else []), good[0]]
    # In a file of which most lines are good, they are read in one go around the others.
    some = st.one_of(st.sampled_from(good), st.sampled_from(good), st.sampled_from(good), mutants(good))
    mutated = st.one_of(*(st.lists(line, min_size=FEWEST_LINES, max_size=MOST_LINES) for line in (some, mutants(good))))
    if count := effort.lines:
        mutated = st.integers(0, 2**63).map(lambda drawn: at_random(good, random.Random(drawn), count))  # noqa: S311 - no secret
    return mutated.map(lambda odd: head + odd)


def mutated_in(some: Sequence[bytes], kind: str) -> int:
    """How many lines are not as they were."""
    good = set(lines(kind))
    return sum(line not in good for line in some)


def joined(some: Sequence[bytes]) -> bytes:
    return b"".join(line.replace(b"\n", b" ") + b"\n" for line in some)


def demand_same(left: Read, right: Read) -> None:
    for one, other in zip(left.frames, right.frames, strict=True):
        assert_frame_equal(one, other)
    assert left.rejects.rows() == right.rejects.rows()
    assert left.ignored.rows() == right.ignored.rows()


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("kind", LINES)
def test_reading_in_columns_in_pieces_and_line_by_line_is_the_same(kind: str, effort: Effort) -> None:
    def check(some: list[bytes]) -> int:
        whole = read(joined(some))
        demand_same(whole, read(joined(some)))
        demand_same(whole, read(joined(some), Limits(block_lines=1 + len(some) // PIECES), Ahead(PIECES)))
        with line_by_line():
            demand_same(whole, read(joined(some)))
        return mutated_in(some, kind)

    fuzz(f"lines of {kind}", effort.batches, files(kind, effort), check)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("kind", [kind for kind in LINES if kind != "w3c"])
def test_the_order_of_lines_changes_nothing(kind: str, effort: Effort) -> None:
    def check(some: list[bytes]) -> int:
        first, *others = some
        shuffled = random.Random(len(others)).sample(others, len(others))  # noqa: S311 - no secret
        straight, mixed = read(joined(some)), read(joined([first, *shuffled]))

        assert straight.rows == mixed.rows
        assert straight.codes == mixed.codes
        return mutated_in(some, kind)

    fuzz(f"order of {kind}", effort.batches, files(kind, effort), check)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("kind", ["beacons", "scans", "trackers", "trackings"])
def test_a_document_is_read_as_its_elements_are_as_lines(kind: str, effort: Effort) -> None:
    def check(some: list[bytes]) -> int:
        whole = [line for line in some if _is_json(line)]
        document, apart = read(b"[" + b",".join(whole) + b"]"), read(joined(whole))
        if len(whole) > 1:  # alone on its line, an array of one element is a document, too
            assert document.rows == apart.rows
            assert document.codes == apart.codes
        read(b"[" + b",\n".join(some))  # whatever comes of it, the sums hold
        return mutated_in(some, kind)

    fuzz(f"documents of {kind}", effort.batches, files(kind, effort), check)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return b"\n" not in line


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("wrap", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_container_gives_what_it_holds_or_says_that_it_is_damaged(
    wrap: Callable[[bytes], bytes], effort: Effort
) -> None:
    content = joined(lines("beacons") * 20)
    intact = read(content)
    others = tuple(wrap(content[start : start + 700]) for start in range(0, 7_000, 700))

    def check(damaged: bytes) -> int:
        got = read(damaged)

        assert got.events.height <= len(damaged) * 250 + 64
        if damaged == others[0]:
            demand_same(got, read(content[:700]))
        return 1

    demand_same(read(wrap(content)), intact)
    fuzz(f"containers {wrap.__name__}", effort.whole_files, mutants(others), check)


VALUES: Final = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, NOW, NOW + 5, -1, 2**53, 2**53 + 1]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(max_size=8),
    st.sampled_from(["playing", "stalled", "s-1", "2026-11-21T19:56:50Z", "", "x" * 201, "a\nb", "é"]),
)
COLUMNS: Final = ("session_id", "event_time", "state", "stall_ms", "buffer_ms", "fatal", "error_code", "device", "mood")


@pytest.mark.parametrize("effort", EFFORTS)
def test_parquet_and_json_lines_say_the_same(effort: Effort) -> None:
    one_type = st.sampled_from(COLUMNS).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.sampled_from(
                [st.integers(0, 9), st.sampled_from([NOW, NOW + 1]), st.text(max_size=5), st.booleans(), VALUES]
            ),
        )
    )
    tables = st.lists(one_type, min_size=1, max_size=6, unique_by=lambda column: column[0]).flatmap(
        lambda columns: st.lists(
            st.fixed_dictionaries({name: st.none() | values for name, values in columns}), min_size=1, max_size=12
        )
    )

    def check(rows: list[dict[str, object]]) -> int:
        rows = [{"session_id": "s-1", "event_time": NOW} | row for row in rows]
        try:
            table = pa.Table.from_pylist(rows)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return 0  # values of several types are no column
        stream = io.BytesIO()
        pq.write_table(table, stream)
        columns, text = read(stream.getvalue()), read(joined([json.dumps(row).encode() for row in rows]))
        assert columns.rows == text.rows
        assert columns.codes.total() == text.codes.total()  # of several faults of a row, either may be told
        return len(rows)

    fuzz("Parquet and JSON Lines", effort.whole_files, tables, check)


@pytest.mark.parametrize("effort", EFFORTS)
def test_a_damaged_parquet_file_is_read_or_rejected(effort: Effort) -> None:
    def a_file(rows: int, codec: str, version: str) -> bytes:
        stream = io.BytesIO()
        table = {"session_id": ["s"] * rows, "event_time": [NOW] * rows, "device": [f"d{n % 7}" for n in range(rows)]}
        pq.write_table(pa.table(table), stream, compression=codec, data_page_version=version, row_group_size=40)  # type: ignore[arg-type]  # the stubs want literals
        return stream.getvalue()

    good = [a_file(100, codec, version) for codec in ("NONE", "SNAPPY", "GZIP", "ZSTD") for version in ("1.0", "2.0")]

    def check(damaged: bytes) -> int:
        read(damaged)
        return 1

    fuzz("Parquet files", effort.whole_files, mutants(good), check)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("kind", BOOKS)
def test_a_row_of_an_order_book_is_a_record_or_a_reject_that_repeats_nothing(kind: str, effort: Effort) -> None:
    def check(some: list[bytes]) -> int:
        data = joined(some)
        parsed = list(parsed_rows(io.BytesIO(data), "file", BOOKS[kind]))

        assert parsed == list(parsed_rows(io.BytesIO(data), "file", BOOKS[kind]))
        assert len(parsed) == sum(bool(line.strip()) for line in data.split(b"\n"))
        for reject in (row for row in parsed if isinstance(row, RowReject)):
            assert reject.reason.isprintable()
            assert 1 <= reject.line <= len(some)
        return mutated_in(some, kind)

    fuzz(f"rows of {kind}", effort.batches, files(kind, effort), check)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("kind", BOOKS)
def test_a_table_of_the_order_book_says_what_its_json_lines_say(kind: str, effort: Effort) -> None:
    """Only what a cell can say: texts and numbers, and null as an empty cell."""

    def check(some: list[bytes]) -> int:
        records = [record for record in map(_flat, some) if record is not None]
        columns = sorted({name for record in records for name in record})
        table = io.StringIO()
        writer = csv.DictWriter(table, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        left = _records(joined([json.dumps(record).encode() for record in records]), BOOKS[kind])
        right = _records(table.getvalue().encode("utf-8", "surrogatepass"), BOOKS[kind])
        assert left == right or _no_header(columns, BOOKS[kind])
        return mutated_in(some, kind)

    fuzz(f"tables of {kind}", effort.batches, files(kind, effort), check)


def _flat(line: bytes) -> dict[str, object] | None:
    """The members that a cell of a table can hold as they are."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    plain = {
        name: value for name, value in record.items() if isinstance(value, str | int) and not isinstance(value, bool)
    }
    return {name: value for name, value in plain.items() if _same_as_cell(name, value)}


def _same_as_cell(name: str, value: object) -> bool:
    """A number in a field of text, or digits as text in a field of numbers, are not told apart in a cell."""
    whole = {"quantity", "amount_minor", "shipping_minor", "purchased_at", "available_until", "granted_at", "available"}
    if isinstance(value, int):
        return name in whole and abs(value) < 10**17
    return (
        value != ""
        and isinstance(value, str)
        and not (name in whole and value.lstrip("-").isdigit())
        and "\0" not in value
    )


def _no_header(columns: Sequence[str], model: type[BaseModel]) -> bool:
    """Whether the table is refused as a whole, where lines are refused one by one."""
    required = {name for name, info in model.model_fields.items() if info.is_required()}
    return not required <= set(columns) <= set(model.model_fields)


def _records(data: bytes, model: type[BaseModel]) -> list[BaseModel | None]:
    return [row.record if isinstance(row, Row) else None for row in parsed_rows(io.BytesIO(data), "file", model)]


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize(
    ("load", "kind", "good"),
    [(load_policy, PolicyError, default_text()), (load_key_ring, KeyRingError, KEYS)],
    ids=["policies", "key rings"],
)
def test_a_configuration_is_read_or_refused_in_one_sentence(
    load: Callable[[bytes, str], object], kind: type[ValueError], good: bytes, effort: Effort
) -> None:
    def check(text: bytes) -> int:
        assert _loaded(load, kind, text) == _loaded(load, kind, text)
        return 1

    load(good, "file.toml")
    fuzz(f"configuration {kind.__name__}", effort.whole_files, mutants([good]), check)


def _loaded(load: Callable[[bytes, str], object], kind: type[ValueError], text: bytes) -> object:
    try:
        return load(text, "file.toml")
    except kind as refusal:
        sentence = str(refusal)
        assert sentence.startswith("file.toml")
        assert "\n" not in sentence
        assert len(sentence) < 400
        return sentence


@pytest.mark.prove
def test_a_fuzzer_that_follows_branches_finds_nothing_either(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="install atheris beside the project's dependencies to fuzz by coverage")
    runs = sized(2_000, 200_000)

    done = subprocess.run(
        [sys.executable, "-m", "tests.prove.fuzz_atheris", str(tmp_path), f"-runs={runs}", "-seed=1", "-max_len=4096"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2_000:]
    TRIED.cases["by coverage"] += runs
