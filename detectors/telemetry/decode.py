"""The one way in: a file of any known format becomes events, scans, contacts and rejects, block by block."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from operator import call
from typing import BinaryIO, Final, Protocol, TypeVar

import polars as pl

from detectors.telemetry import rejects as reject_frames
from detectors.telemetry.arrow import is_arrow, read_arrow
from detectors.telemetry.beacons import beacons
from detectors.telemetry.block import Block, Part, Task, empty_contacts, empty_scans
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

T = TypeVar("T")
R = TypeVar("R")


class InOrder(Protocol):
    """Applies a function to items and gives the results in their order: `map`, or what works on several at once."""

    def __call__(self, make: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
        """The results; an error of an item, or in making one, is raised where its result would have come."""
        ...


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
    stream: BinaryIO,
    source: str,
    limits: Limits = DEFAULT_LIMITS,
    keys: KeyRing | None = None,
    in_order: InOrder = map,
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
      in_order: How the parts of the file are decoded, which do not need each other; what is yielded is the same.

    Yields:
      Blocks of bounded size, in the order of the file; at the end one without
      records if fields were left out anywhere, counted by name. A file that is cut
      or is not what it seems yields what came before and one reject of scope
      `file`; an empty file yields nothing. Bad records beyond `limits.listed_rejects`
      are counted together.
    """
    tally, listing = Tally(limits), Listing(limits)
    try:
        for part in in_order(call, _tasks(stream, beacons(keys), limits)):
            tally.take(part.left_out)
            if part.records:
                rejects = listing.of_block(part.block.rejects, part.records)
                yield _decoded(source, replace(part.block, rejects=rejects), part.records)
                listing.demand_use()
    except DamagedError as damage:
        reject = Reject("file", damage.code, damage.reason)
        yield _decoded(source, Block(rejects=(reject,)), 1)
    if ignored := tally.rejects():
        yield _decoded(source, Block(rejects=tuple(ignored)), 0)


def _decoded(source: str, block: Block, count: int) -> Decoded:
    return Decoded(block.events, reject_frames.frame(source, block.rejects), count, block.scans, block.contacts)


def _tasks(stream: BinaryIO, form: Format, limits: Limits) -> Iterator[Task]:
    """The parts of a file in their order, each still to be made."""
    head = stream.read(_MAGIC_BYTES)
    container = sniff(head)
    stream.seek(0)
    if is_arrow(head):
        yield from map(_made, read_arrow(stream, form, limits))
        return
    if container is Container.PARQUET:
        yield from _parquet(stream, form, limits)
        return
    text = blocks(stream, container, limits)
    first = next(text, b"")
    if container is not Container.PLAIN and sniff(first) is Container.PARQUET:
        yield from _parquet(unwrap_parquet(first, text, limits), form, limits)
        return
    whole = is_document(first)
    portions = read_document(first, text, limits) if whole else read_lines(chain((first,), text), limits)
    decoder: Decoder | None = None
    for lines in portions:
        if decoder is None and len(lines):
            decoder = _recognised(lines, form, limits)
        if decoder is not None and decoder.continues:
            yield _made(_part(decoder, limits, lines))
        else:
            yield partial(_part, decoder, limits, lines)


def _part(decoder: Decoder | None, limits: Limits, lines: Lines) -> Part:
    left_out = Tally(limits)
    block = decoder.decode(lines, left_out) if decoder is not None else Block()
    count = len(lines) + block.extra + len(lines.rejects)
    return Part(replace(block, rejects=(*lines.rejects, *block.rejects)), count, left_out)


def _made(part: Part) -> Task:
    """A part that could not wait."""
    return lambda: part


def _recognised(lines: Lines, form: Format, limits: Limits) -> Decoder:
    decoder = recognise(lines, form, limits)
    if decoder is None:
        raise not_recognised()
    return decoder


def not_recognised() -> DamagedError:
    """What is wrong with a text of which no line shows what it holds."""
    return DamagedError(
        Code.NOT_RECOGNISED,
        "The file is none of the known formats: beacons, CMCD, access logs with CMCD, tracking of parcels or contacts.",
    )


def _parquet(stream: BinaryIO, form: Format, limits: Limits) -> Iterator[Task]:
    size = stream.seek(0, 2)
    stream.seek(0)
    yield from decode_parquet(stream, size, form, limits)
