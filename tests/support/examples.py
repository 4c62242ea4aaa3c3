"""How much is tried: some while somebody is at work, all of it with the tests that need servers."""

import os
from collections.abc import Iterable
from typing import Final

import pytest
from hypothesis import settings

THOROUGH: Final = "MAKEGOOD_REQUIRE_SERVERS" in os.environ
USUAL: Final = 100
_SHARE: Final = 4


def examples(count: int) -> settings:
    """So many examples of Hypothesis where time is taken, and a quarter of them everywhere else."""
    return settings(max_examples=counted(count))


def counted(count: int = USUAL) -> int:
    """How many of so many examples this run tries."""
    return count if THOROUGH else -(-count // _SHARE)


def first_of(some: int, cases: Iterable[object]) -> list[object]:
    """Cases for `parametrize`: the first ones always, the others with the tests that need servers."""
    return [
        case if number < some else pytest.param(case, marks=pytest.mark.servers) for number, case in enumerate(cases)
    ]
