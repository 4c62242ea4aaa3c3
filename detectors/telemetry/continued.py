"""A text that is still being written, read piece by piece, each by itself, with what must be known of those before.

    piece 1            piece 2            piece 3
    ┌────────────┐     ┌────────────┐     ┌──────
    │ #Fields: … │ ──► │ lines      │ ──► │ …        ──►  Continuation: byte, line, and
    │ lines      │     │ half a li… │     │               the lines that say what kind it is
    └────────────┘     └────────────┘     └──────

Nothing else is carried over, so that a reader which is started anew goes on at the
byte where the former one stopped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from detectors.telemetry import rejects as reject_frames
from detectors.telemetry.access_logs import AccessLog
from detectors.telemetry.block import Block, joined
from detectors.telemetry.containers import DamagedError
from detectors.telemetry.decode import Decoded, not_recognised
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Lines, read_lines, too_long
from detectors.telemetry.listing import Listing
from detectors.telemetry.recognise import Decoder, recognise
from detectors.telemetry.records import Format
from detectors.telemetry.rejects import Reject, Tally

_HEAD_LINES: Final = 1_000
_FIELDS: Final = b"#Fields:"
_DIRECTIVE: Final = re.compile(rb"^#Fields:[^\n]*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where the next piece begins, and what the pieces before say about it.

    `offset` is the byte and `line` the number of the line that comes next; `kind` is
    the line that showed what the text holds, empty as long as none did; `names`
    the last directive that names the values of a W3C log; `skipping` says that
    the next byte is within a line too long to be held.
    """

    offset: int = 0
    line: int = 1
    kind: bytes = b""
    names: bytes = b""
    skipping: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """What a piece gave, and where the next one begins: what lies before that need not be shown again."""

    decoded: Decoded
    after: Continuation


@dataclass(frozen=True, slots=True)
class Reading:
    """How one text is read: its name in rejects, what its beacons may be signed with, and the bounds."""

    source: str
    beacons: Format
    limits: Limits

    def read_on(self, text: bytes, at: Continuation, *, is_last: bool = False) -> Piece | None:
        """The whole lines of `text`, which begins at `at`.

        Args:
          text: The bytes from `at.offset` on, as many as there are or as are wanted at once.
          at: What the piece before left.
          is_last: Whether nothing follows, so that a line without a line end is one.

        Returns:
          The piece, perhaps without a record; null where no line has shown yet what
          the text holds.
        """
        if at.skipping or (b"\n" not in text and len(text) > self.limits.record_bytes):
            return self._past_long_line(text, at)
        whole = text if is_last else text[: text.rfind(b"\n") + 1]
        portions = list(read_lines(iter((whole,)), self.limits, at.offset, at.line)) if whole else []
        known = at if at.kind else replace(at, kind=self._kind(portions))
        if not known.kind and any(len(lines) for lines in portions):
            return None
        directives = _DIRECTIVE.findall(whole) if _FIELDS in whole else []
        after = replace(
            known,
            offset=at.offset + len(whole),
            line=at.line + whole.count(b"\n"),
            names=directives[-1] if directives else at.names,
        )
        return Piece(self._decoded(portions, known), after)

    def refused(self) -> Decoded:
        """The reject of a text of which no line shows what it holds."""
        return self.damaged(not_recognised())

    def damaged(self, damage: DamagedError) -> Decoded:
        """The reject of a text whose rest cannot be read."""
        return _framed(self.source, Block(rejects=(Reject("file", damage.code, damage.reason),)), 1)

    def _past_long_line(self, text: bytes, at: Continuation) -> Piece:
        """The rest of a line too long to be held; its reject stands where it begins."""
        rejects = () if at.skipping else (too_long(at.line, at.offset, self.limits),)
        cut = text.find(b"\n") + 1
        after = replace(at, offset=at.offset + (cut or len(text)), line=at.line + bool(cut), skipping=not cut)
        return Piece(_framed(self.source, Block(rejects=rejects), len(rejects)), after)

    def _kind(self, portions: list[Lines]) -> bytes:
        """The first line that shows what the text holds."""
        for lines in portions:
            for row in range(min(len(lines), _HEAD_LINES)):
                if recognise(lines.part(row, row + 1), self.beacons, self.limits):
                    return lines.text(row)
        return b""

    def _decoded(self, portions: list[Lines], known: Continuation) -> Decoded:
        tally = Tally(self.limits)
        decoder = self._decoder(known) if known.kind else None
        blocks, count = [Block()], 0
        for lines in portions:
            block = decoder.decode(lines, tally) if decoder is not None else Block()
            blocks.append(replace(block, rejects=(*lines.rejects, *block.rejects)))
            count += len(lines) + block.extra + len(lines.rejects)
        whole = joined(blocks) if len(blocks) > 2 else blocks[-1]  # noqa: PLR2004  # the empty one and one more
        listed = Listing(self.limits).of_block(whole.rejects, count)
        return _framed(self.source, replace(whole, rejects=(*listed, *tally.rejects())), count)

    def _decoder(self, known: Continuation) -> Decoder | None:
        decoder = recognise(next(_lines(known.kind, self.limits)), self.beacons, self.limits)
        if isinstance(decoder, AccessLog) and known.names:
            decoder.decode(next(_lines(known.names, self.limits)), Tally(self.limits))
        return decoder


def _lines(text: bytes, limits: Limits) -> Iterator[Lines]:
    return read_lines(iter((text,)), limits)


def _framed(source: str, block: Block, count: int) -> Decoded:
    return Decoded(block.events, reject_frames.frame(source, block.rejects), count, block.scans, block.contacts)
