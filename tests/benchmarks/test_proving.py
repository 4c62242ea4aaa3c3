"""How long it takes to prove that a ledger is whole, on both databases."""

import sys
from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks.measure import Tell, measure, measure_work
from tests.support.stores import open_store

pytestmark = pytest.mark.benchmark

REMEDIES: Final = 100_000


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def test_a_large_ledger_is_proved_in_little_memory(store: str, tell: Tell, tmp_path: Path) -> None:
    with open_store(store, tmp_path, on_disk=True) as opened, opened.ledger() as url:
        measure(sys.executable, "-m", "tests.benchmarks.books", url, str(REMEDIES))
        took = measure_work("proving", url, str(REMEDIES))
    assert took.work
    rate = REMEDIES / took.work.cpu_s
    tell(f"{REMEDIES:,} remedies, {store}: verify", took, f"{rate:,.0f} remedies a CPU second")
    assert took.peak_mb < 300
