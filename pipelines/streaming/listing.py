"""What lies in a folder right now."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Seen:
    """One file as the folder shows it; its inode stays with it when it is renamed.

    `modified_ms` is when it was last written to, in milliseconds since the epoch.
    """

    path: str
    inode: int
    bytes: int
    modified_ms: int


def list_folder(folder: str) -> tuple[Seen, ...]:
    """Every file below the folder, sorted by path; hidden files and folders are passed over.

    A folder that is not there yet holds nothing, and what vanishes while it is
    listed is not there.
    """
    return tuple(sorted(_below(Path(folder)), key=lambda seen: seen.path))


def open_file(path: str) -> BinaryIO:
    """The bytes of a file.

    Raises:
      OSError: It cannot be opened.
    """
    return Path(path).open("rb")


def _below(folder: Path) -> Iterator[Seen]:
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        try:
            if entry.is_dir():
                yield from _below(Path(entry.path))
                continue
            known = entry.stat()
        except OSError:
            continue
        if stat.S_ISREG(known.st_mode):
            yield Seen(entry.path, known.st_ino, known.st_size, known.st_mtime_ns // 1_000_000)
