"""How many examples Hypothesis tries: some while somebody is at work, all of them with the tests that need servers."""

import os
from typing import Final

from hypothesis import settings

THOROUGH: Final = "MAKEGOOD_REQUIRE_SERVERS" in os.environ
USUAL: Final = 100
_SHARE: Final = 4


def examples(count: int) -> settings:
    """So many examples where time is taken, and a quarter of them everywhere else."""
    return settings(max_examples=counted(count))


def counted(count: int = USUAL) -> int:
    """How many of so many examples this run tries."""
    return count if THOROUGH else -(-count // _SHARE)
