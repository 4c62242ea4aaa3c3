"""Pictures of every mail of a gallery, as a telephone and a desk show it, by day and by night.

    .venv/bin/python -m tests.support.screenshots out/preview out/screenshots

`out/screenshots/phone-dark/ar.late.warm.png` is one of them.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

from remediation.preview.gallery import MAILS, WIDTHS
from tests.support.chromium import Scheme, chromium

SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)
SHARP: Final = {"phone": 2.0, "desktop": 1.0}
"""Pixels of the screen a CSS pixel."""


def take(gallery: Path, out: Path) -> int:
    """Takes every picture; how many."""
    mails = sorted((gallery / MAILS).glob("*.html"))
    taken = 0
    with chromium() as browser:
        for name, width in WIDTHS.items():
            for scheme in SCHEMES:
                with browser.page(width, scheme, scale=SHARP[name]) as page:
                    for mail in mails:
                        page.open(mail)
                        page.screenshot(out / f"{name}-{scheme}" / f"{mail.stem}.png")
                        taken += 1
    return taken


def main(arguments: Sequence[str]) -> None:
    """Two folders: the gallery, and the pictures."""
    gallery, out = map(Path, arguments)
    sys.stdout.write(f"{out}: {take(gallery, out):,} pictures\n")


if __name__ == "__main__":
    main(sys.argv[1:])
