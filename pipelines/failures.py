"""Errors in words: one sentence for the person at the command line."""

import sqlite3
import traceback
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from remediation.report.formats import one_line

OUR_PACKAGES: Final = ("pipelines", "remediation", "detectors", "templates")

_LONGEST: Final = 2_000
_ROOT: Final = Path(__file__).parents[1]


def sentence(error: BaseException) -> str:
    """What went wrong and what to do, on one line that steers no terminal.

    Our own errors say it themselves. An engine wraps what a step raised; the
    innermost error of ours is the one to tell. The text of any other error may
    hold what it choked on, a name or an address among it: of these only the kind is
    told, and where in our code it arose.
    """
    for one in _chain(error):
        if type(one).__module__.partition(".")[0] in OUR_PACKAGES:
            return one_line(str(one), _LONGEST)
    said = next(filter(None, map(_said, _chain(error))), "")
    return f"{type(error).__name__}{_place(error)}{said}; the next run clears up what was begun"


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error, what it was raised from, and so on."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _said(error: BaseException) -> str:
    """The operating system's and SQLite's own words, which never repeat what was written or stored."""
    if isinstance(error, OSError) and error.strerror:
        return f": {one_line(error.strerror)}" + (f" ({one_line(str(error.filename))})" if error.filename else "")
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
        return f": {one_line(str(error.orig))}"
    return ""


def _place(error: BaseException) -> str:
    """Where the innermost step of ours stands that the error passed through; empty where none does."""
    frames = [frame for one in _chain(error) for frame in traceback.extract_tb(one.__traceback__)]
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in OUR_PACKAGES:
            return f" in {path.relative_to(_ROOT)}, line {frame.lineno}"
    return ""
