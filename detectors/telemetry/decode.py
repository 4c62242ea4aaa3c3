"""The one way in: a file of any known format becomes events and rejects, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

import polars as pl

from detectors.telemetry import rejects as reject_frames
from detectors.telemetry.block import Block, empty_events
from detectors.telemetry.containers import Container, DamagedError, blocks, sniff, unwrap_parquet
from detectors.telemetry.limits import DEFAULT_LIMITS, Limits
from detectors.telemetry.lines import Lines, read_lines
from detectors.telemetry.parquet import decode_parquet
from detectors.telemetry.recognise import Decoder, recognise
from detectors.telemetry.rejects import Code, Reject, Tally

_MAGIC_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Decoded:
    """A block of one source.

    `events` has columns of `schemas.EVENTS` (one that is null throughout may be
    missing: `schemas.complete` brings it back), `rejects` is `schemas.REJECTS`.
    Every record is an event or is counted in a reject of scope `record` or `file`:
    `record_count` is the sum.
    """

    events: pl.DataFrame
    rejects: pl.DataFrame
    record_count: int


def decode(stream: BinaryIO, source: str, limits: Limits = DEFAULT_LIMITS) -> Iterator[Decoded]:
    """Reads telemetry of any known format; container and format are told by content.

    Beacons (JSON Lines or Parquet), CMCD (collector lines, report bodies, captured
    query arguments) and access logs that carry CMCD (W3C, JSON Lines), each plain
    or in gzip or zstd.

    Args:
      stream: Opened for reading at its start, seekable.
      source: What to call the file in rejects.
      limits: Bounds on records, times and expansion.

    Yields:
      Blocks of bounded size, in the order of the file; at the end one without
      events if fields were left out anywhere, counted by name. A file that is cut
      or is not what it seems yields what came before and one reject of scope
      `file`; an empty file yields nothing.
    """
    tally = Tally(limits)
    try:
        for block, count in _blocks(stream, limits, tally):
            yield _decoded(source, block, count)
    except DamagedError as damage:
        reject = Reject("file", damage.code, damage.reason)
        yield _decoded(source, Block(empty_events(), (reject,)), 1)
    if ignored := tally.rejects():
        yield _decoded(source, Block(empty_events(), tuple(ignored)), 0)


def _decoded(source: str, block: Block, count: int) -> Decoded:
    return Decoded(block.events, reject_frames.frame(source, block.rejects), count)


def _blocks(stream: BinaryIO, limits: Limits, tally: Tally) -> Iterator[tuple[Block, int]]:
    """Blocks with the number of records that they were made of."""
    container = sniff(stream.read(_MAGIC_BYTES))
    stream.seek(0)
    if container is Container.PARQUET:
        yield from _parquet(stream, limits, tally)
        return
    text = blocks(stream, container, limits)
    first = next(text, b"")
    if container is not Container.PLAIN and sniff(first) is Container.PARQUET:
        yield from _parquet(unwrap_parquet(first, text, limits), limits, tally)
        return
    decoder: Decoder | None = None
    for lines in read_lines(chain((first,), text), limits):
        if decoder is None and len(lines):
            decoder = _recognised(lines, limits, tally)
        oversize = Block(empty_events(), lines.rejects)
        block = decoder.decode(lines) if decoder is not None else oversize
        count = len(lines) - block.skipped
        if decoder is not None and lines.rejects:
            block = Block(block.events, (*lines.rejects, *block.rejects))
        if count + len(lines.rejects):
            yield block, count + len(lines.rejects)


def _recognised(lines: Lines, limits: Limits, tally: Tally) -> Decoder:
    decoder = recognise(lines, limits, tally)
    if decoder is None:
        raise DamagedError(
            Code.NOT_RECOGNISED,
            "The file is none of the known formats: beacons, CMCD, or access logs with CMCD.",
        )
    return decoder


def _parquet(stream: BinaryIO, limits: Limits, tally: Tally) -> Iterator[tuple[Block, int]]:
    size = stream.seek(0, 2)
    stream.seek(0)
    yield from decode_parquet(stream, size, limits, tally)
