"""From the bytes of a file to blocks of plain text, in bounded memory.

The container is told by its first bytes, never by a name. gzip members and zstd
frames may follow each other, as log shippers write them.
"""

import io
import zlib
from collections.abc import Iterator
from enum import Enum
from itertools import chain
from typing import BinaryIO, Final

import zstandard

from detectors.telemetry.limits import Limits
from detectors.telemetry.rejects import Code

_READ_BYTES: Final = 256 * 1024
# zstd yields up to 128 KiB from 4 bytes of input, so a slice of this size yields at most 16 MiB.
_ZSTD_SLICE: Final = 512
_ZSTD_WINDOW: Final = 2**27  # what the zstd program itself accepts unasked
_PARQUET: Final = b"PAR1"


class Container(Enum):
    """What wraps the records."""

    PLAIN = b""
    GZIP = b"\x1f\x8b"
    ZSTD = b"\x28\xb5\x2f\xfd"
    PARQUET = _PARQUET


class DamagedError(Exception):
    """The rest of the file cannot be read; what came before stands."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def sniff(head: bytes) -> Container:
    """The container whose first bytes these are."""
    return next(
        (c for c in (Container.GZIP, Container.ZSTD, Container.PARQUET) if head.startswith(c.value)), Container.PLAIN
    )


def blocks(stream: BinaryIO, container: Container, limits: Limits) -> Iterator[bytes]:
    """Decompressed blocks of at most some 16 MiB, none of them empty.

    Raises:
      DamagedError: The stream is cut, corrupt, or expands like a bomb; every
        block before the damage has been yielded.
    """
    if container is Container.PLAIN:
        while block := stream.read(limits.block_bytes):
            yield block
        return
    inflate = _gunzip(stream, limits) if container is Container.GZIP else _unzstd(stream)
    given = 0
    for taken, block in inflate:
        given += len(block)
        if given > taken * limits.expansion_ratio + limits.expansion_floor_bytes:
            raise DamagedError(
                Code.DECOMPRESSION_BOMB,
                f"The file expands more than {limits.expansion_ratio} times, which telemetry never does; "
                "the rest was not read.",
            )
        if block:
            yield block


def unwrap_parquet(first: bytes, rest: Iterator[bytes], limits: Limits) -> BinaryIO:
    """A compressed Parquet file, in memory because Parquet is read from its end.

    Raises:
      DamagedError: As `blocks`, or the file is larger than memory allows.
    """
    whole = io.BytesIO()
    for block in chain((first,), rest):
        if whole.tell() + len(block) > limits.wrapped_parquet_bytes:
            raise DamagedError(
                Code.DECOMPRESSION_BOMB,
                "The compressed Parquet file is too large to unpack in memory: send it without the outer compression.",
            )
        whole.write(block)
    whole.seek(0)
    return whole


def _cut(name: str) -> DamagedError:
    return DamagedError(Code.TRUNCATED_FILE, f"The {name} stream ends before its end mark; the rest is missing.")


def _corrupt(name: str) -> DamagedError:
    return DamagedError(Code.CORRUPT_FILE, f"The {name} stream is damaged; what follows the damage was not read.")


def _gunzip(stream: BinaryIO, limits: Limits) -> Iterator[tuple[int, bytes]]:
    """Pairs of compressed bytes taken so far and the block that they gave."""
    taken, pending = 0, b""
    inflater = zlib.decompressobj(wbits=31)
    fresh = True  # no byte of the present member was seen yet
    while True:
        if not pending:
            pending = stream.read(_READ_BYTES)
            taken += len(pending)
        if inflater.eof:
            pending = pending.lstrip(b"\0") if pending else pending  # tape archives pad with zeros
            inflater, fresh = zlib.decompressobj(wbits=31), True
            if not pending:
                pending = stream.read(_READ_BYTES)
                taken += len(pending)
        if not pending:
            if fresh:
                return
            raise _cut("gzip")
        fresh = False
        try:
            block = inflater.decompress(pending, limits.block_bytes)
        except zlib.error:
            raise _corrupt("gzip") from None
        pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        yield taken, block


def _unzstd(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """As `_gunzip`, for zstd."""
    frames = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    taken, inflater, fresh = 0, frames.decompressobj(), True
    while data := stream.read(_READ_BYTES):
        for start in range(0, len(data), _ZSTD_SLICE):
            pending = data[start : start + _ZSTD_SLICE]
            taken += len(pending)
            while pending:
                if inflater.eof:
                    inflater = frames.decompressobj()
                fresh = False
                try:
                    block = inflater.decompress(pending)
                except zstandard.ZstdError:
                    raise _corrupt("zstd") from None
                pending = inflater.unused_data if inflater.eof else b""
                yield taken, block
    if not fresh and not inflater.eof:
        raise _cut("zstd")
