"""`makegood` with the steps of a stream timed: FILE, then its own arguments; at the end FILE tells every step.

Only what runs in this process is seen: Prism's workers are threads of it.
"""

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import GeneratorType
from typing import Any

import msgspec

from pipelines import findings
from pipelines.cli import main
from pipelines.streaming import marks, sessions, settling, spreading, waiting, watching


class Step(msgspec.Struct, array_like=True):
    """One call: the step, when it ended and what it took in seconds, and its moment in ms since the epoch."""

    name: str
    ended: float
    took: float
    moment: int | None


STEPS: list[Step] = []


def timed(owner: Any, method: str, name: str, moment: Callable[..., int | None] = lambda *_: None) -> None:
    """Has every call told; `moment` is asked of the arguments after it."""
    call = getattr(owner, method)

    @functools.wraps(call)
    def told(*arguments: Any, **named: Any) -> Any:
        began = time.time()
        given = call(*arguments, **named)
        given = list(given) if isinstance(given, GeneratorType) else given
        now = time.time()
        STEPS.append(Step(name, now, now - began, moment(*arguments)))
        return given

    setattr(owner, method, told)


def run(told: Path) -> None:
    """Times the steps of the command that the arguments name."""
    timed(marks.BeamReader, "advance", "read and decode", lambda reader: reader._reader.watermark())  # noqa: SLF001
    timed(spreading._Spread, "process", "spread over partitions")  # noqa: SLF001
    timed(waiting.Waiting, "close", "close sessions", lambda _, __, at: at)
    timed(sessions, "sessionize", "assess sessions")
    timed(findings._Judge, "process", "find failures")  # noqa: SLF001
    timed(settling.SettleFindings, "take", "decide, render, record", lambda _, end, __: end)
    timed(settling.EndSlice, "take", "judge slices", lambda _, end, __: end)
    timed(watching.Watch, "look", "tell what is new")
    try:
        main()
    finally:
        told.write_bytes(msgspec.json.encode(STEPS))


if __name__ == "__main__":
    run(Path(sys.argv.pop(1)))
