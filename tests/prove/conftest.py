"""What holds for all proofs."""

import os
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """At the size of every change, all proofs are among the tests that need servers."""
    if "MAKEGOOD_REQUIRE_SERVERS" in os.environ:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.servers)
