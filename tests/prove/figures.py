"""How large a proof is, and what it says in the end."""

import os
import sys
from typing import Final

RELEASE: Final = os.environ.get("MAKEGOOD_PROVE") == "release"


def sized(every_change: int, release: int) -> int:
    """The number that fits this run."""
    return release if RELEASE else every_change


def tell(what: str) -> None:
    """Says the figures of a proof."""
    sys.stdout.write(f"{what}\n")
