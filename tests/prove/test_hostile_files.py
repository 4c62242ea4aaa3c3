"""Hostile texts in tables and in names of files: a cell says what JSON Lines say, and a name is shown."""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import pytest
from sqlalchemy import Engine, Table, select

from remediation.imports import Imported, import_customers, import_grants, import_orders
from remediation.ledger.tables import CUSTOMERS, GRANTS, ORDER_LINES
from tests.prove.figures import sized, tell
from tests.prove.payloads import AS_OF, PAYLOADS, Records, attacked, attacks
from tests.prove.spoken import makegood
from tests.support.stores import empty_ledger

COUNT: Final = sized(300, 3_000, taste=30)
Row = Mapping[str, Any]
Importer = Callable[[Engine, BinaryIO, str], Imported]

BOOKS: Final[Mapping[str, tuple[Importer, Table]]] = {
    "customers": (import_customers, CUSTOMERS),
    "orders": (import_orders, ORDER_LINES),
    "grants": (import_grants, GRANTS),
}


def names() -> list[str]:
    """Every payload that a file can be called."""
    texts = (payload for payload in PAYLOADS if payload.strip(". ") and not set(payload) & set("/\0"))
    return [f"{text[:60]}.jsonl" for text in texts if _is_whole(text) and not text.startswith(".")]


@pytest.fixture(scope="module")
def records() -> Records:
    return attacked(attacks(COUNT))


@pytest.mark.parametrize("book", BOOKS)
def test_a_table_brings_into_the_ledger_what_json_lines_bring(records: Records, book: str) -> None:
    fit = [row for row in getattr(records, book) if _fits_cells(row)]
    lines = "".join(f"{json.dumps(row)}\n" for row in fit).encode()
    importer, table = BOOKS[book]

    (apart, told), (tabled, said) = (_imported(importer, table, data) for data in (lines, _table(fit)))

    assert tabled == apart
    assert sorted(reject.reason for reject in said.rejects) == sorted(reject.reason for reject in told.rejects)
    assert len(fit) > len(getattr(records, book)) / 2
    tell(f"tables: {len(fit):,} {book} as cells, {len(tabled):,} kept, {len(said.rejects):,} rejected")


def test_no_name_of_a_file_leaves_its_line_or_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "telemetry"
    folder.mkdir()
    for number, name in enumerate(names()):
        beacon = {"session_id": f"s-{number}", "event_time": AS_OF}
        (folder / name).write_text(f"{json.dumps(beacon)}\n{json.dumps(beacon | {'stall_ms': -1})}\n")

    ran = makegood("sessions", folder, f"--out={tmp_path / 'sessions.jsonl'}")

    count = len(names())
    assert ran.code == 0, ran.err
    assert f"{count} sessions; {2 * count} in = {count} used + 0 duplicate + {count} rejected + 0 late" in ran.err
    assert not [
        each for each in ran.everything.replace("\n", "") if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")
    ]
    tell(f"names: {count} files")


def test_a_name_that_is_no_text_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "night-\udcff.jsonl").write_text("{}\n")

    ran = makegood("sessions", tmp_path)

    assert ran.code == 1
    assert "is not UTF-8; rename it" in ran.err


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _fits_cells(row: Row) -> bool:
    """An empty cell is an unknown value, and half a character is in no file."""
    return "" not in row.values() and _is_whole(json.dumps(row, ensure_ascii=False))


def _table(rows: list[Row]) -> bytes:
    nested = {name for row in rows for name, value in row.items() if isinstance(value, dict)}
    flat = [
        {
            (f"{name}_json" if name in nested else name): json.dumps(value) if name in nested else value
            for name, value in row.items()
        }
        for row in rows
    ]
    table = io.StringIO()
    writer = csv.DictWriter(table, list(dict.fromkeys(name for row in flat for name in row)))
    writer.writeheader()
    writer.writerows(flat)
    return table.getvalue().encode()


def _imported(importer: Importer, table: Table, data: bytes) -> tuple[list[tuple[object, ...]], Imported]:
    with empty_ledger() as engine:
        imported = importer(engine, io.BytesIO(data), "file")
        with engine.connect() as connection:
            rows = sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
    return rows, imported
