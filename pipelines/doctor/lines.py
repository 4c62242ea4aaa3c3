"""What the doctor says: a line for each thing that was looked at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from pipelines.failures import sentence


class State(StrEnum):
    """How a thing is. A `WARN` may be meant so, a `FAIL` stops something."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing: which, how it is, in words, and what to do about it where something is."""

    check: str
    state: State
    said: str
    to_do: str = ""


Look = Callable[[], Iterable[Line]]


def looked_at(check: str, look: Look) -> tuple[Line, ...]:
    """The lines of one look; what breaks it off is what is wrong, in the words that a run would end with."""
    try:
        return tuple(look())
    except Exception as error:  # noqa: BLE001 - whatever it is, the other things are looked at all the same
        return (Line(check, State.FAIL, sentence(error)),)
