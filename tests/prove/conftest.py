"""What holds for all proofs."""

import gc
import os
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent

# They make much and keep little: looking for garbage as often as usual took a third of their time.
gc.set_threshold(100_000, 50, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """At the size of every change, all proofs are among the tests that need servers."""
    if "MAKEGOOD_REQUIRE_SERVERS" in os.environ:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.servers)
