"""What holds for every test."""

import gc
from typing import Final

import pytest
from hypothesis import settings

from tests.support.examples import counted

# How long an example takes says more about what else the machine does than about the program.
settings.register_profile("unhurried", deadline=None, max_examples=counted())
settings.load_profile("unhurried")

SLOWEST: Final = ("tests/prove/", "tests/streaming/", "tests/test_scenarios", "tests/pipelines/")
"""Where one file can take as long as a hundred others."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the slowest files first, so that at the end no worker waits for another one's long file."""
    items.sort(key=lambda item: next((at for at, begin in enumerate(SLOWEST) if item.nodeid.startswith(begin)), 99))


def pytest_collection_finish() -> None:
    """Takes everything that was imported out of the collector's sight.

    Thousands of tests and their libraries are a million objects that live to the
    end, and each full collection would look through all of them: a fifth of the run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # what one test makes is little, and most of it goes without being looked for


def pytest_unconfigure() -> None:
    """Lets the collector see everything again: libraries complain at the end of what they find alive."""
    gc.unfreeze()
