"""The one way in: a file of any known format becomes events, scans, contacts and rejects, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import BinaryIO, Final

import polars as pl

from detectors.telemetry import rejects as reject_frames
from detectors.telemetry.arrow import is_arrow, read_arrow
from detectors.telemetry.beacons import beacons
from detectors.telemetry.block import Block, empty_contacts, empty_scans
from detectors.telemetry.containers import Container, DamagedError, blocks, sniff, unwrap_parquet
from detectors.telemetry.documents import is_document, read_document
from detectors.telemetry.keys import KeyRing
from detectors.telemetry.limits import DEFAULT_LIMITS, Limits
from detectors.telemetry.lines import Lines, read_lines
from detectors.telemetry.listing import Listing
from detectors.telemetry.parquet import decode_parquet
from detectors.telemetry.recognise import Decoder, recognise
from detectors.telemetry.records import Format
from detectors.telemetry.rejects import Code, Reject, Tally

_MAGIC_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Decoded:
    """A block of one source.

    `events` has columns of `schemas.EVENTS` (one that is null throughout may be
    missing: `schemas.complete` brings it back; `session_id` is categorical), `rejects` is `schemas.REJECTS`,
    `scans` is `schemas.TRACKING` and `contacts` is `schemas.CONTACTS`. Every
    record is a row of one of them; of `rejects`, where its scope is `record` or
    `file`: `record_count` is the sum.
    """

    events: pl.DataFrame
    rejects: pl.DataFrame
    record_count: int
    scans: pl.DataFrame = field(default_factory=empty_scans)
    contacts: pl.DataFrame = field(default_factory=empty_contacts)


def decode(
    stream: BinaryIO, source: str, limits: Limits = DEFAULT_LIMITS, keys: KeyRing | None = None
) -> Iterator[Decoded]:
    """Reads telemetry of any known format; container and format are told by content.

    Beacons, scans of parcels and contacts in their canonical formats (JSON Lines,
    Parquet or Arrow batches), CMCD (collector lines, report bodies, captured query arguments), access
    logs that carry CMCD (W3C, JSON Lines), trackers and events of EasyPost,
    trackings and webhooks of AfterShip, each plain or in gzip or zstd. Whatever may
    stand in JSON Lines may be mixed in one file, or be one JSON document.

    Args:
      stream: Opened for reading at its start, seekable.
      source: What to call the file in rejects.
      limits: Bounds on records, times and expansion.
      keys: What beacons may be signed with; without keys every beacon is unsigned.

    Yields:
      Blocks of bounded size, in the order of the file; at the end one without
      records if fields were left out anywhere, counted by name. A file that is cut
      or is not what it seems yields what came before and one reject of scope
      `file`; an empty file yields nothing. Bad records beyond `limits.listed_rejects`
      are counted together.
    """
    tally, listing = Tally(limits), Listing(limits)
    try:
        for block, count in _blocks(stream, beacons(keys), limits, tally):
            yield _decoded(source, replace(block, rejects=listing.of_block(block.rejects, count)), count)
            listing.demand_use()
    except DamagedError as damage:
        reject = Reject("file", damage.code, damage.reason)
        yield _decoded(source, Block(rejects=(reject,)), 1)
    if ignored := tally.rejects():
        yield _decoded(source, Block(rejects=tuple(ignored)), 0)


def _decoded(source: str, block: Block, count: int) -> Decoded:
    return Decoded(block.events, reject_frames.frame(source, block.rejects), count, block.scans, block.contacts)


def _blocks(stream: BinaryIO, form: Format, limits: Limits, tally: Tally) -> Iterator[tuple[Block, int]]:
    """Blocks with the number of records that they were made of."""
    head = stream.read(_MAGIC_BYTES)
    container = sniff(head)
    stream.seek(0)
    if is_arrow(head):
        yield from read_arrow(stream, form, limits, tally)
        return
    if container is Container.PARQUET:
        yield from _parquet(stream, form, limits, tally)
        return
    text = blocks(stream, container, limits)
    first = next(text, b"")
    if container is not Container.PLAIN and sniff(first) is Container.PARQUET:
        yield from _parquet(unwrap_parquet(first, text, limits), form, limits, tally)
        return
    whole = is_document(first)
    portions = read_document(first, text, limits) if whole else read_lines(chain((first,), text), limits)
    decoder: Decoder | None = None
    for lines in portions:
        if decoder is None and len(lines):
            decoder = _recognised(lines, form, limits, tally)
        block = decoder.decode(lines) if decoder is not None else Block()
        count = len(lines) + block.extra + len(lines.rejects)
        if count:
            yield replace(block, rejects=(*lines.rejects, *block.rejects)), count


def _recognised(lines: Lines, form: Format, limits: Limits, tally: Tally) -> Decoder:
    decoder = recognise(lines, form, limits, tally)
    if decoder is None:
        raise not_recognised()
    return decoder


def not_recognised() -> DamagedError:
    """What is wrong with a text of which no line shows what it holds."""
    return DamagedError(
        Code.NOT_RECOGNISED,
        "The file is none of the known formats: beacons, CMCD, access logs with CMCD, tracking of parcels or contacts.",
    )


def _parquet(stream: BinaryIO, form: Format, limits: Limits, tally: Tally) -> Iterator[tuple[Block, int]]:
    size = stream.seek(0, 2)
    stream.seek(0)
    yield from decode_parquet(stream, size, form, limits, tally)
