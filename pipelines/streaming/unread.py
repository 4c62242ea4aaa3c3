"""Which of the files with something unread comes next."""

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from typing import NamedTuple

from pipelines.streaming.files import File


class _Turn(NamedTuple):
    """When it is a file's turn: the least comes first.

    Files of which nothing is known come first, then those that hold the clock back most:
    all that are behind it do so alike, and take turns.
    """

    is_known: bool
    newest: int
    turn: int
    path: str
    inode: int


class Unread:
    """Files with something unread, the one that is furthest behind first.

    There may be thousands, and one is asked for with every block; as the clock only
    goes forward, what was ordered once has to be looked at anew only when it is first.
    """

    def __init__(self, reached: Callable[[], int | None]) -> None:
        """`reached` says how far the clock is."""
        self._reached = reached
        self._files: dict[int, File] = {}
        self._turns: list[_Turn] = []

    def __len__(self) -> int:
        return len(self._files)

    def add(self, inode: int, file: File) -> None:
        """Something of the file was not read yet."""
        if inode not in self._files:
            self._files[inode] = file
            heappush(self._turns, self._turn(inode, file))

    def drop(self, inode: int) -> None:
        """All of the file was read, or it cannot be read now."""
        self._files.pop(inode, None)

    def first(self) -> tuple[int, File] | None:
        """The file to read from; it stays the first until it is read from or dropped."""
        while self._turns:
            earlier = self._turns[0]
            file = self._files.get(earlier.inode)
            if file is None:
                heappop(self._turns)
                continue
            turn = self._turn(earlier.inode, file)
            if turn == earlier:
                return turn.inode, file
            heapreplace(self._turns, turn)
        return None

    def _turn(self, inode: int, file: File) -> _Turn:
        newest = file.position.newest
        is_known = file.turn > 0 or newest is not None
        return _Turn(is_known, max(newest or 0, self._reached() or 0), file.turn, file.position.path, inode)
