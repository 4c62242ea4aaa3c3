"""Input files: found before the run through any filesystem that Beam opens, so that what is missing stops it."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from detectors.telemetry.keys import MAX_BYTES, KeyRing, load_key_ring

HASH_CHUNK_BYTES: Final = 1 << 20


class SourceError(Exception):
    """A source that was named is missing, empty of files, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input file. `number` is its place in the sorted list and names its batches."""

    number: int
    path: str
    bytes: int


def find(patterns: Sequence[str]) -> tuple[Source, ...]:
    """Every file that the paths, folders and globs name, once, sorted by path.

    Raises:
      SourceError: A pattern matches no file, or its filesystem refuses.
    """
    sizes: dict[str, int] = {}
    for pattern in patterns:
        sizes.update(_match(pattern))
    return tuple(Source(number, path, size) for number, (path, size) in enumerate(sorted(sizes.items())))


def open_source(path: str) -> BinaryIO:
    """The file's bytes as they are: the decoder itself recognises compression, by content.

    Raises:
      SourceError: The file cannot be opened.
    """
    try:
        stream: BinaryIO = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except (BeamIOError, OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be opened ({error}); check the path and the permissions") from error
    return stream


def sha256(path: str) -> str:
    """The hexadecimal SHA-256 of a file.

    Raises:
      SourceError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with open_source(path) as stream:
        try:
            while chunk := stream.read(HASH_CHUNK_BYTES):
                digest.update(chunk)
        except OSError as error:
            raise SourceError(f"{path}: cannot be read ({error}); check the disk and the permissions") from error
    return digest.hexdigest()


def read_key_ring(path: str | None) -> KeyRing | None:
    """The keys that beacons may be signed with, from their file; null where there is none.

    Raises:
      SourceError: The file cannot be read.
      KeyRingError: It holds no key ring.
    """
    if path is None:
        return None
    with open_source(path) as stream:
        try:
            # One byte more than a key ring may have, so that a large file is refused and not read.
            text = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise SourceError(f"{path}: cannot be read ({error}); check the disk and the permissions") from error
    return load_key_ring(text, path)


def total_bytes(sources: Iterable[Source]) -> int:
    """The size of all sources together, as stored."""
    return sum(source.bytes for source in sources)


def _match(pattern: str) -> dict[str, int]:
    """Sizes by path; a folder stands for every file below it. Hidden files and folders are passed over."""
    patterns = [pattern] if _plain_part(pattern) != pattern else [pattern, pattern.rstrip("/") + "/**"]
    try:
        results = FileSystems.match(patterns)
    except (BeamIOError, OSError, ValueError) as error:
        raise SourceError(f"{pattern}: cannot be listed ({error}); check the path and the permissions") from error
    found = {item.path: item.size_in_bytes for result in results for item in result.metadata_list}
    # Object stores have no folders; the local file system lists them as if they were files.
    visible = {path: size for path, size in found.items() if not _is_hidden(path, pattern) and not Path(path).is_dir()}
    if not visible:
        raise SourceError(f"{pattern}: no file is there; name an existing file, folder or glob")
    for path in visible:
        # Neither the ledger nor a report could say which file it was.
        if any("\ud800" <= character <= "\udfff" for character in path):
            raise SourceError(f"{path}: the name of this file is not UTF-8; rename it")
    return visible


def _plain_part(pattern: str) -> str:
    """The pattern up to the folder in which the first wildcard stands; all of it where there is none."""
    wildcard = re.search(r"[*?\[]", pattern)
    return pattern[: pattern.rfind("/", 0, wildcard.start()) + 1] if wildcard else pattern


def _is_hidden(path: str, pattern: str) -> bool:
    """Whether a name below what the pattern spells out begins with a dot; who spells it out wants it."""
    below = path.removeprefix(_plain_part(pattern).rstrip("/"))
    return below != path and any(part.startswith(".") for part in below.split("/"))
