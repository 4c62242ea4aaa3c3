"""Working ahead: the next items are made by other threads while the last one is worked on."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Ahead:
    """As `map`, with so many items made at once, while the caller works on the one before.

    The items themselves come one after the other, each when a thread is free for it. At
    most one result waits beside those being made, so that memory stays bounded. An
    error in an item, or in making one, is raised where its result would have come.
    """

    threads: int

    def __call__(self, make: Callable[[T], R], items: Iterable[T], /) -> Generator[R]:
        """The results, in the order of the items."""
        source, end = iter(items), object()

        def one(turn: Event, following: Event) -> R | object:
            turn.wait()
            try:
                item = next(source, end)
            finally:
                following.set()
            return end if item is end else make(item)  # type: ignore[arg-type]  # whatever is not the end is an item

        def begin(turn: Event) -> Event:
            following = Event()
            pending.append(pool.submit(one, turn, following))
            return following

        pending: deque[Future[R | object]] = deque()
        pool = ThreadPoolExecutor(self.threads)
        try:
            turn = Event()
            turn.set()
            for _ in range(self.threads + 1):
                turn = begin(turn)
            while (result := pending.popleft().result()) is not end:
                turn = begin(turn)
                yield result  # type: ignore[misc]  # likewise
        finally:
            # Those that run have their turn already, or wait for one that runs.
            pool.shutdown(cancel_futures=True)
