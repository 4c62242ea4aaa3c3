"""What the tests of the ledger and of sending share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from remediation.database import open_database


@pytest.fixture(scope="session")
def _blank_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("blank") / "ledger.db"
    open_database(f"sqlite:///{file}").dispose()
    return file


@pytest.fixture
def ledger(tmp_path: Path, _blank_ledger: Path) -> Iterator[Engine]:
    """An empty ledger in a file of its own; a copy, since making the tables takes longer than most tests."""
    file = shutil.copy(_blank_ledger, tmp_path / "ledger.db")
    engine = open_database(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@pytest.fixture
def fresh(tmp_path: Path, _blank_ledger: Path) -> Iterator[Callable[[], Engine]]:
    """Makes one empty ledger after another."""
    made: list[Engine] = []

    def make() -> Engine:
        file = shutil.copy(_blank_ledger, tmp_path / f"ledger-{len(made)}.db")
        made.append(open_database(f"sqlite:///{file}"))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
