"""How large a proof is, and what it says in the end."""

import os
import sys
from typing import Final

RELEASE: Final = os.environ.get("MAKEGOOD_PROVE") == "release"
EVERY_CHANGE: Final = os.environ.get("MAKEGOOD_PROVE") == "change" or "MAKEGOOD_REQUIRE_SERVERS" in os.environ
"""The tests that need servers take their time, so all proofs run with them."""


def sized(every_change: int, release: int, taste: int | None = None) -> int:
    """The number that fits this run; while somebody is at work, a taste suffices."""
    if RELEASE:
        return release
    return every_change if EVERY_CHANGE or taste is None else taste


def tell(what: str) -> None:
    """Says the figures of a proof."""
    sys.stdout.write(f"{what}\n")
