"""A folder as a source of the stream: what is in it, what comes into it, and what is written on.

    listing ─► files with something unread ─► of these the one that is furthest behind ─► its next block
                 │ growing text: whole lines only
                 │ compressed, Parquet, JSON document: once it is complete
                 └ renamed: goes on; cut and begun anew: from its beginning; gone: what its handle still gives

The file that is furthest behind comes first, so that many files of one evening are
read side by side, as they were written.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from detectors.playback.rules import SKEW_TOLERANCE_MS
from detectors.telemetry import rejects as reject_frames
from detectors.telemetry.block import empty_events
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.decode import Decoded
from detectors.telemetry.rejects import Code, Reject
from pipelines.streaming.blocks import Block
from pipelines.streaming.clock import SourceClock
from pipelines.streaming.files import File, Position, Taker
from pipelines.streaming.listing import Seen
from pipelines.streaming.texts import Opener, head_of, is_complete, text_of
from pipelines.streaming.unread import Unread

LIST_MS: Final = 500
SETTLE_MS: Final = 2_000
PATIENCE_MS: Final = 60_000
LINGER_MS: Final = 5_000
MOST_HANDLES: Final = 64
MOST_SKIPPED: Final = 100
"""So many settled blocks are passed over at once: who asks for the next one must not wait for long."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """What a checkpoint keeps of a folder."""

    watermark: int | None
    newest: int | None
    positions: list[Position]


@dataclass(frozen=True, slots=True)
class Disk:
    """How a reader sees the world: the listing, the files and the wall clock."""

    list_files: Callable[[], Sequence[Seen]]
    open_file: Opener
    now_ms: Callable[[], int]


class FolderReader:
    """Blocks of the files of one folder, each record once.

    Args:
      disk: Where the files are.
      taker: How they are read.
      clock: How far they are; begins where `mark` ends.
      mark: What `mark()` of a former reader gave.
      until_end: Everything that is there is taken as it is, and then the reader is finished.
      since_ms: Blocks whose newest record is older are passed over, since the epoch.
    """

    def __init__(  # noqa: PLR0913  # two of six are switches
        self,
        disk: Disk,
        taker: Taker,
        clock: SourceClock,
        mark: Mark | None = None,
        *,
        until_end: bool = False,
        since_ms: int | None = None,
    ) -> None:
        self._disk = disk
        self._taker = taker
        self._clock = clock
        self._until_end = until_end
        self._since_ms = since_ms or 0
        self._files: dict[int, File] = {}
        self._unread = Unread(clock.watermark)
        self._handles: OrderedDict[int, File] = OrderedDict()
        known = [msgspec.structs.replace(position) for position in mark.positions] if mark else []
        self._by_inode = {position.inode: position for position in known}
        self._by_path = {position.path: position for position in known}
        self._refusals: list[Block] = []
        self._listed_at: int | None = None
        self._turn = 0
        self.is_finished = False

    def advance(self) -> Block | None:
        """The next block; null where there is none now."""
        now = self._disk.now_ms()
        if self._listed_at is None or now - self._listed_at >= LIST_MS:
            self._list(now)
        block = self._next(now)
        if block is None and self._until_end and not self._unread:
            # Only a listing made after the last record was read can say that there is no more.
            self._list(now)
            block = self._next(now)
            self.is_finished = block is None and not self._unread
        if block is None and not self._unread:
            self._clock.look(now)
        return block

    def watermark(self) -> int | None:
        """No record older than this is expected, milliseconds since the epoch; null while nobody can tell."""
        return self._clock.watermark()

    def mark(self) -> Mark:
        """Where to go on."""
        waiting = self._by_inode.values() if self._listed_at is None else ()
        positions = [file.position for file in self._files.values()]
        return Mark(self._clock.watermark(), self._clock.newest, [*waiting, *positions])

    def written_mark(self) -> bytes:
        """The mark as it is kept."""
        return msgspec.msgpack.encode(self.mark())

    def committing(self) -> None:
        """A folder wants to know nothing."""

    def close(self) -> None:
        """Lets go of all handles."""
        for file in self._handles.values():
            file.close()
        self._handles.clear()

    def _list(self, now: int) -> None:
        """What is there now, what of it holds something unread, and what is gone."""
        listed = {seen.inode: seen for seen in self._disk.list_files()}
        for seen in listed.values():
            file = self._files.get(seen.inode) or self._met(seen)
            file.gone_since, file.position.path = None, shown(seen.path)
            if file.bytes != seen.bytes:
                file.bytes, file.steady_since = seen.bytes, now
            if file.has_more:
                self._unread.add(seen.inode, file)
                self._clock.expect(file, file.position.newest)
            else:
                self._clock.quiet(file, now)
        for inode in [inode for inode in self._files if inode not in listed]:
            self._miss(inode, now)
        self._by_inode, self._by_path = {}, {}
        self._listed_at = now

    def _met(self, seen: Seen) -> File:
        """A file that is new here: it may be one that a former reader knew, under this inode or this name."""
        same = (self._by_inode.get(seen.inode), self._by_path.get(seen.path))
        position = next((known for known in same if known and self._begins_like(seen.path, known)), None)
        if position is None:
            position = Position(shown(seen.path), seen.inode)
            if seen.modified_ms + SKEW_TOLERANCE_MS < self._since_ms:
                position.ended_bytes = seen.bytes  # Nothing younger is in it; should it change, it is read after all.
            if position.path != seen.path:
                position.refused = True
                self._refusals.append(_refused(position.path, "The name of the file is not UTF-8: rename it."))
        else:
            # Two files cannot both go on where one was.
            self._by_inode.pop(position.inode, None)
            self._by_path.pop(position.path, None)
            position.inode = seen.inode
        self._files[seen.inode] = file = File(position)
        return file

    def _begins_like(self, path: str, position: Position) -> bool:
        try:
            with self._disk.open_file(path) as stream:
                return head_of(stream, position.head.bytes) == position.head
        except OSError:
            return False

    def _miss(self, inode: int, now: int) -> None:
        """A file is gone. As long as its handle is held, its writer may still add to it."""
        file = self._files[inode]
        file.gone_since = now if file.gone_since is None else file.gone_since
        if file.opened is not None:
            file.bytes = file.opened.stream.seek(0, 2)
            if file.has_more or (self._is_over(file, now) and not file.is_drained):
                self._unread.add(inode, file)
                return
            if file.opened.is_growing and not self._is_over(file, now):
                return
        self._let_go(inode)
        self._clock.forget(self._files.pop(inode))

    def _is_over(self, file: File, now: int) -> bool:
        return self._until_end or (file.gone_since is not None and now - file.gone_since >= LINGER_MS)

    def _next(self, now: int) -> Block | None:
        if self._refusals:
            return self._refusals.pop()
        skipped = 0
        while skipped < MOST_SKIPPED and (first := self._unread.first()) is not None:
            inode, file = first
            if not self._is_ready(file, now):
                # It is still expected, so that the clock waits for it.
                self._unread.drop(inode)
                continue
            begin = file.position.at.offset
            decoded = self._read(file, now)
            if decoded is None or (not file.has_more and (file.is_drained or not self._is_over(file, now))):
                self._unread.drop(inode)
                self._clock.quiet(file, now)
            if decoded is None or not (decoded.record_count or decoded.rejects.height):
                continue
            block = self._given(file, begin, decoded, now)
            if (file.position.newest or self._since_ms) >= self._since_ms:
                return block
            skipped += 1
        return None

    def _is_ready(self, file: File, now: int) -> bool:
        """Whether the file may be read: what can be read only as a whole must be complete, or left alone for long."""
        steady_ms = now - file.steady_since
        if file.opened is not None or self._until_end or steady_ms >= PATIENCE_MS:
            return True
        try:
            with self._disk.open_file(file.position.path) as stream:
                text = text_of(stream, self._taker.limits)
                if text is not None and not text.is_whole:
                    return True
                if steady_ms < SETTLE_MS or file.incomplete_bytes == file.bytes:
                    return False
                ready = is_complete(stream, self._taker.limits)
        except DamagedError as damage:
            return damage.code is not Code.TRUNCATED_FILE and steady_ms >= SETTLE_MS
        except OSError:
            return True  # Reading says what is wrong.
        if not ready:
            file.incomplete_bytes = file.bytes
        return ready

    def _read(self, file: File, now: int) -> Decoded | None:
        try:
            opened = file.opened or self._taker.open(file, self._disk.open_file)
            self._hold(file)
            decoded = self._taker.take(file, opened, is_over=self._is_over(file, now))
        except FileNotFoundError:
            return None
        except DamagedError as damage:
            file.end()
            return _rejected(file.position.path, damage.code, damage.reason)
        except OSError:
            file.end()
            self._let_go(file.position.inode)
            return _rejected(file.position.path, Code.CORRUPT_FILE, "The file cannot be read: check its permissions.")
        if not file.has_more and not opened.is_growing:
            self._let_go(file.position.inode)
        return decoded

    def _hold(self, file: File) -> None:
        """Keeps the handle, and lets go of the one that was not used for longest."""
        self._handles[file.position.inode] = file
        self._handles.move_to_end(file.position.inode)
        if len(self._handles) > MOST_HANDLES:
            self._handles.popitem(last=False)[1].close()

    def _let_go(self, inode: int) -> None:
        self._unread.drop(inode)
        self._handles.pop(inode, None)
        self._files[inode].close()

    def _given(self, file: File, begin: int, decoded: Decoded, now: int) -> Block:
        block = Block.of(file.position.path, begin, decoded)
        self._turn += 1
        file.turn = self._turn
        if block.newest is not None:
            file.position.newest = max(min(block.newest, now), file.position.newest or 0)
        self._clock.heard(file, file.position.newest, now)
        if self._until_end and not file.has_more:
            self._clock.forget(file)
        return block


def shown(path: str) -> str:
    """The path as it can be written down: whoever names files may use bytes that are no text."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _refused(path: str, reason: str) -> Block:
    return Block.of(path, 0, _rejected(path, Code.NOT_RECOGNISED, reason))


def _rejected(path: str, code: Code, reason: str) -> Decoded:
    """The reject of a whole file."""
    return Decoded(empty_events(), reject_frames.frame(path, [Reject("file", code, reason)]), 1)
