"""What the tests of the ledger and of sending share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Engine

from tests.support.stores import STORE, Store, open_store


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On another store only those tests say something new that have a ledger."""
    if STORE == "sqlite":
        return
    others = [item for item in items if "store" not in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Where the ledgers of this run are made."""
    with open_store(STORE, tmp_path_factory.mktemp("ledgers")) as opened:
        yield opened


@pytest.fixture
def fresh(store: Store) -> Iterator[Callable[[], Engine]]:
    """Makes one empty ledger after another."""
    with ExitStack() as made:
        yield lambda: made.enter_context(store.opened())


@pytest.fixture
def ledger(fresh: Callable[[], Engine]) -> Engine:
    """An empty ledger of its own."""
    return fresh()
