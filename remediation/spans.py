"""Stretches of work that are traced where somebody has asked for it, and else cost nothing.

The names and ids of a span are ours, and its fields those that a log line may have:
a trace leaves the house.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

Value = str | int
"""What a field of a span holds."""


class Span(Protocol):
    """A stretch of work that goes on."""

    def note(self, **fields: Value) -> None:
        """Adds what is known by now."""
        ...


Open = Callable[[str, Mapping[str, Value]], AbstractContextManager[Span]]


class _Untraced:
    def note(self, **fields: Value) -> None:
        """Nobody listens."""


@contextmanager
def _untraced(_name: str, _fields: Mapping[str, Value]) -> Iterator[Span]:
    yield _NOBODY


_NOBODY: Final = _Untraced()
_tracers: Final[list[Open]] = []


def span(name: str, **fields: Value) -> AbstractContextManager[Span]:
    """Work of this name goes on for as long as the context lasts."""
    return (_tracers[-1] if _tracers else _untraced)(name, fields)


@contextmanager
def traced(opens: Open) -> Iterator[None]:
    """From now on spans are opened so, in every thread, until the end of the context."""
    _tracers.append(opens)
    try:
        yield
    finally:
        _tracers.remove(opens)
